"""Receipts that are better than phones can be."""

import pytest

from yanshu.domain.health import RECEIPT_WAITS, Counts, Tally
from yanshu.rules.routing.doubts import ENOUGH, is_too_good


def tally(delivered: int, failed: int = 0, slow: int = 0) -> Tally:
    waits = [delivered - slow, slow, *[0] * (len(RECEIPT_WAITS) - 1)]
    return Tally(counts=Counts(delivered=delivered, failed=failed), receipt_waits=waits)


CASES = [
    ("all good and at once", tally(ENOUGH), True),
    ("a few come later", tally(1000, slow=50), True),
    ("too few to tell", tally(ENOUGH - 1), False),
    ("one phone is off", tally(ENOUGH, failed=1), False),
    ("some phones take their time", tally(1000, slow=51), False),
    ("nothing at all", Tally(), False),
]


@pytest.mark.parametrize(("name", "counted", "doubted"), CASES, ids=[case[0] for case in CASES])
def test_receipts_are_doubted_when_they_are_too_good(name: str, counted: Tally, doubted: bool) -> None:
    assert is_too_good(counted) is doubted
