"""Connectors share messages by weight: evenly, and for one message always the same."""

from collections import Counter
from datetime import UTC, datetime
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.ids import make_ids
from yanshu.rules.routing.plan import DRAWS, LONGEST, Place, Plan, Share, bounds_of, draw_of, shared

NOW = datetime(2026, 11, 25, tzinfo=UTC)
WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12)


def place(*weights: int, name: str = "c") -> Place:
    return shared([Share(f"{name}{number}", weight) for number, weight in enumerate(weights)])


def chunk(count: int, entropy: bytes = b"0123456789") -> list[str]:
    return make_ids("msg", count, NOW, entropy)


SHARES = [
    ("even", (1, 1), [0.5, 0.5]),
    ("uneven", (70, 30), [0.7, 0.3]),
    ("a canary", (99, 1), [0.99, 0.01]),
    ("three", (5, 3, 2), [0.5, 0.3, 0.2]),
    ("one alone", (7,), [1.0]),
    ("one that stands by", (1, 0), [1.0, 0.0]),
]


@pytest.mark.parametrize(("weights", "shares"), [row[1:] for row in SHARES], ids=[row[0] for row in SHARES])
def test_over_a_chunk_each_gets_its_share(weights: tuple[int, ...], shares: list[float]) -> None:
    plan = Plan([place(*weights)])
    first = Counter(plan.order_of(ident)[0] for ident in chunk(1000))
    assert [first[f"c{number}"] / 1000 for number in range(len(weights))] == pytest.approx(shares, abs=0.03)


def test_single_messages_share_too() -> None:
    plan = Plan([place(80, 20)])
    singles = [chunk(1, number.to_bytes(10, "little"))[0] for number in range(5000)]
    assert sum(plan.order_of(ident)[0] == "c0" for ident in singles) / 5000 == pytest.approx(0.8, abs=0.02)


def test_a_message_goes_the_same_way_whenever_it_is_asked_for() -> None:
    one, other = Plan([place(1, 1, 1)]), Plan([place(1, 1, 1)])
    assert [one.order_of(ident) for ident in chunk(500)] == [other.order_of(ident) for ident in reversed(chunk(500))][::-1]


def test_what_one_leaves_goes_to_the_next_larger_share_and_then_to_the_next_place() -> None:
    plan = Plan([place(50, 40, 10), place(1, 2, name="d"), place(0, name="e")])
    assert {plan.order_of(ident) for ident in chunk(1000)} == {
        ("c0", "c1", "c2", "d1", "d0", "e0"),
        ("c1", "c0", "c2", "d1", "d0", "e0"),
        ("c2", "c0", "c1", "d1", "d0", "e0"),
    }


def test_where_nobody_shares_nothing_is_drawn() -> None:
    plan = Plan([place(1, 0), place(9, 8, name="d")])
    assert {plan.order_of(ident) for ident in chunk(50)} == {("c0", "c1", "d0", "d1")} == {plan.usual}
    assert Plan([]).order_of("msg_1") == ()


def test_the_usual_way_is_over_the_largest_share() -> None:
    assert Plan([place(1, 0, 5, 5)]).usual == ("c2", "c3", "c0", "c1")


def test_a_message_carries_no_more_connectors_than_it_could_try() -> None:
    plan = Plan([place(*[1] * 25), place(1, name="d")])
    assert {len(plan.order_of(ident)) for ident in chunk(100)} == {LONGEST}
    assert len({plan.order_of(ident)[0] for ident in chunk(1000)}) == 25


@given(WEIGHTS, st.text(max_size=40))
def test_the_bounds_that_are_told_are_those_that_are_drawn(weights: list[int], ident: str) -> None:
    standing = place(*weights)
    bounds = {share.connector_id: bound for share, bound in zip(standing, bounds_of(standing), strict=True)}
    order, drawn = Plan([standing]).order_of(ident), bounds[Plan([standing]).order_of(ident)[0]]
    assert len(set(order)) == min(len(weights), LONGEST)
    assert drawn is None or drawn[0] <= draw_of(ident) < drawn[1]
    told = sorted(bound for bound in bounds.values() if bound)
    assert not told or (told[0][0], told[-1][1]) == (0, DRAWS)
    assert all(one[1] == other[0] for one, other in pairwise(told))


@given(st.text(max_size=40))
def test_a_draw_is_within_its_bounds(message_id: str) -> None:
    assert 0 <= draw_of(message_id) < DRAWS


def test_the_draws_of_a_chunk_are_spread_evenly() -> None:
    draws = sorted(draw_of(ident) for ident in chunk(1000))
    filled = Counter(draw // 100 for draw in draws)
    assert list(accumulate(filled[tenth] for tenth in range(10))) == pytest.approx(list(range(100, 1001, 100)), abs=20)
