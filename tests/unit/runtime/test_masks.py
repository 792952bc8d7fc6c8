"""Phone numbers are masked wherever they are, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.runtime.masks import mask_phones, mask_text, mask_value


@pytest.mark.parametrize(
    ("label", "text", "masked"),
    [
        ("E.164", "+8613800138000", "+86138****8000"),
        ("another country", "+14155550123", "+141****0123"),
        ("the shortest", "+12345678", "+****5678"),
        ("bare mainland", "13800138000", "138****8000"),
        ("with 86", "8613800138000", "86138****8000"),
        ("with 0086", "008613800138000", "0086138****8000"),
        ("within a sentence", "to +8613800138000, then 13912345678.", "to +86138****8000, then 139****5678."),
        ("between Chinese characters", "号码13800138000已退订", "号码138****8000已退订"),
        ("in JSON", '{"to":"+8613800138000"}', '{"to":"+86138****8000"}'),
        ("an id", "msg_01JBQ13800138000ABCDEFGH", "msg_01JBQ13800138000ABCDEFGH"),
        ("a longer number", "138001380001", "138001380001"),
        ("an access code", "106900001234", "106900001234"),
        ("a time", "1730538000", "1730538000"),
        ("a hex digest", "a13800138000f", "a13800138000f"),
    ],
)
def test_a_text_is_masked(label: str, text: str, masked: str) -> None:
    assert mask_phones(text) == masked, label


@given(st.from_regex(r"\+86 ?1[3-9][0-9]{9}", fullmatch=True).map(lambda text: text.replace(" ", "")))
def test_no_mainland_number_survives(number: str) -> None:
    assert number not in mask_phones(f"sent to {number}!")


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"to": "+8613800138000", "n": 7}, {"to": "+86138****8000", "n": 7}),
        ({"+8613800138000": 1}, {"+86138****8000": 1}),
        ([("+8613800138000",), None], [["+86138****8000"], None]),
        (13800138000, 13800138000),
    ],
)
def test_values_are_masked_however_deep(value: Any, masked: Any) -> None:
    assert mask_value(value) == masked


def test_of_a_text_only_the_length_is_told() -> None:
    assert (mask_text("您好"), mask_text(None)) == ("<2 characters>", "<withheld>")
