"""Retries: when a call is made again, and what its answer means for the delivery and the endpoint."""

from datetime import datetime, timedelta
from enum import StrEnum

# API.md §4. The n-th wait follows the n-th failed attempt; after the last wait's attempt the delivery has failed.
PLAN: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
SPREAD = 0.2
# A peer may ask for more patience than the plan has, but not for a delivery to be parked for days.
LONGEST_RETRY_AFTER = timedelta(hours=10)
# API.md §4: an endpoint that only failed for this long is disabled.
FAILING_LIMIT = timedelta(days=1)
_GONE = 410


class Ending(StrEnum):
    """What one attempt means."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GIVEN_UP = "given_up"
    GONE = "gone"


def judge(status: int | None, attempts: int) -> Ending:
    """Return what the answer to attempt number `attempts` (1-based) means; `status` is None when none came."""
    if status is not None and 200 <= status < 300:
        return Ending.DELIVERED
    if status == _GONE:
        return Ending.GONE
    return Ending.RETRY if attempts <= len(PLAN) else Ending.GIVEN_UP


def retry_at(attempts: int, now: datetime, chance: float, retry_after: float | None) -> datetime:
    """Return when to try again after failed attempt number `attempts` (1 to the length of `PLAN`).

    `chance` is uniform in [0, 1) and spreads the wait by ±20 %. A `Retry-After` (seconds) longer than that is honoured
    up to `LONGEST_RETRY_AFTER`; a shorter one does not shorten the plan.
    """
    wait = PLAN[attempts - 1] * (1 - SPREAD + 2 * SPREAD * chance)
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(timedelta(seconds=min(retry_after, 1e6)), LONGEST_RETRY_AFTER))
    return now + wait


def must_disable(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint has failed without a break for too long."""
    return failing_since is not None and now - failing_since >= FAILING_LIMIT
