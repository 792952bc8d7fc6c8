"""Numbers are cut where nothing decides any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.rules.routing.stems import Stems

CASES = [
    ("nothing is looked for", [], "+8613800138000", ""),
    ("a country", ["+86"], "+8613800138000", "+86"),
    ("the longest short one counts for all", ["+86", "+8613"], "+85261234567", "+8526"),
    ("a range", ["+86138"], "+8613800138000", "+86138"),
    ("another range", ["+86138"], "+8613900138000", ""),
    ("a longer one of the same head", ["+86170", "+861703"], "+8617031234567", "+861703"),
    ("a whole number", ["+8613800138000"], "+8613800138000", "+8613800138000"),
    ("a number shorter than what is looked for", ["+8613800138000"], "+86138", "+86138"),
]


@pytest.mark.parametrize(("beginnings", "number", "stem"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_number_is_cut_where_nothing_decides_any_more(beginnings: list[str], number: str, stem: str) -> None:
    assert Stems(beginnings).of(number) == stem


DIGITS = st.text("12", max_size=12).map("+".__add__)


@given(st.lists(DIGITS, max_size=12), st.lists(DIGITS, max_size=4), DIGITS, DIGITS)
def test_numbers_of_one_stem_begin_with_the_same(beginnings: list[str], more: list[str], one: str, other: str) -> None:
    stems = Stems(beginnings, Stems(more))
    if stems.of(one) == stems.of(other) and len(one) == len(other):
        assert [one.startswith(b) for b in beginnings + more] == [other.startswith(b) for b in beginnings + more]
