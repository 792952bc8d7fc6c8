"""Resend: what follows when an attempt has failed for certain: another one, where and when; or none, and why. Pure.

The table by class and lane is `domain.retries`; here stand the bounds that hold for all of it (china-sms.md §5.4): validity,
the number of attempts, another connector, and proof. Without proof that nothing arrived, only a message that accepts the risk
is sent again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta, timezone
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from msgspec import Struct

from yanshu.domain.lanes import MAX_ATTEMPTS, Lane
from yanshu.domain.messages import Message, Risk
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.retries import Retry, RetryWay, retry_of
from yanshu.domain.submissions import Submission, SubmissionStatus

# A limit of so many a minute or an hour is over then; one of a day is beyond the validity of nearly everything.
_LIMIT_PASSES = timedelta(hours=1)
# Hours are those of mainland China, whose operators alone have such codes: the narrowest common window begins at 8.
_CHINA = timezone(timedelta(hours=8))
_WINDOW_OPENS = time(8, tzinfo=_CHINA)
_ENDS = frozenset({RetryWay.NEVER, RetryWay.CHANGED, RetryWay.FILED, RetryWay.WAIT})
# The slower, the higher. Two ways of one pace are one plan: an attempt that failed as either has used one of its tries.
_PACES: dict[RetryWay, int] = {
    RetryWay.ELSEWHERE: 0,
    RetryWay.OTHER_OPERATOR: 0,
    RetryWay.LATER: 1,
    RetryWay.NEXT_WINDOW: 2,
    **dict.fromkeys(_ENDS, 3),
}
# How little hope a class leaves in a lane: the slower way first, then the fewer tries.
_HOPELESS: dict[tuple[OutcomeClass, Lane], tuple[int, int]] = {
    (outcome, lane): (_PACES[retry_of(outcome, lane).way], -retry_of(outcome, lane).tries) for outcome in OutcomeClass for lane in Lane
}


class Enough(StrEnum):
    """Why there is no other attempt."""

    CLASS = "class"  # another attempt would end alike
    UNPROVEN = "unproven"
    PARTLY_DELIVERED = "partly_delivered"
    TRIES = "tries_used"  # of this class in this lane
    ATTEMPTS = "attempts_used"  # of this lane in all
    TOO_LATE = "too_late"
    NO_CONNECTOR = "no_other_connector"


class Again(Struct, frozen=True):
    """Another attempt `at` a time that may be now; `is_risky`: the person may get it twice."""

    connector_id: str | None
    at: datetime
    is_risky: bool = False


def _fits(_: str) -> int:
    return 0


class Reach(NamedTuple):
    """What is known, beside its ranking, of where a message can go.

    `moved_to` are the connectors of the operators that its number may have moved to, likeliest first. `fitness` is 0 for a
    connector that works, more for one that had better be the last resort, None for one over which nothing may be sent.
    """

    moved_to: Sequence[str] = ()
    fitness: Callable[[str], int | None] = _fits


ANYWHERE = Reach()


def decisive(rows: Iterable[Submission], lane: Lane) -> OutcomeClass:
    """Return the class that decides an attempt: that of the segment that leaves the least hope."""
    outcomes = {row.outcome for row in rows if row.outcome is not None}
    if len(outcomes) > 1:
        return max(sorted(outcomes), key=lambda outcome: _HOPELESS[outcome, lane])
    return outcomes.pop() if outcomes else OutcomeClass.UNKNOWN


def after_receipts(message: Message, submissions: Sequence[Submission], now: datetime, reach: Reach = ANYWHERE) -> Again | Enough:
    """Decide when every segment of the present attempt has its last word and not all of them are delivered."""
    attempts = _by_attempt(submissions)
    rows = attempts[message.attempts]
    risk = _risk(rows)
    if risk is not None and message.risk is not Risk.BEST_EFFORT:
        return risk
    reported = [attempt for attempt in attempts.values() if any(row.receipt_status is not None for row in attempt)]
    outcome = decisive(rows, message.lane)
    when = _when(message, outcome, reported, now)
    if isinstance(when, Enough):
        return when
    if when > now:
        return Again(message.connector_id, when, risk is not None)
    elsewhere = reach.moved_to if retry_of(outcome, message.lane).way is RetryWay.OTHER_OPERATOR else ()
    following = _first((*elsewhere, *message.candidates), reach, submissions)
    return Enough.NO_CONNECTOR if following is None else Again(following, now, risk is not None)


def after_refusal(
    message: Message, submissions: Sequence[Submission], now: datetime, pause: timedelta | None, reach: Reach = ANYWHERE
) -> Again | Enough:
    """Decide when no segment of the present attempt was taken.

    Nothing is on its way and hardly any time is lost, so the plan for reported failures does not bind: candidates are tried in
    their order while attempts are left. After the last one a passing fault waits for `pause` (None: it is no passing fault).
    """
    attempts = _by_attempt(submissions)
    outcome = decisive(attempts[message.attempts], message.lane)
    retry = retry_of(outcome, message.lane)
    if retry.way in _ENDS or retry.way is RetryWay.LATER:
        when = _when(message, outcome, list(attempts.values()), now)
        return when if isinstance(when, Enough) else Again(message.connector_id, when)
    if message.attempts >= MAX_ATTEMPTS[message.lane]:
        return Enough.ATTEMPTS
    if message.expires_at <= now:
        return Enough.TOO_LATE
    following = _first(reach.moved_to, reach, submissions) if retry.way is RetryWay.OTHER_OPERATOR else None
    following = following or _first(candidates_after(message), reach)
    if following is not None:
        return Again(following, now)
    if pause is None:
        return Enough.NO_CONNECTOR
    # One that is no candidate was chosen since its operator has the number: beginning anew would lead back to the others.
    anew = _first(message.candidates, reach) if message.connector_id in message.candidates else None
    return Again(anew or message.connector_id, now + pause)


def _first(connectors: Iterable[str], reach: Reach, tried: Sequence[Submission] = ()) -> str | None:
    """Return the first of the fittest connectors that were not tried, or None when nothing may be sent over any."""
    used = {row.connector_id for row in tried}
    fit = [(fitness, ident) for ident in connectors if ident not in used and (fitness := reach.fitness(ident)) is not None]
    return min(fit, key=itemgetter(0))[1] if fit else None


def next_candidate(message: Message) -> str | None:
    """Return the connector after the present one in the message's ranking, or None when it was the last."""
    return next(iter(candidates_after(message)), None)


