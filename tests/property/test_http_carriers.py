"""Laws of HTTP carriers: whatever they answer ends a message, and whatever they call with becomes arrivals that every store can keep."""

import re
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from yanshu.adapters.carriers.http.answers import Reply, read_answer
from yanshu.adapters.carriers.http.provided import PROVIDED, definition_of
from yanshu.adapters.carriers.http.reader import HttpCallbackReader
from yanshu.adapters.carriers.http.templates import Template, Templates
from yanshu.domain.connectors import Connector
from yanshu.domain.errors import CallbackError
from yanshu.domain.submissions import AnswerResult, Receipt
from yanshu.ports.callbacks import Callback, CallbackKind
from yanshu.runtime.clock import SystemClock

NOW = SystemClock().now()
DEFINITIONS = {name: definition_of(name, {}) for name in PROVIDED}
# Every name that a definition looks for, so that noise is found in the right places.
NAMES = sorted({name for each in DEFINITIONS.values() for name in re.findall(r"\$\{([^}]+)\}", str(msgspec.to_builtins(each)))})
STEPS = sorted({step for name in NAMES for step in name.split(".") if not step.isdigit()} | {"messages", "Response", "result"})
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=400), st.sampled_from(["0", "Ok", "OK", "000000"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(STEPS), inner, max_size=8)),
    max_leaves=30,
)
FORMS = st.dictionaries(st.sampled_from(STEPS), st.text(max_size=100), max_size=8)
SETTINGS: dict[str, dict[str, Any]] = {"tencent": {"region": "a", "sdk_app_id": "b"}}


def encoded(document: object) -> bytes:
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:  # half a pair is no text, and no JSON either
        return b'"\\ud800"'


BODIES = st.one_of(st.binary(max_size=300), DOCUMENTS.map(encoded))


@given(st.sampled_from(PROVIDED), st.integers(100, 599), BODIES, st.none() | st.floats(0, 100))
def test_whatever_is_answered_ends_every_segment(name: str, status: int, body: bytes, retry_after: float | None) -> None:
    outcomes = read_answer(DEFINITIONS[name].answer, Reply(status, body, retry_after))
    assert 1 <= len(outcomes) <= 255
    for outcome in outcomes:
        assert outcome.result is not AnswerResult.UNSENT
        assert outcome.carrier_message_id is None or outcome.result is AnswerResult.ACCEPTED
        assert outcome.result is not AnswerResult.ACCEPTED or 200 <= status < 300
        words = [outcome.code or "", outcome.carrier_message_id or ""]
        assert max(map(len, words)) <= 255
        assert "\0" not in "".join(words)
        "".join(words).encode()


def connector(name: str) -> Connector:
    templates = {"templates": [{"id": "1", "text": "${x}"}]} if DEFINITIONS[name].uses_templates else {}
    settings = {"provider": name, "account": "a", "definition": {"callbacks": {"check": "token"}}, **templates, **SETTINGS.get(name, {})}
    values: dict[str, Any] = {"id": name, "name": name, "protocol": "http", "host": "a", "port": 1, "secret": "s", "settings": settings}
    return Connector(**values, created_at=NOW, updated_at=NOW, sender="10690000")


READER = HttpCallbackReader(SystemClock(), lambda sealed: sealed, lambda name: name)
CONNECTORS = {name: connector(name) for name in PROVIDED}


@given(st.sampled_from(PROVIDED), st.sampled_from(CallbackKind), BODIES, FORMS, st.sampled_from(["", "application/json", "text/plain"]))
def test_whatever_a_carrier_calls_with_can_be_kept(name: str, kind: CallbackKind, body: bytes, query: dict[str, str], media: str) -> None:
    url = "https://sms.example.com/x?" + "&".join(f"{key}={value}" for key, value in query.items())
    try:
        reading = READER.read(CONNECTORS[name], Callback(kind=kind, url=url, headers={"content-type": media}, body=body))
    except CallbackError:
        return
    for arrival in reading.arrivals:
        if isinstance(arrival, Receipt):
            words = [*arrival.keys, arrival.recipient or "", arrival.stat, arrival.err]
            assert max(map(len, words)) <= 255
            assert all(arrival.keys)
        else:
            words = [arrival.sender, arrival.recipient]
            assert max(map(len, words)) <= 64
            assert 1 <= arrival.part <= arrival.parts <= 255
            assert 0 <= arrival.reference <= 0xFFFF
        for word in (*words, arrival.text):
            word.encode()
            assert "\0" not in word


@given(st.lists(st.text(min_size=1, max_size=5), min_size=2, max_size=5), st.lists(st.text(min_size=1, max_size=5), max_size=4))
def test_a_text_made_from_a_template_is_read_as_one(words: list[str], values: list[str]) -> None:
    words = [word.replace("$", "").replace("{", "") or "-" for word in words]
    values = (values + ["x"] * len(words))[: len(words) - 1]
    template = words[0] + "".join(f"${{p{at}}}{word}" for at, word in enumerate(words[1:]))
    text = words[0] + "".join(value + word for value, word in zip(values, words[1:], strict=True))
    filled = Templates([Template("1", template)]).match(text)
    assert filled is not None
    assert all(filled.params.values())
    again = words[0] + "".join(value + word for value, word in zip(filled.params.values(), words[1:], strict=True))
    assert again == text
