"""The pace of a link."""

from bisect import bisect_left

import pytest

from yanshu.adapters.carriers.pace import Pace


def test_a_link_without_a_limit_may_always_fill_its_window() -> None:
    pace = Pace(0, 16, 0.0)
    pace.spend(1000, 0.0)
    assert (pace.allowance(0.0), pace.opens_in(0.0), pace.rate) == (16, None, 0)


def test_tokens_come_back_at_the_agreed_rate() -> None:
    pace = Pace(10, 8, 0.0)
    assert pace.allowance(0.0) == 1
    pace.spend(1, 0.0)
    assert pace.allowance(0.0) == 0
    assert pace.opens_in(0.0) == pytest.approx(0.1)
    assert pace.allowance(0.11) == 1
    assert pace.allowance(60.0) == 1


RATES = [(1, 16), (7, 16), (10, 1000), (50, 16), (100, 4), (1000, 100), (5000, 10)]


@pytest.mark.parametrize(("rate", "window"), RATES)
def test_in_no_second_go_more_than_agreed_and_hardly_less(rate: int, window: int) -> None:
    pace, gone = Pace(rate, window, 0.0), []
    for tick in range(30_000):  # ten seconds of a queue that never runs dry, after a rest
        now = 100 + tick / 3000
        count = pace.allowance(now)
        pace.spend(count, now)
        gone.extend([now] * count)
    for start, moment in enumerate(gone):
        assert bisect_left(gone, moment + 0.999) - start <= rate
    assert len(gone) >= 10 * rate * 0.94 - 1


def test_more_than_the_allowance_is_a_debt() -> None:
    pace = Pace(10, 4, 0.0)
    pace.spend(11, 0.0)
    assert pace.allowance(0.9) == 0
    assert pace.allowance(1.11) == 1


def test_a_throttled_link_pauses_and_slows_down() -> None:
    pace = Pace(100, 50, 0.0)
    assert pace.throttled(1.0, 0.0)
    assert (pace.allowance(0.9), pace.is_paused(0.9), pace.opens_in(0.5)) == (0, True, 0.5)
    assert pace.rate == pytest.approx(70)
    assert pace.allowance(1.1) > 0


def test_one_burst_of_throttling_answers_slows_down_once() -> None:
    pace = Pace(100, 50, 0.0)
    assert [pace.throttled(1.0, 0.0) for _ in range(16)] == [True] + [False] * 15
    assert pace.rate == pytest.approx(70)


def test_it_never_goes_below_one_a_second() -> None:
    pace = Pace(2, 2, 0.0)
    for moment in range(0, 100, 10):
        pace.throttled(1.0, float(moment))
    assert pace.rate == 1.0


def test_it_speeds_up_by_a_tenth_for_ten_quiet_seconds_up_to_the_agreed_rate() -> None:
    pace = Pace(100, 50, 0.0)
    pace.throttled(1.0, 0.0)
    pace.allowance(11.5)
    assert pace.rate == pytest.approx(77)
    pace.allowance(1000.0)
    assert pace.rate == 100


def test_an_unlimited_link_slows_below_what_it_did_and_is_unlimited_again_later() -> None:
    pace = Pace(0, 100, 0.0)
    for _ in range(20):
        pace.spend(10, 0.5)
    pace.throttled(1.0, 0.9)
    assert pace.rate == pytest.approx(140)
    pace.allowance(1000.0)
    assert pace.rate == 0
