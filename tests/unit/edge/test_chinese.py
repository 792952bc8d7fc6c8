"""Fixes in Chinese: every sentence that tells a caller what to do has its Chinese one."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import dotted, parsed, shown, sources
from yanshu.domain.errors import CallerError
from yanshu.edge.api.chinese import in_chinese
from yanshu.edge.api.decoding import _NO_NUL, decode_body, decode_query
from yanshu.edge.api.schemas.messages import BatchIn, MessageIn, MessageQuery
from yanshu.edge.api.uploads import _TOO_LONG

_CHINESE = re.compile("[\u4e00-\u9fff]")
# Where a call that is no error class has its fix: name of the function, position of the argument.
_POSITIONS = {"_refused": 1, "_invalid": 1, "invalid": 1, "bad_row": 4, "Verdict": 4}
_SAMPLE = "7"


def _text(node: ast.expr) -> str | None:
    """Return a literal text; the values of an f-string become a sample."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else _SAMPLE for part in node.values)  # type: ignore[misc]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _written(call: ast.Call) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "fix")
    position = _POSITIONS.get(dotted(call.func).rpartition(".")[2])
    if position is not None and len(call.args) > position:
        yield call.args[position]


def fixes() -> dict[str, str]:
    """Every fix that some file of ours writes out, with its place."""
    return {
        text: f"{shown(path)}:{node.lineno}"
        for path in sources("yanshu")
        if not shown(path).startswith("yanshu/protocols/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        for value in _written(node)
        if (text := _text(value)) and " " in text
    }


def test_every_fix_that_is_written_has_its_chinese_one() -> None:
    found = fixes()
    assert len(found) > 30, "the search for written fixes finds too few"
    assert {fix: place for fix, place in found.items() if not _CHINESE.search(in_chinese(fix))} == {}


@pytest.mark.parametrize("fix", [_NO_NUL, _TOO_LONG])
def test_fixes_that_have_names_have_their_chinese_ones(fix: str) -> None:
    assert _CHINESE.search(in_chinese(fix))


GOOD = '"to":"13800138000","text":"hi"'
BODIES = [
    ("no JSON", "hello", MessageIn),
    ("cut off", "{" + GOOD, MessageIn),
    ("broken UTF-8", "{" + GOOD + ',"signature":"\udcff\udcff"}', MessageIn),
    ("half a surrogate pair", '{"to":"1","text":"\\ud800"}', MessageIn),
    ("a list", "[]", MessageIn),
    ("null", "null", MessageIn),
    ("a number for a text", '{"to":13800138000,"text":"hi"}', MessageIn),
    ("a fraction", "{" + GOOD + ',"priority":5.5}', MessageIn),
    ("too high", "{" + GOOD + ',"priority":10}', MessageIn),
    ("absurd", "{" + GOOD + ',"priority":1e400}', MessageIn),
    ("endless", "{" + GOOD + ',"priority":' + "1" * 400 + "}", MessageIn),
    ("too long", "{" + GOOD + ',"signature":"' + "a" * 13 + '"}', MessageIn),
    ("no digits", "{" + GOOD + ',"extension":"a"}', MessageIn),
    ("no such lane", "{" + GOOD + ',"lane":"express"}', MessageIn),
    ("no offset", "{" + GOOD + ',"send_at":"2026-11-02T09:00:00"}', MessageIn),
    ("no time", "{" + GOOD + ',"send_at":"soon"}', MessageIn),
    ("a text for an object", "{" + GOOD + ',"metadata":"a"}', MessageIn),
    ("a number in params", "{" + GOOD + ',"params":{"a":1}}', MessageIn),
    ("too many fields", "{" + GOOD + ',"metadata":{' + ",".join(f'"{n}":""' for n in range(51)) + "}}", MessageIn),
    ("a later field", "{" + GOOD + ',"template":{"id":"tpl_1"}}', MessageIn),
    ("a typo", "{" + GOOD + ',"prority":1}', MessageIn),
    ("a text for a recipient", '{"text":"a","recipients":["1"]}', BatchIn),
]


@pytest.mark.parametrize(("body", "kind"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_what_the_decoder_says_has_its_chinese_one(body: str, kind: type) -> None:
    with pytest.raises(CallerError) as caught:
        decode_body(body.encode("utf-8", "surrogateescape"), kind)
    assert _CHINESE.search(in_chinese(str(caught.value.values["fix"]))), caught.value.values["fix"]


@pytest.mark.parametrize("query", [("limit", "many"), ("limit", "201"), ("status", "sent"), ("created_after", "now"), ("limt", "1")])
def test_what_the_decoder_says_of_a_query_has_its_chinese_one(query: tuple[str, str]) -> None:
    with pytest.raises(CallerError) as caught:
        decode_query([query], MessageQuery)
    assert _CHINESE.search(in_chinese(str(caught.value.values["fix"]))), caught.value.values["fix"]


def test_a_sentence_nobody_knows_stays_as_it_is() -> None:
    assert in_chinese("turn it off and on again") == "turn it off and on again"
