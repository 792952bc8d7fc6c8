"""The retry plan of API.md §4."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.rules.webhooks.retries import PLAN, Ending, judge, must_disable, retry_at

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "status", "attempts", "ending"),
    [
        ("the usual", 200, 1, Ending.DELIVERED),
        ("any 2xx", 299, 8, Ending.DELIVERED),
        ("a redirect is not followed", 301, 1, Ending.RETRY),
        ("their fault", 400, 1, Ending.RETRY),
        ("gone", 410, 1, Ending.GONE),
        ("their trouble", 503, 7, Ending.RETRY),
        ("no answer", None, 1, Ending.RETRY),
        ("the plan is over", 500, 8, Ending.GIVEN_UP),
        ("gone at the very end", 410, 8, Ending.GONE),
    ],
)
def test_an_answer_means(label: str, status: int | None, attempts: int, ending: Ending) -> None:
    assert judge(status, attempts) is ending, label


@given(attempts=st.integers(1, len(PLAN)), chance=st.floats(0, 1, exclude_max=True))
def test_every_wait_is_the_planned_one_give_or_take_a_fifth(attempts: int, chance: float) -> None:
    wait = retry_at(attempts, NOW, chance, None) - NOW
    assert PLAN[attempts - 1] * 0.8 <= wait <= PLAN[attempts - 1] * 1.2


@pytest.mark.parametrize(
    ("label", "retry_after", "seconds"),
    [
        ("more patience than planned", 120.0, 120),
        ("less than planned does not hurry us", 1.0, 5),
        ("nonsense", -5.0, 5),
        ("a week is cut", 604_800.0, 36_000),
        ("more than a date can hold", 1e300, 36_000),
    ],
)
def test_retry_after(label: str, retry_after: float, seconds: int) -> None:
    assert retry_at(1, NOW, 0.5, retry_after) == NOW + timedelta(seconds=seconds), label


def test_a_day_of_failures_disables_and_less_does_not() -> None:
    assert not must_disable(None, NOW)
    assert not must_disable(NOW - timedelta(hours=23, minutes=59), NOW)
    assert must_disable(NOW - timedelta(hours=24), NOW)
