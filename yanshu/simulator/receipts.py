"""Receipts as carriers word them: text of SMPP 3.4 Appendix B, TLVs, or both."""

from datetime import UTC, datetime

from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.identifiers import receipt_id_text
from yanshu.simulator.script import Report
from yanshu.simulator.traffic import RECEIPT_CLASS, Delivery, Segment

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, NETWORK_ERROR_CODE, USER_MESSAGE_REFERENCE = 0x001E, 0x0427, 0x0423, 0x0204
GSM_NETWORK = b"\x03"
STATES = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


class ReceiptWriter:
    """Writes receipts; dates are formatted once a minute, not once a receipt."""

    def __init__(self) -> None:
        self._dates: dict[int, str] = {}

    def write(self, segment: Segment, number: int, report: Report, behaviour: Behaviour, at: float) -> Delivery:
        """Return the receipt on message `number`, done `at` (epoch seconds)."""
        ident = receipt_id_text(number, behaviour)
        ahead = behaviour.receipt_offset_minutes * 60
        text = b"" if behaviour.receipt_as == "tlv" else self._text(ident, report, segment.at + ahead, at + ahead)
        tlvs = () if behaviour.receipt_as == "text" else _tlvs(ident, report)
        if segment.user_reference is not None:
            tlvs = (*tlvs, (USER_MESSAGE_REFERENCE, segment.user_reference.to_bytes(2, "big")))
        return Delivery(segment.destination, segment.source, RECEIPT_CLASS, 0, text, tlvs)

    def _text(self, ident: str, report: Report, submitted_at: float, done_at: float) -> bytes:
        """Return the text form; the message's own text is left out, as most carriers do."""
        submitted, done = self._date(submitted_at), self._date(done_at)
        delivered = "001" if report.is_delivery else "000"
        return (
            f"id:{ident} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} stat:{report.stat} err:{report.err} text:"
        ).encode("ascii")

    def _date(self, at: float) -> str:
        """Return YYMMDDhhmm of epoch seconds that are local already."""
        minute = int(at) // 60
        date = self._dates.get(minute)
        if date is None:
            if len(self._dates) > 64:
                self._dates.clear()
            date = self._dates[minute] = datetime.fromtimestamp(minute * 60, UTC).strftime("%y%m%d%H%M")
        return date


def _tlvs(ident: str, report: Report) -> tuple[tuple[int, bytes], ...]:
    """Return the TLV form; the error code is the digits of the carrier's own."""
    digits = "".join(filter(str.isdecimal, report.err)) or "0"
    return (
        (RECEIPTED_MESSAGE_ID, ident.encode("ascii") + b"\x00"),
        (MESSAGE_STATE, bytes((STATES[report.stat],))),
        (NETWORK_ERROR_CODE, GSM_NETWORK + (int(digits) & 0xFFFF).to_bytes(2, "big")),
    )
