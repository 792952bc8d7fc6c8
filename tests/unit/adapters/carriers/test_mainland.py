"""What mainland dialects share: texts in pieces and octets, numbers, and times."""

from datetime import UTC, datetime

import pytest

from yanshu.adapters.carriers.mainland import NumberPrefix, TextFormat, beijing_time, cut, number_for, phone_number
from yanshu.text.formats import GBK, UCS2, read_text

CUTS: list[tuple[str, str, TextFormat, bool, int, list[int]]] = [
    ("a short text in UCS-2", "您好", "ucs2", False, UCS2, [4]),
    ("a short text in GBK", "您好", "gbk", False, GBK, [4]),
    ("what GBK lacks", "您好😀", "gbk", False, UCS2, [8]),
    ("ASCII in GBK is an octet a character", "a" * 70, "gbk", False, GBK, [70]),
    ("seventy characters", "长" * 70, "gbk", False, GBK, [140]),
    ("one more", "长" * 71, "gbk", False, GBK, [134, 8]),
    ("one more, with a wide header", "长" * 71, "ucs2", True, UCS2, [132, 10]),
    ("a pair of surrogates at the cut", "长" * 66 + "😀" + "长" * 3, "ucs2", False, UCS2, [132, 10]),
]


@pytest.mark.parametrize(("name", "text", "form", "wide", "number", "sizes"), CUTS, ids=[case[0] for case in CUTS])
def test_a_text_is_cut_at_70_or_67_characters(name: str, text: str, form: TextFormat, wide: bool, number: int, sizes: list[int]) -> None:
    made = cut(text, form, wide=wide)
    assert (made.form, [len(piece) for piece in made.pieces]) == (number, sizes)
    assert "".join(read_text(piece, made.form) for piece in made.pieces) == text


TEXTS = [
    ("UCS-2", "退订".encode("utf-16-be"), 8, "退订"),
    ("GBK", "退订".encode("gbk"), 15, "退订"),
    ("GBK that calls itself ASCII", "退订".encode("gbk"), 0, "退订"),
    ("half a character", b"\x90", 8, "\ufffd"),
    ("noise", b"\xff\xff", 15, "\ufffd\ufffd"),
]


@pytest.mark.parametrize(("name", "octets", "form", "text"), TEXTS, ids=[case[0] for case in TEXTS])
def test_a_text_of_a_phone_is_read_and_never_an_error(name: str, octets: bytes, form: int, text: str) -> None:
    assert read_text(octets, form) == text


NUMBERS: list[tuple[str, NumberPrefix, str]] = [
    ("+8613800138000", "", "13800138000"),
    ("+8613800138000", "86", "8613800138000"),
    ("+8613800138000", "+86", "+8613800138000"),
    ("+85291234567", "86", "85291234567"),
]


@pytest.mark.parametrize(("recipient", "prefix", "written"), NUMBERS, ids=[f"{case[0]} with {case[1] or 'nothing'}" for case in NUMBERS])
def test_a_number_is_written_as_the_gateway_wants_it(recipient: str, prefix: NumberPrefix, written: str) -> None:
    assert number_for(recipient, prefix) == written


PHONES = [
    ("a phone", "13800138000", "+8613800138000"),
    ("a phone with its country", "8613800138000", "+8613800138000"),
    ("a thing", "1064812345678", "+861064812345678"),
    ("a test number", "10000000001", "+8610000000001"),
    ("abroad", "85291234567", "+85291234567"),
    ("abroad, dialled", "0085291234567", "+85291234567"),
    ("no number", "1 or 2", "1 or 2"),
    ("nobody", "", None),
]


@pytest.mark.parametrize(("name", "written", "number"), PHONES, ids=[case[0] for case in PHONES])
def test_a_number_is_read_however_the_gateway_writes_it(name: str, written: str, number: str | None) -> None:
    assert phone_number(written) == number


def test_a_time_is_beijing_s_and_none_when_it_is_no_time() -> None:
    assert beijing_time("2311081043") == datetime(2023, 11, 8, 2, 43, tzinfo=UTC)
    assert [beijing_time(text) for text in ("", "2313081043", "0000000000", "23110810")] == [None] * 4
