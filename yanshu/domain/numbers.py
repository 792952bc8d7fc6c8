"""Numbers: what is known of a phone number."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Operator(StrEnum):
    """Who owns a mainland number range."""

    CMCC = "cmcc"
    CUCC = "cucc"
    CTCC = "ctcc"
    CBN = "cbn"


class Source(StrEnum):
    """Where it is known from who serves a number, the surest last."""

    PREFIX = "prefix"  # its range: a guess, since numbers move between operators
    LEARNED = "learned"  # receipts
    LOOKUP = "lookup"  # somebody who keeps a register was asked


class NumberFacts(Struct, frozen=True, kw_only=True):
    """What routing and people may know of a number (E.164).

    `operator` is the likeliest one now and None abroad or when nobody knows; `original_operator` is the owner of its range;
    `kind` is mobile, virtual, data, iot, satellite or unknown; `source` says where `operator` is from, and `checked_at` when it was
    learned. A number that is dead since `dead_since` gets one message after `probe_at`, to see whether it still is.
    """

    number: str
    country: str
    operator: Operator | None = None
    original_operator: Operator | None = None
    kind: str = "unknown"
    source: Source = Source.PREFIX
    checked_at: datetime | None = None
    dead_since: datetime | None = None
    probe_at: datetime | None = None

    @property
    def ported(self) -> bool:
        """Whether it is served by another than the owner of its range."""
        return self.original_operator is not None and self.operator is not self.original_operator
