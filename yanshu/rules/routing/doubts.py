"""Doubts: receipts that are better than phones can be come from somebody who makes them up."""

from yanshu.domain.health import RECEIPT_WAITS, Tally
from yanshu.rules.routing.tallies import quantile

# Of so many texts some go to phones that are off or gone, and of those that are on some answer after more than a second.
ENOUGH = 500
_SHARE = 0.95
_AT_ONCE_SECONDS = RECEIPT_WAITS[0]


def is_too_good(tally: Tally) -> bool:
    """Whether every one of many receipts is good, and nearly all of them came at once."""
    if tally.counts.delivered < ENOUGH or tally.counts.failed:
        return False
    within = quantile(tally.receipt_waits, RECEIPT_WAITS, _SHARE)
    return within is not None and within <= _AT_ONCE_SECONDS
