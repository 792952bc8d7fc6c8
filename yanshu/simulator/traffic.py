"""What goes through a simulated carrier, whatever it speaks: segments submitted to it, and what it delivers."""

from typing import Any, Literal

from msgspec import Struct

from yanshu.simulator.script import Report

Encoding = Literal["gsm7", "latin1", "ucs2", "gbk"]


class Segment(Struct, frozen=True, gc=False):
    """One submit, with what joins it to its siblings taken out of its header or fields.

    `payload` is the text alone, in `encoding`; `part` is 1-based; `at` is wall time in epoch seconds.
    `user_reference` is the sender's own mark (SMPP's user_message_reference, SGIP's sequence), repeated in receipts.
    """

    source: str
    destination: str
    encoding: Encoding
    payload: bytes
    wants_receipt: bool
    at: float
    reference: int = 0
    part: int = 1
    parts: int = 1
    user_reference: int | None = None


class Receipt(Struct):
    """What became of a segment, on its way to the client. `number` is the carrier's for it, `at` when that was (epoch seconds).

    `tries` counts its sendings; `mark` is what the protocol remembers of the first one. `is_stray`: nobody was given this number.
    """

    segment: Segment
    number: int
    report: Report
    at: float
    is_stray: bool = False
    tries: int = 0
    mark: Any = None


class Inbound(Struct):
    """One part of a text that a phone sends, on its way to the client; `octets` are in `encoding`, `tries` and `mark` as in `Receipt`."""

    source: str
    destination: str
    encoding: Encoding
    octets: bytes
    reference: int = 0
    part: int = 1
    parts: int = 1
    tries: int = 0
    mark: Any = None


Delivery = Receipt | Inbound


class Tally(Struct):
    """Counters of one account; calls are connections that the carrier opens."""

    binds: int = 0
    refused_binds: int = 0
    calls: int = 0
    failed_calls: int = 0
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
