"""Rates: a bucket a second deep never grants more than it should."""

from hypothesis import given
from hypothesis import strategies as st

from yanshu.rules.accounts.limits import Buckets


def test_a_full_bucket_grants_a_seconds_worth_at_once() -> None:
    buckets = Buckets()
    assert [buckets.take("a", 3, 1, 0.0).granted for _ in range(4)] == [True, True, True, False]


def test_a_refusal_says_when_to_come_back() -> None:
    buckets = Buckets()
    buckets.take("a", 4, 4, 0.0)
    refused = buckets.take("a", 4, 1, 0.0)
    assert (refused.granted, refused.remaining, refused.reset_seconds) == (False, 0, 0.25)
    assert buckets.take("a", 4, 1, 0.25).granted


def test_names_do_not_share() -> None:
    buckets = Buckets()
    assert buckets.take("a", 1, 1, 0.0).granted
    assert buckets.take("b", 1, 1, 0.0).granted


def test_more_than_a_seconds_worth_passes_once_and_is_paid_for() -> None:
    buckets = Buckets()
    assert buckets.take("a", 100, 1000, 0.0).granted
    assert not buckets.take("a", 100, 1, 9.0).granted
    assert buckets.take("a", 100, 1, 9.02).granted


@given(st.integers(1, 50), st.lists(st.tuples(st.floats(0, 2), st.integers(1, 10)), max_size=50))
def test_no_more_is_granted_than_a_bucket_and_what_flowed_in(rate: int, steps: list[tuple[float, int]]) -> None:
    buckets = Buckets()
    now, granted, largest = 0.0, 0, 0
    for wait, count in steps:
        now += wait
        if buckets.take("a", rate, count, now).granted:
            granted += count
            largest = max(largest, count)
    assert granted <= rate * (now + 1) + largest + 1e-6
