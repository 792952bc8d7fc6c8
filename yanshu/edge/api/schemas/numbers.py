"""Shapes of numbers."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from yanshu.domain.lessons import Lesson
from yanshu.domain.numbers import NumberFacts


class StrikeOut(Struct, kw_only=True):
    """One message that found nobody: what its receipt meant, and the carrier's code."""

    at: datetime
    outcome: str
    code: str


class NumberOut(Struct, kw_only=True):
    """What is known of a number. `source` says where the operator is from; `original_operator` owns its range.

    `confidence` is in percent, and null for what the range says. A dead number gets no notices and no marketing until `probe_at`.
    """

    number: str
    object: Literal["number"] = "number"
    country: str
    operator: str | None
    original_operator: str | None
    kind: str
    ported: bool
    source: str
    confidence: int | None
    moved_from: list[str]
    checked_at: datetime | None
    strikes: list[StrikeOut]
    dead_since: datetime | None
    probe_at: datetime | None


def show_number(facts: NumberFacts, lesson: Lesson | None) -> NumberOut:
    """Return a number as the API shows it; the messages behind a lesson may be those of other workspaces and are not named."""
    is_learned = lesson is not None and facts.checked_at is not None
    return NumberOut(
        number=facts.number,
        country=facts.country,
        operator=facts.operator,
        original_operator=facts.original_operator,
        kind=facts.kind,
        ported=facts.ported,
        source=facts.source,
        confidence=lesson.confidence if lesson and is_learned else None,
        moved_from=list(lesson.moved_from) if lesson else [],
        checked_at=facts.checked_at,
        strikes=[StrikeOut(at=each.at, outcome=each.outcome, code=each.code) for each in lesson.strikes] if lesson else [],
        dead_since=facts.dead_since,
        probe_at=facts.probe_at,
    )
