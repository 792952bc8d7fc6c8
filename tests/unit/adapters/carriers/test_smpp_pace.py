"""The pace of a link."""

import pytest

from yanshu.adapters.carriers.smpp_pace import Pace


def test_a_link_without_a_limit_may_always_fill_its_window() -> None:
    pace = Pace(0, 16, 0.0)
    pace.spend(1000, 0.0)
    assert (pace.allowance(0.0), pace.opens_in(0.0), pace.rate) == (16, None, 0)


def test_tokens_come_back_at_the_agreed_rate() -> None:
    pace = Pace(10, 8, 0.0)
    pace.spend(8, 0.0)
    assert pace.allowance(0.0) == 0
    assert pace.opens_in(0.0) == pytest.approx(0.2)
    assert pace.allowance(0.5) == 5
    assert pace.allowance(60.0) == 8


def test_more_than_the_allowance_is_a_debt() -> None:
    pace = Pace(10, 4, 0.0)
    pace.spend(14, 0.0)
    assert pace.allowance(0.9) == 0
    assert pace.allowance(1.25) == 2


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
