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


class NumberFacts(Struct, frozen=True, kw_only=True):
    """What routing and people may know of a number (E.164).

    `operator` is the likeliest one now and None abroad or when nobody knows; `original_operator` is the owner of its range;
    `kind` is mobile, virtual, data, iot, satellite or unknown; `source` says where the answer is from.
    """

    number: str
    country: str
    operator: Operator | None = None
    original_operator: Operator | None = None
    kind: str = "unknown"
    ported: bool = False
    source: str = "prefix"
    checked_at: datetime | None = None
