"""What an SMGP gateway delivers: receipts and texts from phones, in our words."""

from collections.abc import Sequence
from datetime import datetime

from yanshu.adapters.carriers.arrivals import LONGEST_CODE, STATES, kept, state_of
from yanshu.adapters.carriers.mainland import Spoken, beijing_time, part_of, phone_number
from yanshu.domain import ids
from yanshu.domain.submissions import Arrival, InboundPart, Receipt, ReceiptState
from yanshu.ports.clock import Clock
from yanshu.protocols.smgp import reports
from yanshu.protocols.smgp.constants import Tag
from yanshu.protocols.smgp.pdus import Deliver

# Errors beside a code that stands in place of the state: left out, none, unknown.
_TELLS_NOTHING = frozenset({"", "000", "999"})


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
            self._receipt(receipt, pdu, now) if pdu.is_report == 1 else self._part(inbound, pdu, now)
            for receipt, inbound, pdu in zip(receipts, inbounds, deliveries, strict=True)
        ]

    def _receipt(self, ident: str, pdu: Deliver, now: datetime) -> Receipt:
        """Match by the id inside the content: the MsgID of the Deliver is another (protocols.md §6.5)."""
        report = reports.parse(pdu.msg_content) or reports.Report()  # without an id it is kept as it is; "" is nobody's key
        stat, err = kept(report.stat)[:LONGEST_CODE], kept(report.err)
        return Receipt(
            id=ident,
            connector_id=self._connector_id,
            keys=(report.msg_id.lstrip("0"),),
            recipient=phone_number(kept(pdu.src_term_id)),
            state=state_of(stat, acceptd_is_final=self._acceptd_is_final) if stat else ReceiptState.ACCEPTED,
            stat=stat,
            err=stat if stat not in STATES and err in _TELLS_NOTHING else err,
            text=kept(str(pdu.msg_content, "latin-1")),
            done_at=beijing_time(report.done_date),
            arrived_at=now,
        )

    def _part(self, ident: str, pdu: Deliver, now: datetime) -> InboundPart:
        spoken = Spoken(pdu.src_term_id, pdu.dest_term_id, pdu.msg_content, pdu.msg_format, _has_header(pdu))
        return part_of(spoken, ident, self._connector_id, self._sender, now)


def _has_header(pdu: Deliver) -> bool:
    """The fixed fields have no TP_udhi: a parameter says it."""
    return bool(int.from_bytes(pdu.tlvs.get(Tag.TP_UDHI, b""), "big"))
