"""Objects for tests: valid, small, and different from each other; every field can be given."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from yanshu.domain.access import ApiKey, AuditEntry, Workspace
from yanshu.domain.batches import Batch, BatchStatus
from yanshu.domain.binds import Bind, BindProtocol
from yanshu.domain.connectors import Connector, Member, Route
from yanshu.domain.events import Event
from yanshu.domain.ids import make_id
from yanshu.domain.inbound import Inbound
from yanshu.domain.lanes import Lane
from yanshu.domain.lessons import Lesson, Strike
from yanshu.domain.messages import FINALS, Change, Encoding, Message, Status
from yanshu.domain.numbers import Operator, Source
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import InboundPart, Receipt, ReceiptState, Submission, SubmissionStatus
from yanshu.domain.webhooks import Delivery, DeliveryStatus, WebhookEndpoint
from yanshu.testing.clocks import FakeClock

E = TypeVar("E", bound=Exception)


def in_turn(*connectors: str) -> tuple[Member, ...]:
    """Return a pool whose connectors are tried one after the other."""
    return tuple(Member(connector, priority) for priority, connector in enumerate(connectors, 1))


class Samples:
    """Makes objects at the clock's time; ids ascend in the order of the calls."""

    def __init__(self, clock: FakeClock, workspace_id: str = "ws_one") -> None:
        self._clock = clock
        self._workspace_id = workspace_id
        self._serial = 0

    @property
    def now(self) -> datetime:
        """The clock's time."""
        return self._clock.now()

    def ident(self, prefix: str) -> str:
        """The next id."""
        self._serial += 1
        return make_id(prefix, self.now, self._serial.to_bytes(10, "big"))

    def message(self, **fields: Any) -> Message:
        """A queued notice that lives for an hour."""
        expires_at = fields.get("expires_at", self.now + timedelta(hours=1))
        values: dict[str, Any] = {
            "id": self.ident("msg"),
            "workspace_id": self._workspace_id,
            "livemode": True,
            "lane": Lane.NOTICE,
            "recipient": f"+861380000{self._serial % 10_000:04d}",
            "sender": "1069",
            "text": "【雁书】您好",
            "encoding": Encoding.UCS2,
            "units": 6,
            "segments": 1,
            "status": Status.QUEUED,
            "created_at": self.now,
            "updated_at": self.now,
            "expires_at": expires_at,
            "due_at": expires_at,
            "connector_id": "con_one",
            "candidates": ("con_one", "con_two"),
        }
        return Message(**(values | fields))

    def messages(self, count: int, **fields: Any) -> list[Message]:
        """Several such messages."""
        return [self.message(**fields) for _ in range(count)]

    def change(self, message: Message, status: Status, **fields: Any) -> Change:
        """The step of `message` to `status`."""
        values: dict[str, Any] = {name: getattr(message, name) for name in _CARRIED}
        values |= {
            "message_id": message.id,
            "expected": message.version,
            "version": message.version + 1,
            "previous": message.status,
            "status": status,
            "updated_at": self.now,
            "due_at": None if status in FINALS else message.due_at,
            "done_at": self.now if status in FINALS else None,
        }
        return Change(**(values | fields))

    def event(self, message: Message, **fields: Any) -> Event:
        """An event about `message`."""
        values: dict[str, Any] = {
            "workspace_id": message.workspace_id,
            "livemode": message.livemode,
            "type": f"message.{message.status}",
            "object_id": message.id,
            "seq": message.version,
            "created_at": self.now,
            "data": {"status": str(message.status)},
        }
        return Event(**(values | fields))

    def submission(self, message: Message, **fields: Any) -> Submission:
        """An accepted submission of the first segment of `message`."""
        values: dict[str, Any] = {
            "message_id": message.id,
            "attempt": 1,
            "segment": 1,
            "total": message.segments,
            "connector_id": message.connector_id or "con_one",
            "recipient": message.recipient,
            "status": SubmissionStatus.ACCEPTED,
            "answered_at": self.now,
        }
        return Submission(**(values | fields))

    def receipt(self, *keys: str, **fields: Any) -> Receipt:
        """A receipt that says delivered."""
        values: dict[str, Any] = {
            "id": self.ident("rcp"),
            "connector_id": "con_one",
            "keys": keys,
            "recipient": None,
            "state": ReceiptState.DELIVERED,
            "stat": "DELIVRD",
            "err": "000",
            "text": "",
            "done_at": None,
            "arrived_at": self.now,
        }
        return Receipt(**(values | fields))

    def lesson(self, number: str, **fields: Any) -> Lesson:
        """A number that has moved to China Telecom, and did not answer since."""
        values: dict[str, Any] = {
            "number": number,
            "updated_at": self.now,
            "expires_at": self.now + timedelta(days=180),
            "operator": Operator.CTCC,
            "source": Source.LEARNED,
            "confidence": 33,
            "evidence": "msg_one",
            "learned_at": self.now,
            "trusted_until": self.now + timedelta(days=180),
            "moved_from": (Operator.CMCC, Operator.CUCC),
            "strikes": (Strike(self.now, OutcomeClass.INVALID_NUMBER, "MK:0001", "msg_two"),),
        }
        return Lesson(**(values | fields))

    def inbound(self, **fields: Any) -> Inbound:
        """A reply."""
        values: dict[str, Any] = {
            "id": self.ident("inb"),
            "workspace_id": self._workspace_id,
            "livemode": True,
            "connector_id": "con_one",
            "sender": "+8613800001111",
            "recipient": "1069",
            "extension": None,
            "text": "好的",
            "parts": 1,
            "complete": True,
            "in_reply_to": None,
            "created_at": self.now,
        }
        return Inbound(**(values | fields))

    def part(self, number: int, **fields: Any) -> InboundPart:
        """Part `number` of three."""
        values: dict[str, Any] = {
            "id": self.ident("rcp"),
            "connector_id": "con_one",
            "sender": "+8613800001111",
            "recipient": "1069",
            "text": f"part {number}",
            "raw": bytes([0, number, 255]),
            "part": number,
            "parts": 3,
            "reference": 7,
            "arrived_at": self.now,
        }
        return InboundPart(**(values | fields))

    def batch(self, **fields: Any) -> Batch:
        """A running batch."""
        values: dict[str, Any] = {
            "id": self.ident("bat"),
            "workspace_id": self._workspace_id,
            "livemode": True,
            "status": BatchStatus.RUNNING,
            "send": b"\x00send",
            "created_at": self.now,
            "updated_at": self.now,
        }
        return Batch(**(values | fields))

    def connector(self, **fields: Any) -> Connector:
        """A connector over SMPP."""
        values: dict[str, Any] = {
            "id": self.ident("con"),
            "name": "first",
            "protocol": "smpp",
            "host": "127.0.0.1",
            "port": 2775,
            "settings": {"system_id": "me"},
            "secret": "sealed",
            "created_at": self.now,
            "updated_at": self.now,
        }
        return Connector(**(values | fields))

    def route(self, **fields: Any) -> Route:
        """A route to one connector."""
        values: dict[str, Any] = {
            "id": self.ident("rte"),
            "name": "default",
            "rank": 10,
            "pool": in_turn("con_one"),
            "created_at": self.now,
            "updated_at": self.now,
        }
        return Route(**(values | fields))

    def workspace(self, **fields: Any) -> Workspace:
        """A workspace."""
        values: dict[str, Any] = {
            "id": self.ident("ws"),
            "name": "Acme",
            "created_at": self.now,
            "updated_at": self.now,
            "signing_secret": "sealed",
        }
        return Workspace(**(values | fields))

    def key(self, **fields: Any) -> ApiKey:
        """A live key."""
        ident = self.ident("key")
        values: dict[str, Any] = {
            "id": ident,
            "workspace_id": self._workspace_id,
            "name": "server",
            "digest": f"digest of {ident}",
            "hint": "live…1234",
            "livemode": True,
            "scopes": ("messages:send",),
            "created_at": self.now,
            "updated_at": self.now,
        }
        return ApiKey(**(values | fields))

    def audit(self, **fields: Any) -> AuditEntry:
        """An audit entry."""
        values: dict[str, Any] = {
            "id": self.ident("aud"),
            "workspace_id": self._workspace_id,
            "actor": "key_one",
            "action": "keys.create",
            "object_id": None,
            "address": "127.0.0.1",
            "created_at": self.now,
            "detail": {"name": "server"},
        }
        return AuditEntry(**(values | fields))

    def endpoint(self, **fields: Any) -> WebhookEndpoint:
        """An enabled endpoint."""
        values: dict[str, Any] = {
            "id": self.ident("whe"),
            "workspace_id": self._workspace_id,
            "url": "https://example.com/hook",
            "events": ("message.delivered",),
            "secrets": ("sealed",),
            "created_at": self.now,
            "updated_at": self.now,
        }
        return WebhookEndpoint(**(values | fields))

    def bind(self, **fields: Any) -> Bind:
        """An enabled bind over SMPP."""
        ident = self.ident("bnd")
        values: dict[str, Any] = {
            "id": ident,
            "workspace_id": self._workspace_id,
            "livemode": True,
            "name": "shop",
            "protocol": BindProtocol.SMPP,
            "system_id": ident[-15:],
            "secret": "sealed",
            "created_at": self.now,
            "updated_at": self.now,
        }
        return Bind(**(values | fields))

    def delivery(self, *objects: str, **fields: Any) -> Delivery:
        """A delivery that is due now, about `objects`."""
        values: dict[str, Any] = {
            "id": self.ident("dlv"),
            "workspace_id": self._workspace_id,
            "endpoint_id": "whe_one",
            "url": "https://example.com/hook",
            "events": ("evt_1",),
            "objects": objects,
            "status": DeliveryStatus.PENDING,
            "created_at": self.now,
            "updated_at": self.now,
            "next_at": self.now,
        }
        return Delivery(**(values | fields))


_CARRIED = tuple(set(Change.__struct_fields__) & set(Message.__struct_fields__))


def changed(item: Any, **fields: Any) -> Any:
    """The same struct with other values."""
    return msgspec.structs.replace(item, **fields)


@contextmanager
def raised(kind: type[E]) -> Iterator[list[E]]:
    """Fail unless the block raises `kind`; the error is in the list afterwards."""
    caught: list[E] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    if not caught:
        raise AssertionError(f"{kind.__name__} was not raised")
