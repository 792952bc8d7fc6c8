"""Lessons: what was learned about a single number, beyond what its range says: who serves it now, and whether anybody does."""

from datetime import datetime

from msgspec import Struct

from yanshu.domain.numbers import Operator, Source
from yanshu.domain.outcomes import OutcomeClass


class Heard(Struct, frozen=True, kw_only=True):
    """What became of a message to `number` over one connector.

    `owner` is who owns the number's range; `serves` the one operator that the connector is for, None when it is for several or
    nobody knows. `code` is the carrier's own.
    """

    number: str
    owner: Operator | None
    serves: Operator | None
    outcome: OutcomeClass
    code: str
    message_id: str
    at: datetime


class Strike(Struct, frozen=True):
    """One message that found nobody: what its receipt meant, and its code."""

    at: datetime
    outcome: OutcomeClass
    code: str
    message_id: str


class Lesson(Struct, frozen=True, kw_only=True):
    """What was learned about a number (E.164); what is not known is None or empty.

    `operator` serves it, to so many percent `confidence`, as `source` says (`learned` from receipts, or `lookup`) on the `evidence`
    of a message or of the lookup's name, and is believed until `trusted_until`. `moved_from` are those who said that the number has
    left them. It is dead since `dead_since`, on the evidence of `strikes`; the next message after `probe_at` is let through to see
    whether it still is. After `expires_at` nothing of it is worth keeping.
    """

    number: str
    updated_at: datetime
    expires_at: datetime
    operator: Operator | None = None
    source: Source | None = None
    confidence: int = 0
    evidence: str | None = None
    learned_at: datetime | None = None
    trusted_until: datetime | None = None
    moved_from: tuple[Operator, ...] = ()
    strikes: tuple[Strike, ...] = ()
    dead_since: datetime | None = None
    probe_at: datetime | None = None
