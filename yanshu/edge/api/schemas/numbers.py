"""Shapes of numbers."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from yanshu.domain.numbers import NumberFacts


class NumberOut(Struct, kw_only=True):
    """What is known of a number. `source` says where the answer is from; `original_operator` owns its range."""

    number: str
    object: Literal["number"] = "number"
    country: str
    operator: str | None
    original_operator: str | None
    kind: str
    ported: bool
    source: str
    checked_at: datetime | None


def show_number(facts: NumberFacts) -> NumberOut:
    """Return a number as the API shows it."""
    return NumberOut(**{name: getattr(facts, name) for name in NumberOut.__struct_fields__ if name != "object"})
