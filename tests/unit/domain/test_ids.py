"""Ids sort by time and never repeat."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.ids import is_id, lowest_id, make_ids

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.binary(min_size=10, max_size=10), st.integers(1, 3000))
def test_a_chunk_of_ids_is_distinct_and_ascending(entropy: bytes, count: int) -> None:
    made = make_ids("msg", count, NOW, entropy)
    assert len(set(made)) == count
    assert made == sorted(made)
    assert all(len(ident) == 30 and is_id(ident, "msg") and not is_id(ident, "ms") for ident in made)


def test_ids_of_later_times_sort_later() -> None:
    early = make_ids("msg", 1, NOW, b"\xff" * 10)[0]
    late = make_ids("msg", 1, NOW + timedelta(milliseconds=1), b"\x00" * 10)[0]
    assert early < lowest_id("msg", NOW + timedelta(milliseconds=1)) <= late


_ZEROS = "0" * 26
_WRONG = ["", "msg", "msg_", f"msg_{_ZEROS[1:]}", f"msg_{_ZEROS}0", "msg_" + "U" * 26, f"bat_{_ZEROS}", f"msg_{_ZEROS}\n"]


@pytest.mark.parametrize("text", _WRONG)
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert not is_id(text, "msg")
