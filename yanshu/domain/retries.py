"""Retries: whether and how a message that did not arrive may be tried again, by class of outcome and lane (china-sms.md §5.4)."""

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.lanes import Lane
from yanshu.domain.outcomes import OutcomeClass


class RetryWay(StrEnum):
    """How it may be tried again."""

    NEVER = "never"
    WAIT = "wait"  # the last word has not been said
    CHANGED = "changed"  # with another text, reviewed anew
    FILED = "filed"  # once the signature is filed
    ELSEWHERE = "elsewhere"  # at once, over another connector
    OTHER_OPERATOR = "other_operator"  # at once, over a connector of the operator the number moved to
    LATER = "later"  # after each of the delays
    NEXT_WINDOW = "next_window"  # when the limit or the hours allow it


class Retry(Struct, frozen=True):
    """One way to try again: at most `tries` times.

    `delays` counts from the failure before, one a try, for `later` alone; `too_old_after` is the age of the message beyond which
    it is too late.
    """

    way: RetryWay
    tries: int = 0
    delays: tuple[timedelta, ...] = ()
    too_old_after: timedelta | None = None


# A code that comes later than this finds the person on the next page, asking for another.
_OTP_AGE = timedelta(seconds=15)
_NEVER = Retry(RetryWay.NEVER)
_SOON = timedelta(minutes=30)
_LATER = Retry(RetryWay.LATER, 2, (_SOON, timedelta(hours=4)))
_LATER_ONCE = Retry(RetryWay.LATER, 1, (_SOON,))


def _at_once(way: RetryWay, tries: int = 3) -> tuple[Retry, Retry, Retry]:
    """Return the row of what another connector may cure; an OTP gets one try while it is fresh."""
    patient = Retry(way, tries)
    return Retry(way, 1, too_old_after=_OTP_AGE), patient, patient


def _always(way: RetryWay, tries: int = 0) -> tuple[Retry, Retry, Retry]:
    """Return a row that is the same in every lane."""
    return (Retry(way, tries),) * 3


# One row a class: otp, notice, marketing.
RETRIES: dict[OutcomeClass, tuple[Retry, Retry, Retry]] = {
    OutcomeClass.DELIVERED: _always(RetryWay.NEVER),
    OutcomeClass.ACCEPTED: _always(RetryWay.WAIT),
    OutcomeClass.INVALID_NUMBER: _always(RetryWay.NEVER),
    OutcomeClass.SUSPENDED: (_NEVER, _LATER_ONCE, _NEVER),
    OutcomeClass.OFF_OR_UNREACHABLE: (_NEVER, _LATER, _NEVER),
    OutcomeClass.DEAD_OR_OFF: (_NEVER, _LATER_ONCE, _NEVER),
    OutcomeClass.HANDSET: (_NEVER, _LATER, _NEVER),
    OutcomeClass.NO_SMS_SERVICE: _always(RetryWay.NEVER),
    OutcomeClass.BLACKLIST: _always(RetryWay.NEVER),
    OutcomeClass.UNSUBSCRIBED: _always(RetryWay.NEVER),
    OutcomeClass.CONTENT_BLOCKED: _always(RetryWay.CHANGED),
    OutcomeClass.SIGNATURE: _always(RetryWay.FILED),
    OutcomeClass.GATEWAY_BLOCKED: _at_once(RetryWay.ELSEWHERE),
    OutcomeClass.FREQUENCY: _always(RetryWay.NEXT_WINDOW, 1),
    OutcomeClass.TIME_WINDOW: _always(RetryWay.NEXT_WINDOW, 1),
    OutcomeClass.PORTED: _at_once(RetryWay.OTHER_OPERATOR),
    OutcomeClass.CARRIER_ERROR: _at_once(RetryWay.ELSEWHERE),
    OutcomeClass.EXPIRED: (_NEVER, _LATER, _NEVER),
    # Contract and settings are of the connector that was refused; another has its own.
    OutcomeClass.NOT_ORDERED: _at_once(RetryWay.ELSEWHERE, tries=1),
    OutcomeClass.PARAM: _at_once(RetryWay.ELSEWHERE, tries=1),
    # Most unknown codes are faults of a gateway, so another connector gets one chance.
    OutcomeClass.UNKNOWN: _at_once(RetryWay.ELSEWHERE, tries=1),
}
_PLACES: dict[Lane, int] = {Lane.OTP: 0, Lane.NOTICE: 1, Lane.MARKETING: 2}


def retry_of(outcome: OutcomeClass, lane: Lane) -> Retry:
    """Return whether and how a message of this lane may be tried again after such an outcome."""
    return RETRIES[outcome][_PLACES[lane]]
