"""Amounts are exact, and written as people write them."""

import pytest

from yanshu.domain.money import Money

WRITTEN = [(45_000, "0.045 CNY"), (1_000_000, "1 CNY"), (0, "0 CNY"), (1, "0.000001 CNY"), (120_000_000, "120 CNY"), (-500_000, "-0.5 CNY")]


@pytest.mark.parametrize(("micros", "text"), WRITTEN)
def test_an_amount_is_written_without_rounding(micros: int, text: str) -> None:
    assert str(Money("CNY", micros)) == text


def test_many_segments_cost_many_times_the_price() -> None:
    assert Money("CNY", 45_000).times(3) == Money("CNY", 135_000)
