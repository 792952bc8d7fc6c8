"""Receipts as SMPP carriers word them: text of SMPP 3.4 Appendix B, TLVs, or both."""

from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.identifiers import receipt_id_text
from yanshu.simulator.script import Report
from yanshu.simulator.stamps import Stamps
from yanshu.simulator.traffic import Receipt

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, NETWORK_ERROR_CODE, USER_MESSAGE_REFERENCE = 0x001E, 0x0427, 0x0423, 0x0204
GSM_NETWORK = b"\x03"
STATES = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}
_STAMPS = Stamps()


def content(receipt: Receipt, behaviour: Behaviour) -> tuple[bytes, dict[int, bytes]]:
    """Return the short_message and the TLVs of a receipt."""
    ident = receipt_id_text(receipt.number, behaviour)
    text = b"" if behaviour.receipt_as == "tlv" else _text(ident, receipt, behaviour.receipt_offset_minutes * 60)
    tlvs = {} if behaviour.receipt_as == "text" else _tlvs(ident, receipt.report)
    if receipt.segment.user_reference is not None:
        tlvs[USER_MESSAGE_REFERENCE] = receipt.segment.user_reference.to_bytes(2, "big")
    return text, tlvs


def _text(ident: str, receipt: Receipt, ahead: int) -> bytes:
    """Return the text form; the message's own text is left out, as most carriers do."""
    submitted, done = _STAMPS.text(receipt.segment.at + ahead), _STAMPS.text(receipt.at + ahead)
    report = receipt.report
    delivered = "001" if report.is_delivery else "000"
    return (
        f"id:{ident} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} stat:{report.stat} err:{report.err} text:"
    ).encode("ascii")


def _tlvs(ident: str, report: Report) -> dict[int, bytes]:
    """Return the TLV form; the error code is the digits of the carrier's own."""
    digits = "".join(filter(str.isdecimal, report.err)) or "0"
    return {
        RECEIPTED_MESSAGE_ID: ident.encode("ascii") + b"\x00",
        MESSAGE_STATE: bytes((STATES[report.stat],)),
        NETWORK_ERROR_CODE: GSM_NETWORK + (int(digits) & 0xFFFF).to_bytes(2, "big"),
    }
