"""What a CMPP gateway delivers: receipts and texts from phones, in our words."""

from collections.abc import Sequence
from datetime import datetime

from yanshu.adapters.carriers.arrivals import LONGEST_CODE, STATES, kept, state_of
from yanshu.adapters.carriers.mainland import Spoken, beijing_time, part_of, phone_number
from yanshu.domain import ids
from yanshu.domain.submissions import Arrival, InboundPart, Receipt, ReceiptState
from yanshu.ports.clock import Clock
from yanshu.protocols.cmpp import reports
from yanshu.protocols.cmpp.pdus import Deliver


class Reader:
    """Translates deliveries, a burst at a time."""

    def __init__(self, connector_id: str, sender: str, clock: Clock, *, acceptd_is_final: bool) -> None:
        self._connector_id = connector_id
        self._sender = sender
        self._clock = clock
        self._acceptd_is_final = acceptd_is_final

    def read(self, deliveries: Sequence[Deliver]) -> list[Arrival]:
        """Return one arrival a delivery, in order. Nothing is refused: what makes no sense is kept raw (protocols.md §8)."""
        now, entropy = self._clock.now(), self._clock.entropy(ids.ENTROPY_BYTES)
        receipts = ids.make_ids(ids.RECEIPT, len(deliveries), now, entropy)
        inbounds = ids.make_ids(ids.INBOUND, len(deliveries), now, entropy)
        return [
            self._receipt(receipt, pdu, now) if pdu.registered_delivery == 1 else self._part(inbound, pdu, now)
            for receipt, inbound, pdu in zip(receipts, inbounds, deliveries, strict=True)
        ]

    def _receipt(self, ident: str, pdu: Deliver, now: datetime) -> Receipt:
        """Match by the Msg_Id inside the content: the one of the DELIVER is another (protocols.md §4.5)."""
        report = reports.parse(pdu.msg_content)
        if report is None:  # kept as it is; "" is nobody's key
            report = reports.Report(0, "", "", "", "", 0)
        stat = kept(report.stat)[:LONGEST_CODE]
        return Receipt(
            id=ident,
            connector_id=self._connector_id,
            keys=(f"{report.msg_id:x}" if report.msg_id else "",),
            recipient=phone_number(kept(report.dest_terminal_id or pdu.src_terminal_id)),
            state=state_of(stat, acceptd_is_final=self._acceptd_is_final) if stat else ReceiptState.ACCEPTED,
            stat=stat,
            err="" if stat in STATES else stat,
            text=kept(str(pdu.msg_content, "latin-1")),
            done_at=beijing_time(report.done_time),
            arrived_at=now,
        )

    def _part(self, ident: str, pdu: Deliver, now: datetime) -> InboundPart:
        spoken = Spoken(pdu.src_terminal_id, pdu.dest_id, pdu.msg_content, pdu.msg_fmt, bool(pdu.tp_udhi))
        return part_of(spoken, ident, self._connector_id, self._sender, now)
