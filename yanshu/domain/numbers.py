"""Numbers: what is known of a phone number, and what the outcomes of messages teach about it."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.outcomes import OutcomeClass


class Operator(StrEnum):
    """Who owns a mainland number range."""

    CMCC = "cmcc"
    CUCC = "cucc"
    CTCC = "ctcc"
    CBN = "cbn"


class NumberFacts(Struct, frozen=True, kw_only=True):
    """What routing and people may know of a number (E.164).

    `operator` is the likeliest one now and None abroad or when nobody knows; `original_operator` is the owner of its range;
    `kind` is mobile, virtual, data, iot, satellite or unknown; `source` says where `operator` is from: prefix, learned or lookup.
    `dead_until` is set while the number gets nothing because it proved dead, `dead_because` says of which class.
    """

    number: str
    country: str
    operator: Operator | None = None
    original_operator: Operator | None = None
    kind: str = "unknown"
    ported: bool = False
    source: str = "prefix"
    checked_at: datetime | None = None
    dead_until: datetime | None = None
    dead_because: OutcomeClass | None = None


class Lesson(Struct, frozen=True, kw_only=True):
    """One final outcome, and what may be learned from it: `served` are the operators that the connector reaches (empty: all)."""

    number: str
    outcome: OutcomeClass
    served: tuple[Operator, ...]
    at: datetime
