"""The search for reference cycles: seldom, but still done."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from yanshu.runtime.garbage import search_seldom


class Knot:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_burst_of_a_thousand_messages_starts_no_search() -> None:
    search_seldom()
    searched = gc.get_stats()[0]["collections"]
    burst = [[number] for number in range(10_000)]
    assert gc.get_stats()[0]["collections"] == searched
    assert len(burst) == 10_000


def test_cycles_are_still_found() -> None:
    search_seldom()
    knot = weakref.ref(Knot())
    kept = [[number] for number in range(200_000)]
    assert knot() is None
    assert len(kept) == 200_000


def test_what_exists_at_the_start_is_not_walked_again() -> None:
    search_seldom()
    assert gc.get_freeze_count() > 0
