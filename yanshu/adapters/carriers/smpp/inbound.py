"""What a carrier delivers: receipts and texts from phones, in our words."""

from collections.abc import Sequence
from datetime import datetime

from yanshu.adapters.carriers.arrivals import LONGEST_CODE, LONGEST_ID, access_number, kept, phone_number, state_of
from yanshu.adapters.carriers.smpp.settings import SmppSettings
from yanshu.domain import ids
from yanshu.domain.submissions import Arrival, InboundPart, Receipt, ReceiptState
from yanshu.ports.clock import Clock
from yanshu.protocols.smpp import receipts
from yanshu.protocols.smpp.alphabets import read_text
from yanshu.protocols.smpp.codec import tlv_number, tlv_text
from yanshu.protocols.smpp.constants import ESM_INTERMEDIATE, ESM_RECEIPT, ESM_TYPE_MASK, ESM_UDHI, MessageState, Tag
from yanshu.protocols.smpp.pdus import DataSm, DeliverSm
from yanshu.protocols.times import read_stamp
from yanshu.text import udh

Delivery = DeliverSm | DataSm

_STATS: dict[int, str] = {
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
}
_EMPTY = receipts.ReceiptText()
_RECEIPT_CLASSES = frozenset({ESM_RECEIPT, ESM_INTERMEDIATE})
_MOST_PARTS = 255


class Reader:
    """Translates deliveries, a burst at a time."""

    def __init__(self, connector_id: str, settings: SmppSettings, sender: str, clock: Clock) -> None:
        self._connector_id = connector_id
        self._settings = settings
        self._sender = sender
        self._clock = clock

    def read(self, deliveries: Sequence[Delivery]) -> list[Arrival]:
        """Return one arrival a delivery, in order. Nothing is refused: what makes no sense is kept raw (protocols.md §8)."""
        now = self._clock.now()
        entropy = self._clock.entropy(ids.ENTROPY_BYTES)
        receipt_ids = ids.make_ids(ids.RECEIPT, len(deliveries), now, entropy)
        part_ids: list[str] = []
        arrivals: list[Arrival] = []
        for index, pdu in enumerate(deliveries):
            content = _content(pdu)
            says_so = _says_receipt(pdu)
            if says_so or self._settings.receipt_from_text:
                text = kept(str(content, "latin-1").rstrip("\0"))
                found = _receipt_text(text, says_so)
                if found is not None:
                    arrivals.append(self._receipt(receipt_ids[index], pdu, text, found, now))
                    continue
            part_ids = part_ids or ids.make_ids(ids.INBOUND, len(deliveries), now, entropy)
            arrivals.append(self._part(part_ids[index], pdu, content, now))
        return arrivals

    def _receipt(self, ident: str, pdu: Delivery, text: str, found: receipts.ReceiptText, now: datetime) -> Receipt:
        settings = self._settings
        tlvs = pdu.tlvs
        stat, err = found.stat, found.err
        tlv_id = None
        if tlvs:
            tlv_id = tlv_text(tlvs, Tag.RECEIPTED_MESSAGE_ID)
            stat = _STATS.get(tlv_number(tlvs, Tag.MESSAGE_STATE) or 0, stat)
            err = err or tlvs.get(Tag.NETWORK_ERROR_CODE, b"").hex()
        return Receipt(
            id=ident,
            connector_id=self._connector_id,
            # A receipt without any id can still be matched by its recipient; "" is nobody's key.
            keys=receipts.receipt_keys(tlv_id and tlv_id[:LONGEST_ID], found.id[:LONGEST_ID], settings.id_form) or ("",),
            recipient=phone_number(pdu.source_addr),
            state=self._state(pdu, stat),
            stat=stat[:LONGEST_CODE],
            err=err[:LONGEST_CODE],
            text=text,
            done_at=read_stamp(found.done_date, settings.receipt_utc_offset_minutes),
            arrived_at=now,
        )

    def _state(self, pdu: Delivery, stat: str) -> ReceiptState:
        if not stat or pdu.esm_class & ESM_TYPE_MASK == ESM_INTERMEDIATE:
            return ReceiptState.ACCEPTED
        return state_of(stat, acceptd_is_final=self._settings.acceptd_is_final)

    def _part(self, ident: str, pdu: Delivery, content: bytes, now: datetime) -> InboundPart:
        joined, octets = _joined(pdu, content)
        return InboundPart(
            id=ident,
            connector_id=self._connector_id,
            sender=phone_number(pdu.source_addr) or "",
            recipient=access_number(pdu.destination_addr, self._sender),
            text=kept(read_text(octets, pdu.data_coding, self._settings.gsm_alphabet)),
            raw=content,
            part=joined.part,
            parts=joined.total,
            reference=joined.reference,
            arrived_at=now,
        )


def _says_receipt(pdu: Delivery) -> bool:
    return pdu.esm_class & ESM_TYPE_MASK in _RECEIPT_CLASSES or Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs


def _receipt_text(text: str, says_so: bool) -> receipts.ReceiptText | None:
    """Return the fields of a receipt, empty ones when only parameters tell; None when this is a person's text."""
    found = receipts.parse(text)
    if says_so:
        return found or _EMPTY
    return found if found is not None and found.id and found.stat else None


def _content(pdu: Delivery) -> bytes:
    """Return the octets of the text, wherever they travel."""
    if isinstance(pdu, DeliverSm) and pdu.short_message:
        return pdu.short_message
    return pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")


_ALONE = udh.Concatenation(0, 1, 1)


def _joined(pdu: Delivery, content: bytes) -> tuple[udh.Concatenation, bytes]:
    """Return which part this is, and its octets without header; a header wins over SAR parameters."""
    if pdu.esm_class & ESM_UDHI:
        found, octets = udh.parse(content)
        if found is not None:
            return found, octets
        content = octets
    total = tlv_number(pdu.tlvs, Tag.SAR_TOTAL_SEGMENTS) or 1
    part = tlv_number(pdu.tlvs, Tag.SAR_SEGMENT_SEQNUM) or 1
    if 1 < total <= _MOST_PARTS and part <= total:
        return udh.Concatenation((tlv_number(pdu.tlvs, Tag.SAR_MSG_REF_NUM) or 0) & 0xFFFF, total, part), content
    return _ALONE, content
