"""Verdicts: what a compliance rule says of a draft."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding
from yanshu.domain.numbers import NumberFacts


class Outcome(StrEnum):
    """pass, hold or reject."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    HOLD = "hold"
    REJECT = "reject"


class Verdict(Struct, frozen=True):
    """The answer of one rule: its name, what it decided, why (an error code), the field, and what to do about it."""

    rule: str
    outcome: Outcome
    code: str
    param: str
    fix: str
    until: datetime | None = None


class Draft(Struct, frozen=True):
    """A message that is about to be accepted, as far as rules need to see it; `signature` stands in 【】 at the start of the text.

    `facts` are there only when something was learned about the recipient beyond what the number's range tells.
    """

    workspace_id: str
    recipient: str
    text: str
    signature: str
    lane: Lane
    encoding: Encoding
    units: int
    segments: int
    facts: NumberFacts | None = None
