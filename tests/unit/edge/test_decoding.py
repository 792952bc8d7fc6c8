"""Decoding: every mistake in a body or a query becomes a refusal that names the field."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.errors import CallerError
from yanshu.edge.api.decoding import decode_body, decode_query
from yanshu.edge.api.schemas.carriers import ConnectorIn
from yanshu.edge.api.schemas.messages import BatchIn, MessageIn, MessageQuery

GOOD = '"to":"13800138000","text":"hi"'
CONNECTOR = '"name":"x","protocol":"smpp","host":"a","port":1'


@pytest.mark.parametrize(
    ("label", "body", "code", "param"),
    [
        ("nothing", "", "malformed_json", None),
        ("cut off", "{" + GOOD, "malformed_json", None),
        ("half a surrogate pair", '{"to":"1","text":"\\ud800"}', "malformed_json", None),
        ("a key twice", "{" + GOOD + ',"text":"ho"}', "malformed_json", "text"),
        ("a key twice, deeper", "{" + GOOD + ',"metadata":{"a":"1","a":"2"}}', "malformed_json", "a"),
        ("a list", "[]", "parameter_invalid", "body"),
        ("null", "null", "parameter_invalid", "body"),
        ("a field is missing", '{"text":"hi"}', "parameter_missing", "to"),
        ("a typo", "{" + GOOD + ',"metadta":{}}', "unknown_parameter", "metadta"),
        ("a typo, deeper", "{" + GOOD + ',"routing":{"pol":[]}}', "unknown_parameter", "routing.pol"),
        ("a number for a text", '{"to":13800138000,"text":"hi"}', "parameter_invalid", "to"),
        ("a fraction for a whole number", "{" + GOOD + ',"priority":5.5}', "parameter_invalid", "priority"),
        ("out of range", "{" + GOOD + ',"priority":10}', "parameter_invalid", "priority"),
        ("no such lane", "{" + GOOD + ',"lane":"express"}', "parameter_invalid", "lane"),
        ("a time without offset", "{" + GOOD + ',"send_at":"2026-11-02T09:00:00"}', "parameter_invalid", "send_at"),
        ("a NUL in a text", '{"to":"1","text":"a\\u0000b"}', "parameter_invalid", "text"),
        ("a NUL in a key", "{" + GOOD + ',"metadata":{"a\\u0000":"b"}}', "parameter_invalid", "a\ufffd"),
        ("a NUL in a list", "{" + GOOD + ',"routing":{"pool":["\\u0000"]}}', "parameter_invalid", "pool"),
    ],
)
def test_a_body_is_refused(label: str, body: str, code: str, param: str | None) -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(body.encode(), MessageIn)
    assert (caught.value.code, caught.value.param) == (code, param), label


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_key_twice_is_refused_in_a_body_of_any_size(place: str) -> None:
    row, twin = '{"to":"1","params":{"a":"b"}}', '{"to":"1","to":"2"}'
    rows = [twin, *[row] * 5000] if place == "first" else [*[row] * 5000, twin]
    with pytest.raises(CallerError) as caught:
        decode_body(f'{{"text":"hi","recipients":[{",".join(rows)}]}}'.encode(), BatchIn)
    assert (caught.value.code, caught.value.param) == ("malformed_json", "to")


@pytest.mark.parametrize("name", ["template", "fallback", "shorten_links", "max_price"])
def test_a_field_of_a_later_version_is_refused_as_such(name: str) -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(f'{{{GOOD},"{name}":null}}'.encode(), MessageIn)
    assert (caught.value.code, caught.value.param) == ("unknown_parameter", name)
    assert "not in this version" in str(caught.value.values["fix"])


def test_broken_utf8_is_no_json() -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(b'{"to":"1","text":"\xff"}', MessageIn)
    assert caught.value.code == "malformed_json"


@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_endless_nesting_is_no_json(depth: int) -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(f'{{{CONNECTOR},"settings":{{"a":{"[" * depth}{"]" * depth}}}}}'.encode(), ConnectorIn)
    assert caught.value.code == "malformed_json"


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(CallerError):
        decode_body(f'{{{CONNECTOR},"settings":{{"a":{"1" * 5000}}}}}'.encode(), ConnectorIn)


def test_a_written_escape_is_no_nul() -> None:
    assert decode_body(b'{"to":"1","text":"a\\\\u0000"}', MessageIn).text == "a\\u0000"


def test_a_typo_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(("{" + GOOD + ',"client_referense":"x"}').encode(), MessageIn)
    assert "client_reference" in str(caught.value.values["fix"])


def test_more_recipients_than_a_request_may_carry_are_too_many() -> None:
    body = msgspec.json.encode({"text": "hi", "recipients": [{"to": "1"}] * 10_001})
    with pytest.raises(CallerError) as caught:
        decode_body(body, BatchIn)
    assert caught.value.code == "batch_too_large"


@given(st.binary(max_size=200))
def test_whatever_comes_only_refusals_come_out(octets: bytes) -> None:
    with contextlib.suppress(CallerError):
        assert isinstance(decode_body(octets, MessageIn), MessageIn)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda s: st.lists(s) | st.dictionaries(st.text(max_size=9), s),
    )
)
def test_whatever_json_comes_only_refusals_come_out(content: object) -> None:
    with contextlib.suppress(CallerError):
        decode_body(msgspec.json.encode({"to": "1", "text": "hi", "metadata": content}), MessageIn)


@pytest.mark.parametrize(
    ("label", "pairs", "code", "param"),
    [
        ("a typo", [("limt", "3")], "unknown_parameter", "limt"),
        ("no number", [("limit", "many")], "parameter_invalid", "limit"),
        ("too many", [("limit", "201")], "parameter_invalid", "limit"),
        ("twice", [("limit", "1"), ("limit", "2")], "parameter_invalid", "limit"),
        ("the word null", [("status", "null")], "parameter_invalid", "status"),
        ("no such status", [("status", "sent")], "parameter_invalid", "status"),
        ("a NUL", [("batch", "a\x00")], "parameter_invalid", "batch"),
    ],
)
def test_a_query_is_refused(label: str, pairs: list[tuple[str, str]], code: str, param: str) -> None:
    with pytest.raises(CallerError) as caught:
        decode_query(pairs, MessageQuery)
    assert (caught.value.code, caught.value.param) == (code, param), label


def test_a_query_is_read() -> None:
    query = decode_query([("limit", "7"), ("status", "queued"), ("order", "asc"), ("client_reference", "null-7")], MessageQuery)
    assert (query.limit, query.status, query.order, query.client_reference) == (7, "queued", "asc", "null-7")
