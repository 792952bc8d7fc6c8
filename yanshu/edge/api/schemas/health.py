"""Shapes of a connector's health."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from yanshu.domain.connectors import LinkReport, LinkState
from yanshu.domain.health import ANSWER_WAITS, RECEIPT_WAITS, Breaker, Cause, Condition, Tally
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.edge.api.schemas.carriers import LinkOut
from yanshu.edge.api.schemas.shown import show_link
from yanshu.rules.routing.tallies import merged, quantile

_BEST = (LinkState.UP, LinkState.THROTTLED, LinkState.DRAINING, LinkState.CONNECTING, LinkState.BLOCKED, LinkState.DOWN)


class WaitsOut(Struct):
    """So many seconds half of them, and 95 of 100, took at most; null when there were none."""

    p50: float | None
    p95: float | None


class FiguresOut(Struct, kw_only=True):
    """What became of the segments submitted, and of those reported, in a time; percentages are null where nothing happened.

    `classes` says of what was refused or not delivered what its code means.
    """

    submitted: int
    accepted: int
    refused: int
    busy: int
    unanswered: int
    delivered: int
    failed: int
    acceptance_percent: float | None
    delivery_percent: float | None
    answer_seconds: WaitsOut
    receipt_seconds: WaitsOut
    classes: dict[OutcomeClass, int]


class ConditionOut(Struct, kw_only=True):
    """Weight and breaker, of a connector or of one with the numbers of an operator (null: of all).

    `weight_percent` is what is left of the resting weight; `cause` is why the breaker opened last.
    """

    operator: Operator | None
    weight_percent: int
    breaker: Breaker
    cause: Cause | None
    moved_at: datetime | None
    last_minute: FiguresOut
    last_quarter_hour: FiguresOut


class HealthOut(Struct, kw_only=True):
    """Links of a connector and what waits for it; how it does, as a whole and by operator. `state` is the best of its links'."""

    object: Literal["connector_health"] = "connector_health"
    connector: str
    state: LinkState
    links: list[LinkOut]
    queued: dict[str, int]
    whole: ConditionOut
    operators: list[ConditionOut]


class Counted(Struct, frozen=True):
    """What was counted on a connector, by operator (empty: none, or nobody knows)."""

    minute: Mapping[str, Tally]
    quarter_hour: Mapping[str, Tally]


def show_health(
    connector_id: str, reports: Sequence[LinkReport], queued: dict[str, int], kept: Iterable[Condition], counted: Counted
) -> HealthOut:
    """Return all that is known of how a connector does."""
    conditions = {condition.operator: condition for condition in kept if condition.connector_id == connector_id}
    known = {operator for operator in conditions if operator} | {Operator(name) for name in counted.quarter_hour if name}
    return HealthOut(
        connector=connector_id,
        state=min((report.state for report in reports), key=_BEST.index, default=LinkState.DOWN),
        links=[show_link(report) for report in reports],
        queued=queued,
        whole=_condition(
            conditions.get(None) or Condition(connector_id=connector_id),
            merged(counted.minute.values()),
            merged(counted.quarter_hour.values()),
        ),
        operators=[
            _condition(
                conditions.get(operator) or Condition(connector_id=connector_id, operator=operator),
                counted.minute.get(operator) or Tally(),
                counted.quarter_hour.get(operator) or Tally(),
            )
            for operator in sorted(known)
        ],
    )


def _condition(condition: Condition, minute: Tally, quarter_hour: Tally) -> ConditionOut:
    return ConditionOut(
        operator=condition.operator,
        weight_percent=condition.weight_percent,
        breaker=condition.breaker,
        cause=condition.cause,
        moved_at=condition.moved_at if condition.version else None,
        last_minute=_figures(minute),
        last_quarter_hour=_figures(quarter_hour),
    )


def _figures(tally: Tally) -> FiguresOut:
    counts = tally.counts
    submitted = counts.accepted + counts.refused + counts.busy + counts.unanswered
    reported = counts.delivered + counts.failed
    return FiguresOut(
        submitted=submitted,
        accepted=counts.accepted,
        refused=counts.refused,
        busy=counts.busy,
        unanswered=counts.unanswered,
        delivered=counts.delivered,
        failed=counts.failed,
        acceptance_percent=_percent(counts.accepted, submitted),
        delivery_percent=_percent(counts.delivered, reported),
        answer_seconds=WaitsOut(*(quantile(tally.answer_waits, ANSWER_WAITS, share) for share in (0.5, 0.95))),
        receipt_seconds=WaitsOut(*(quantile(tally.receipt_waits, RECEIPT_WAITS, share) for share in (0.5, 0.95))),
        classes=dict(sorted(tally.classes.items())),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
