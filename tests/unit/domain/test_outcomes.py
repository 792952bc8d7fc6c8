"""Outcome classes: everybody is told of each, and each says whether to try again."""

from datetime import timedelta

import pytest

from yanshu.domain.lanes import MAX_ATTEMPTS, Lane
from yanshu.domain.outcomes import TOLD, OutcomeClass, Owner
from yanshu.domain.retries import Retry, RetryWay, retry_of

O = OutcomeClass  # noqa: E741 - short for the rows below
W = RetryWay
HALF_HOUR, FOUR_HOURS, FRESH = timedelta(minutes=30), timedelta(hours=4), timedelta(seconds=15)


@pytest.mark.parametrize("outcome", OutcomeClass)
def test_people_are_told_of_every_class_in_both_languages(outcome: OutcomeClass) -> None:
    told = TOLD[outcome]
    assert told.in_language("en-GB").endswith(".")
    assert told.in_language("zh-CN").endswith("。")
    assert (told.owner is None) == (outcome in {O.DELIVERED, O.ACCEPTED}), "who must act is said unless nothing is to be done"


def test_owners_have_names_in_both_languages() -> None:
    assert (Owner.CARRIER.in_language("en"), Owner.CARRIER.in_language("zh")) == ("carrier", "供应商")
    assert len({owner.in_language("zh") for owner in Owner}) == len(Owner)


# china-sms.md §5.4; class, then what is done with otp, notice and marketing.
AGAIN: list[tuple[OutcomeClass, Retry, Retry, Retry]] = [
    (O.CARRIER_ERROR, Retry(W.ELSEWHERE, 1, (), FRESH), Retry(W.ELSEWHERE, 3), Retry(W.ELSEWHERE, 3)),
    (O.GATEWAY_BLOCKED, Retry(W.ELSEWHERE, 1, (), FRESH), Retry(W.ELSEWHERE, 3), Retry(W.ELSEWHERE, 3)),
    (O.PORTED, Retry(W.OTHER_OPERATOR, 1, (), FRESH), Retry(W.OTHER_OPERATOR, 3), Retry(W.OTHER_OPERATOR, 3)),
    (O.UNKNOWN, Retry(W.ELSEWHERE, 1, (), FRESH), Retry(W.ELSEWHERE, 1), Retry(W.ELSEWHERE, 1)),
    (O.OFF_OR_UNREACHABLE, Retry(W.NEVER), Retry(W.LATER, 2, (HALF_HOUR, FOUR_HOURS)), Retry(W.NEVER)),
    (O.HANDSET, Retry(W.NEVER), Retry(W.LATER, 2, (HALF_HOUR, FOUR_HOURS)), Retry(W.NEVER)),
    (O.EXPIRED, Retry(W.NEVER), Retry(W.LATER, 2, (HALF_HOUR, FOUR_HOURS)), Retry(W.NEVER)),
    (O.SUSPENDED, Retry(W.NEVER), Retry(W.LATER, 1, (HALF_HOUR,)), Retry(W.NEVER)),
    (O.DEAD_OR_OFF, Retry(W.NEVER), Retry(W.LATER, 1, (HALF_HOUR,)), Retry(W.NEVER)),
    (O.INVALID_NUMBER, Retry(W.NEVER), Retry(W.NEVER), Retry(W.NEVER)),
    (O.BLACKLIST, Retry(W.NEVER), Retry(W.NEVER), Retry(W.NEVER)),
    (O.CONTENT_BLOCKED, Retry(W.CHANGED), Retry(W.CHANGED), Retry(W.CHANGED)),
    (O.SIGNATURE, Retry(W.FILED), Retry(W.FILED), Retry(W.FILED)),
    (O.FREQUENCY, Retry(W.NEXT_WINDOW, 1), Retry(W.NEXT_WINDOW, 1), Retry(W.NEXT_WINDOW, 1)),
    (O.TIME_WINDOW, Retry(W.NEXT_WINDOW, 1), Retry(W.NEXT_WINDOW, 1), Retry(W.NEXT_WINDOW, 1)),
    (O.DELIVERED, Retry(W.NEVER), Retry(W.NEVER), Retry(W.NEVER)),
    (O.ACCEPTED, Retry(W.WAIT), Retry(W.WAIT), Retry(W.WAIT)),
]


@pytest.mark.parametrize(("outcome", "otp", "notice", "marketing"), AGAIN, ids=[case[0] for case in AGAIN])
def test_a_class_is_tried_again_as_its_lane_says(outcome: OutcomeClass, otp: Retry, notice: Retry, marketing: Retry) -> None:
    assert tuple(retry_of(outcome, lane) for lane in Lane) == (otp, notice, marketing)


@pytest.mark.parametrize("outcome", OutcomeClass)
@pytest.mark.parametrize("lane", Lane)
def test_every_class_has_a_retry_that_makes_sense(outcome: OutcomeClass, lane: Lane) -> None:
    retry = retry_of(outcome, lane)
    assert (retry.tries == 0) == (retry.way in {W.NEVER, W.WAIT, W.CHANGED, W.FILED})
    assert len(retry.delays) == (retry.tries if retry.way is W.LATER else 0)
    assert retry.tries < MAX_ATTEMPTS[lane]
