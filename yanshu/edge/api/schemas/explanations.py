"""Shapes of an explanation: the story of one message in sentences, and the data behind them."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from yanshu.domain.health import Admission
from yanshu.domain.messages import Status
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass, Owner
from yanshu.domain.submissions import SubmissionStatus
from yanshu.edge.api.schemas.messages import ReasonOut
from yanshu.edge.api.schemas.money import MoneyIO
from yanshu.rules.routing.codes import Grounds


class StandingOut(Struct):
    """How a connector does of late with such numbers: what is left of its weight, and whether it gets all, one probe or none at first."""

    weight_percent: int
    admits: Admission


class CandidateOut(Struct, kw_only=True):
    """A connector of a route that matches: where it stands today, or in `why` the reason when it may not be used.

    `place` counts from 1; those of one place share the messages, and `share` is the part in a hundred that each gets first.
    `price` is for a segment.
    """

    connector: str
    name: str
    route: str
    usable: bool
    why: str | None
    priority: int
    weight: int
    place: int | None
    share: float | None
    health: StandingOut
    price: MoneyIO | None


class ExplainedOut(Struct, kw_only=True):
    """A connector beside the message's own order: `place` is its place there, fixed when it was accepted; the rest is as of today.

    One that no route leads to any more has a place, and nothing else.
    """

    connector: str
    name: str
    route: str | None
    usable: bool
    why: str | None
    priority: int | None
    weight: int | None
    place: int | None
    share: float | None
    health: StandingOut | None
    price: MoneyIO | None
    chosen: bool


class AttemptReceiptOut(Struct):
    """The carrier's report in its own words."""

    stat: str
    err: str | None
    at: datetime | None


class MeaningOut(Struct, kw_only=True):
    """What the carrier's last word means. `grounds` says how that is known; without `owner` nobody must act."""

    outcome: OutcomeClass = field(name="class")
    grounds: Grounds
    owner: Owner | None
    advice: str


class AttemptOut(Struct, kw_only=True):
    """One attempt at one segment: `code` is of the answer, `meaning` of the receipt or, where there is none, of a refusal."""

    attempt: int
    segment: int
    connector: str
    status: SubmissionStatus
    carrier_message_id: str | None
    code: str | None
    answered_at: datetime
    receipt: AttemptReceiptOut | None
    meaning: MeaningOut | None


class StepOut(Struct):
    """One event of the message."""

    id: str
    type: str
    at: datetime
    data: dict[str, Any]


class ExplanationOut(Struct, kw_only=True):
    """Why a message is where it is: sentences for people, then the data."""

    object: Literal["explanation"] = "explanation"
    message: str
    status: Status
    country: str | None
    operator: Operator | None
    operator_source: str | None
    sentences: list[str]
    candidates: list[ExplainedOut]
    attempts: list[AttemptOut]
    events: list[StepOut]
    reason: ReasonOut | None
