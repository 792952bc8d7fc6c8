"""What binds submit and are owed, for tests."""

from datetime import timedelta
from typing import Any

from yanshu.domain.binds import BindDelivery, BindPart, BindSubmit, ReceiptOwed, TextOwed, Ticket, Wanted
from yanshu.domain.messages import Encoding, Status
from yanshu.testing.samples import Samples


class BindSamples(Samples):
    """See `Samples`."""

    def bind_part(self, **fields: Any) -> BindPart:
        """The first of two parts of a long text."""
        submit = BindSubmit(
            numbers=("+8613800138000",),
            sender=None,
            source="1069",
            destinations=("13800138000",),
            content=b"\0a",
            coding=8,
            wanted=Wanted.ALWAYS,
        )
        values: dict[str, Any] = {"id": self.ident("seg"), "bind_id": "bnd_one", "group": "group", "part": 1, "parts": 2}
        return BindPart(**(values | {"submit": submit, "arrived_at": self.now} | fields))

    def ticket(self, message_id: str, **fields: Any) -> Ticket:
        """The ticket of a text of one segment."""
        values: dict[str, Any] = {
            "message_id": message_id,
            "segment": 1,
            "bind_id": "bnd_one",
            "ident": message_id,
            "source": "1069",
            "destination": "13800138000",
            "wanted": Wanted.ALWAYS,
            "created_at": self.now,
        }
        return Ticket(**(values | fields))

    def receipt_owed(self, **fields: Any) -> ReceiptOwed:
        """A receipt that says delivered."""
        values: dict[str, Any] = {
            "ident": "msg_1",
            "source": "1069",
            "destination": "13800138000",
            "status": Status.DELIVERED,
            "submitted_at": self.now,
            "done_at": self.now,
        }
        return ReceiptOwed(**(values | fields))

    def text_owed(self, **fields: Any) -> TextOwed:
        """A text of one segment."""
        values: dict[str, Any] = {"ident": "inb_1", "sender": "+8613800138000", "recipient": "1069", "text": "退订"}
        return TextOwed(**(values | {"encoding": Encoding.UCS2} | fields))

    def bind_delivery(self, object_id: str, **fields: Any) -> BindDelivery:
        """Something owed that is due now."""
        values: dict[str, Any] = {
            "id": self.ident("bdl"),
            "bind_id": "bnd_one",
            "object_id": object_id,
            "created_at": self.now,
            "expires_at": self.now + timedelta(hours=1),
            "next_at": self.now,
        }
        return BindDelivery(**(values | fields))
