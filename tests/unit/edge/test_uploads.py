"""Uploads: rows come out whatever the cuts of the stream are, and a bad row never stops the good ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.batches import BatchRow
from yanshu.domain.errors import Invalid
from yanshu.edge.api.uploads import LINE_BYTES, CsvRows, Lines, NdjsonRows

# Letters that stand for pieces of a stream, so that a failure can be printed.
_PIECES = {"a": b"a", "n": b"\n", "r": b"bc\r\n", "x": b"x" * 40_000, "f": b"\xff", "j": b'{"to":"1"}', "c": b"\r"}


def lines_of(octets: bytes, size: int) -> list[tuple[int, bytes]]:
    lines = Lines()
    found = [line for start in range(0, len(octets), size) for line in lines.feed(octets[start : start + size])]
    return found + list(lines.end())


def read(reader: Any, *lines: bytes) -> list[BatchRow]:
    rows = (reader.read(number, line) for number, line in enumerate(lines, 1))
    return [row for row in rows if row is not None]


@given(st.text("".join(_PIECES), max_size=20), st.integers(500, 90_000))
def test_the_cuts_of_the_stream_do_not_matter(pieces: str, size: int) -> None:
    octets = b"".join(_PIECES[piece] for piece in pieces)

    def short(lines: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        return [(number, line if len(line) <= LINE_BYTES else b"too long") for number, line in lines]

    assert short(lines_of(octets, size)) == short(lines_of(octets, len(octets) or 1))


@pytest.mark.parametrize("size", [1000, LINE_BYTES, LINE_BYTES + 1, LINE_BYTES + 2, 70_000, 300_000])
def test_an_overlong_line_is_one_line(size: int) -> None:
    found = lines_of(b"a\n" + b"x" * 200_000 + b"\nb\n", size)
    assert [number for number, _ in found] == [1, 2, 3]
    assert (found[0][1], found[2][1]) == (b"a", b"b")
    assert len(found[1][1]) > LINE_BYTES


def test_an_overlong_line_is_not_kept() -> None:
    lines = Lines()
    for _ in range(1000):
        list(lines.feed(b"x" * 10_000))
    assert len(lines._rest) <= LINE_BYTES + 10_000


@pytest.mark.parametrize(
    ("label", "line", "code"),
    [
        ("no JSON", b"hello", "malformed_json"),
        ("cut off", b'{"to":"1"', "malformed_json"),
        ("broken UTF-8", b'{"to":"\xff"}', "malformed_json"),
        ("a key twice", b'{"to":"1","to":"2"}', "malformed_json"),
        ("a list", b"[]", "parameter_invalid"),
        ("a number for a text", b'{"to":5}', "parameter_invalid"),
        ("params of another kind", b'{"to":"1","params":{"a":1}}', "parameter_invalid"),
        ("no number", b'{"params":{}}', "parameter_missing"),
        ("an unknown field", b'{"to":"1","name":"x"}', "unknown_parameter"),
        ("a NUL", b'{"to":"1\\u0000"}', "parameter_invalid"),
        ("too long", b"x" * (LINE_BYTES + 1), "parameter_invalid"),
    ],
)
def test_a_bad_line_of_ndjson_is_a_bad_row(label: str, line: bytes, code: str) -> None:
    rows = read(NdjsonRows("bat_1"), b'{"to":"1"}', line, b"", b'{"to":"2","params":{"a":"b"},"client_reference":"r"}')
    assert [row.line for row in rows] == [1, 2, 4], label
    assert [row.code for row in rows] == [None, code, None]
    assert rows[1].problem
    assert (rows[2].to, rows[2].params, rows[2].client_reference) == ("2", {"a": "b"}, "r")


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("too few fields", b"13800138000"),
        ("too many fields", b"13800138000,a,b,c"),
        ("an open quote", b'"13800138000,a,b'),
        ("a field that goes on in the next line", b'13800138000,a,"b'),
        ("a quote in the middle of a quoted field", b'13800138000,a,"b"c'),
        ("broken UTF-8", b"\xff,a,b"),
        ("a carriage return within", b"138\r00138000,a,b"),
        ("a NUL within", b"138\x00,a,b"),
        ("a value too long", b"13800138000,r," + b"x" * 501),
        ("too long", b"x" * (LINE_BYTES + 1)),
    ],
)
def test_a_bad_line_of_csv_is_a_bad_row(label: str, line: bytes) -> None:
    rows = read(CsvRows("bat_1"), b"\xef\xbb\xbfto,client_reference,name", b'1,,"Li, Lei"', line, b"2,r,x")
    assert [(row.line, row.code is None) for row in rows] == [(2, True), (3, False), (4, True)], label
    assert (rows[0].to, rows[0].params, rows[0].client_reference) == ("1", {"name": "Li, Lei"}, None)
    assert rows[2].client_reference == "r"


def test_a_byte_order_mark_before_ndjson_is_no_part_of_it() -> None:
    assert [row.code for row in read(NdjsonRows("bat_1"), b'\xef\xbb\xbf{"to":"1"}', b'{"to":"2"}')] == [None, None]


@pytest.mark.parametrize(
    "heading",
    [
        b"phone,name",
        b"to,to",
        b"to,name,name",
        b'"to,name',
        "to,姓名".encode("gbk"),
        "to,name".encode("utf-16"),
        b"x" * (LINE_BYTES + 1),
    ],
)
def test_a_heading_without_one_column_of_numbers_refuses_the_upload(heading: bytes) -> None:
    with pytest.raises(Invalid):
        CsvRows("bat_1").read(1, heading)


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_whatever_lines_come_every_reader_answers_with_rows(lines: list[bytes]) -> None:
    assert all(row.code for row in read(NdjsonRows("bat_1"), *lines) if not row.to)
    read(CsvRows("bat_1"), b"to,name", *lines)
