"""Health: what the counts of a connector make of its weight and its breaker. Pure: counts, links and the time in, moves out.

```
             most of it fails, or no link works
   closed ────────────────────────────────────────▶ open ◀──────┐
     ▲                                                │          │ a probe fails,
     │ probes succeed                 time, or a link │          │ or the link goes
     │                                                ▼          │
     └────────────────────────────────────────── half open ──────┘
```
While it is closed the weight falls by steps, for bursts of errors and slow receipts, and returns by steps when all is quiet.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.health import FULL_WEIGHT, Breaker, Cause, Condition, Move
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.limits import Limits, Rule
from yanshu.rules.routing.tallies import Row, sums

# The two things that may fail: what is judged, and what of it is bad.
_MEASURES = ((Cause.ANSWER_ERRORS, "answers", "answer_errors"), (Cause.RECEIPT_ERRORS, "receipts", "receipt_errors"))


class Fault(Struct, frozen=True):
    """What is wrong, in figures: `bad` of `sample` in the last `seconds`."""

    cause: Cause
    seconds: int
    sample: int
    bad: int

    @property
    def figures(self) -> dict[str, int]:
        """For the event."""
        return {"window_seconds": self.seconds, "sample": self.sample, "bad": self.bad, "percent": round(100 * self.bad / self.sample)}


class Moved(Struct, frozen=True):
    """A condition that changes. `move` None: it is only remembered, and nobody need hear of it."""

    move: Move | None
    before: Condition
    after: Condition
    cause: Cause
    figures: dict[str, int]


class Links(NamedTuple):
    """Whether a link works now, and whether none has for so long that nobody should wait for one."""

    is_up: bool = True
    is_cut: bool = False


class Seen(NamedTuple):
    """What speaks for and against a condition: its buckets, what is wrong (`fatal`: enough to stop it), the links of its connector."""

    rows: Sequence[Row]
    fault: Fault | None
    fatal: Fault | None
    links: Links


class Watch(NamedTuple):
    """What is known of a connector now: its buckets by operator ("": none, or nobody knows), and its links."""

    rows: Mapping[str, Sequence[Row]]
    links: Links
    now: datetime
    limits: Limits


def judge(kept: Mapping[Operator | None, Condition], watch: Watch) -> list[Moved]:
    """Return what moves of a connector: as a whole (None, always there) and with each operator.

    A fault that shows with the numbers of one operator, while those of another do well, is held against that pair alone;
    any other is held against the connector, once.
    """
    seen = {operator: _see(kept, operator, watch) for operator in kept}
    pairs = [one for operator, one in seen.items() if operator is not None]
    is_spared = any(one.fault for one in pairs) and any(one.fault is None and _tells(one.rows, watch) for one in pairs)
    is_whole = seen[None].fault is not None and not is_spared
    found = []
    for operator, condition in kept.items():
        one = seen[operator]
        if (operator is None) is not is_whole:
            one = one._replace(fault=None, fatal=None)
        if (moved := _step(condition, one, watch)) is not None:
            found.append(moved)
    return found


def _step(condition: Condition, seen: Seen, watch: Watch) -> Moved | None:
    """Take one step of one condition. What lies in the future is from before the clock was set back: it counts from now on."""
    settled = _settled(condition, watch.now, watch.limits)
    if settled != condition:
        return _moved(None, settled, Cause.TIME, {})
    return _JUDGES[condition.breaker](condition, seen, watch.now, watch.limits)


def probe(condition: Condition, now: datetime, limits: Limits) -> Condition | None:
    """Return what becomes of a half-open breaker that lets a probe through now; None when the last one is too recent.

    Who stores it, against its version, has leave to send one message.
    """
    if condition.breaker is not Breaker.HALF_OPEN or now - condition.probe_at < timedelta(seconds=limits.probe_seconds):
        return None
    return replace(condition, probe_at=now, version=condition.version + 1)


def _settled(condition: Condition, now: datetime, limits: Limits) -> Condition:
    """Return the condition with no moment in the future, but for the trial of an open breaker."""
    furthest = now + timedelta(seconds=limits.open_most_seconds + limits.bucket_seconds)
    return replace(
        condition,
        moved_at=min(condition.moved_at, now),
        trial_at=min(condition.trial_at, furthest if condition.breaker is Breaker.OPEN else now),
        probe_at=min(condition.probe_at, now),
    )


# --- what the counts say ---


def _see(kept: Mapping[Operator | None, Condition], operator: Operator | None, watch: Watch) -> Seen:
    """Gather what is known of one condition: what happened since its last trial, and since that of its connector."""
    since = {name: _bucket_of(condition.trial_at, watch.limits) for name, condition in kept.items()}
    if operator is None:
        # What has been held against a pair is not held against the connector again.
        mine = [row for name, rows in watch.rows.items() for row in rows if row[0] >= since.get(_operator(name), 0)]
        links = watch.links
    else:
        mine, links = list(watch.rows.get(operator, ())), Links()
    begins = max(since[operator], since[None])
    fatal = fault = None
    if any(counts.answer_errors or counts.receipt_errors for _, counts in mine):  # else nothing of it need be added up
        fatal = _failing(mine, watch.limits.breaks, begins, watch.now)
        fault = fatal or _failing(mine, watch.limits.bursts, begins, watch.now)
    if fault is None and kept[None].reports:
        fault = _late(mine, watch.now, watch.limits)
    return Seen(mine, fault, fatal, links)


def _operator(name: str) -> Operator | None:
    return Operator(name) if name else None


def _bucket_of(moment: datetime, limits: Limits) -> float:
    """Return the first second of the bucket that a moment lies in: what happened in it counts."""
    second = moment.timestamp()
    return second - second % limits.bucket_seconds


def _failing(rows: Sequence[Row], rules: Sequence[Rule], since: float, now: datetime) -> Fault | None:
    """Return the first rule that is broken by what happened in its time, and since then."""
    at = now.timestamp()
    for rule in rules:
        for cause, judged, failed in _MEASURES:
            sample, bad = sums(rows, max(at - rule.seconds, since), at, judged, failed)
            if sample >= rule.sample and bad >= max(rule.least, rule.share * sample):
                return Fault(cause, rule.seconds, sample, bad)
    return None


def _late(rows: Sequence[Row], now: datetime, limits: Limits) -> Fault | None:
    """Return the rule that is broken by receipts that were late, or have not come although they would be late by now."""
    at = now.timestamp()
    for cause, owed, prompt, rule in (
        (Cause.SLOW_RECEIPTS, "owed", "prompt", limits.slow),
        (Cause.SLOW_OTP_RECEIPTS, "owed_otp", "prompt_otp", limits.slow_otp),
    ):
        sample, paid = sums(rows, at - rule.seconds, at - rule.after - limits.bucket_seconds, owed, prompt)
        bad = sample - paid
        if sample >= rule.sample and bad >= rule.share * sample:
            return Fault(cause, rule.seconds, sample, bad)
    return None


def _tells(rows: Sequence[Row], watch: Watch) -> bool:
    """Whether there was enough of late to say that all is well."""
    at = watch.now.timestamp()
    answers, _ = sums(rows, at - watch.limits.break_seconds, at, "answers", "answer_errors")
    return answers >= watch.limits.break_sample


# --- what follows ---


def _closed(condition: Condition, seen: Seen, now: datetime, limits: Limits) -> Moved | None:
    """Stop, lose weight, or get some back."""
    if seen.links.is_cut:
        return _open(condition, Cause.NO_LINK, {}, now, limits)
    if seen.fatal is not None:
        return _open(condition, seen.fatal.cause, seen.fatal.figures, now, limits)
    if seen.fault is not None:
        return _lighten(condition, seen.fault, now, limits)
    if condition.weight_percent < FULL_WEIGHT and now - condition.moved_at >= timedelta(seconds=limits.return_seconds):
        weight = min(FULL_WEIGHT, condition.weight_percent + limits.step_points)
        move = Move.RECOVERED if weight == FULL_WEIGHT else Move.RECOVERING
        return _moved(move, condition, Cause.TIME, {}, weight_percent=weight, moved_at=now, trips=0)
    if condition.operator is None and not condition.reports and any(counts.receipts for _, counts in seen.rows):
        return _moved(None, condition, Cause.TIME, {}, reports=True)
    return None


def _lighten(condition: Condition, fault: Fault, now: datetime, limits: Limits) -> Moved | None:
    """Take a step down, unless the last was just now; at the floor only remember that it is still not well."""
    pause = limits.burst_pause_seconds if fault.cause in {Cause.ANSWER_ERRORS, Cause.RECEIPT_ERRORS} else limits.slow_pause_seconds
    if now - condition.moved_at < timedelta(seconds=pause):
        return None
    weight = max(min(limits.floor_points, condition.weight_percent), condition.weight_percent - limits.step_points)
    move = Move.DEGRADED if weight < condition.weight_percent else None
    return _moved(move, condition, fault.cause, fault.figures, weight_percent=weight, moved_at=now)


def _open(condition: Condition, cause: Cause, figures: dict[str, int], now: datetime, limits: Limits) -> Moved:
    """Let nothing through. A lost link says nothing about what it carried; errors cost all the weight that moves may take."""
    if cause is Cause.NO_LINK:
        return _moved(Move.BREAKER_OPENED, condition, cause, figures, breaker=Breaker.OPEN, cause=cause, moved_at=now, trial_at=now)
    wait = min(limits.open_seconds * 2**condition.trips, limits.open_most_seconds)
    trial = now.timestamp() + wait
    return _moved(
        Move.BREAKER_OPENED,
        condition,
        cause,
        {**figures, "open_seconds": wait},
        breaker=Breaker.OPEN,
        cause=cause,
        weight_percent=min(limits.floor_points, condition.weight_percent),
        moved_at=now,
        # At the beginning of a bucket: what failed before the trial must not count in it.
        trial_at=now + timedelta(seconds=wait + -trial % limits.bucket_seconds),
        trips=min(condition.trips + 1, _MOST_TRIPS),
    )


def _opened(condition: Condition, seen: Seen, now: datetime, _: Limits) -> Moved | None:
    """Try it when a link works again, or when it has been open long enough."""
    is_due = seen.links.is_up if condition.cause is Cause.NO_LINK else now >= condition.trial_at and not seen.links.is_cut
    if not is_due:
        return None
    cause = Cause.LINKED if condition.cause is Cause.NO_LINK else Cause.TIME
    return _moved(Move.BREAKER_HALF_OPENED, condition, cause, {}, breaker=Breaker.HALF_OPEN, moved_at=now, trial_at=now)


def _half_open(condition: Condition, seen: Seen, now: datetime, limits: Limits) -> Moved | None:
    """Close it or open it again by what became of the probes, and of whatever else had no other way."""
    if seen.links.is_cut:
        return _open(condition, Cause.NO_LINK, {}, now, limits)
    cause, judged, failed = _MEASURES[condition.cause is Cause.RECEIPT_ERRORS]
    sample, bad = sums(seen.rows, _bucket_of(condition.trial_at, limits), now.timestamp(), judged, failed)
    figures = {"sample": sample, "bad": bad}
    if bad and bad >= limits.break_share * sample:
        return _open(condition, cause, figures, now, limits)
    if sample - bad < limits.probes:
        return None
    return _moved(Move.BREAKER_CLOSED, condition, Cause.PROBES, figures, breaker=Breaker.CLOSED, moved_at=now)


# Twice the time each time it opens again; beyond this many times the limit has long been reached.
_MOST_TRIPS = 16
_JUDGES: dict[Breaker, Callable[[Condition, Seen, datetime, Limits], Moved | None]] = {
    Breaker.CLOSED: _closed,
    Breaker.OPEN: _opened,
    Breaker.HALF_OPEN: _half_open,
}


def _moved(move: Move | None, before: Condition, why: Cause, figures: dict[str, int], **changes: object) -> Moved:
    """Return a change, one version further."""
    return Moved(move, before, replace(before, version=before.version + 1, **changes), why, figures)