def candidates_after(message: Message) -> Sequence[str]:
    """Return the connectors after the present one in the message's ranking."""
    candidates = message.candidates
    return candidates[candidates.index(message.connector_id) + 1 :] if message.connector_id in candidates else ()


def _risk(rows: Sequence[Submission]) -> Enough | None:
    """Return what forbids another attempt unless the message accepts to arrive twice."""
    statuses = {row.status for row in rows}
    if SubmissionStatus.DELIVERED in statuses:
        return Enough.PARTLY_DELIVERED
    return Enough.UNPROVEN if SubmissionStatus.UNCLEAR in statuses else None


def _when(message: Message, outcome: OutcomeClass, attempts: Sequence[Sequence[Submission]], now: datetime) -> datetime | Enough:
    """Follow the table: the time of another attempt, or why there is none; `attempts` are those that count, with the present one."""
    lane = message.lane
    retry = retry_of(outcome, lane)
    if retry.way in _ENDS:
        return Enough.CLASS
    if message.attempts >= MAX_ATTEMPTS[lane]:
        return Enough.ATTEMPTS
    pace = _PACES[retry.way]
    used = sum(_PACES[retry_of(decisive(rows, lane), lane).way] == pace for rows in attempts)
    if used > retry.tries:
        return Enough.TRIES
    at = _at(retry, outcome, used, now)
    is_stale = retry.too_old_after is not None and now - (message.send_at or message.created_at) > retry.too_old_after
    return Enough.TOO_LATE if is_stale or at >= message.expires_at else at


def _at(retry: Retry, outcome: OutcomeClass, used: int, now: datetime) -> datetime:
    """Return when the way allows another attempt, the `used`-th of its tries."""
    if retry.way is RetryWay.LATER:
        return now + retry.delays[used - 1]
    if retry.way is not RetryWay.NEXT_WINDOW:
        return now
    if outcome is OutcomeClass.FREQUENCY:
        return now + _LIMIT_PASSES
    opens = datetime.combine(now.astimezone(_CHINA), _WINDOW_OPENS)
    return (opens if opens > now else opens + timedelta(days=1)).astimezone(UTC)


def _by_attempt(submissions: Sequence[Submission]) -> dict[int, list[Submission]]:
    """Return the submissions of each attempt."""
    attempts: dict[int, list[Submission]] = defaultdict(list)
    for submission in submissions:
        attempts[submission.attempt].append(submission)
    return attempts
