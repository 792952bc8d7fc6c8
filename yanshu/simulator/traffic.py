"""What goes through a simulated carrier: segments submitted to it, and what it delivers."""

from msgspec import Struct

RECEIPT_CLASS = 0x04
UDH_CLASS = 0x40


class Segment(Struct, frozen=True, gc=False):
    """One submit_sm, with what joins it to its siblings taken out of its header, SAR TLVs or message_payload.

    `payload` is the text alone, in `data_coding`; `part` is 1-based; `at` is wall time in epoch seconds.
    `user_reference` is the sender's own mark (TLV user_message_reference), repeated in receipts.
    """

    source: str
    destination: str
    data_coding: int
    payload: bytes
    wants_receipt: bool
    at: float
    reference: int = 0
    part: int = 1
    parts: int = 1
    user_reference: int | None = None


class Delivery(Struct):
    """One deliver_sm on its way to the client: a receipt or a part of an inbound text. `tries` counts its sendings."""

    source: str
    destination: str
    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: tuple[tuple[int, bytes], ...] = ()
    tries: int = 0

    @property
    def is_receipt(self) -> bool:
        """Whether it reports on a submit."""
        return self.esm_class & RECEIPT_CLASS != 0


class Tally(Struct):
    """Counters of one account."""

    binds: int = 0
    refused_binds: int = 0
    submits: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    unanswered: int = 0
    receipts: int = 0
    lost_receipts: int = 0
    inbounds: int = 0
    acknowledged: int = 0
    resent: int = 0
    cut: int = 0
