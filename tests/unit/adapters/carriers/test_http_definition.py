"""Provider definitions, good and bad: what is wrong is named with its place and the fix."""

from typing import Any

import pytest

from yanshu.adapters.carriers.http import places
from yanshu.adapters.carriers.http.definition import check_settings, read_definition
from yanshu.domain.errors import Invalid
from yanshu.edge.api.chinese import in_chinese

Change = dict[str, Any]


def good(**changes: Any) -> dict[str, Any]:
    """Return a definition that can be used; a key such as ``send__path`` changes what lies deeper."""
    definition: dict[str, Any] = {
        "name": "mine",
        "needs": ["app"],
        "send": {"path": "/send", "auth": {"recipe": "none"}, "body": {"kind": "form", "fields": {"to": "${to}"}}},
        "answer": {"id": ["${id}"], "code": ["${code}"], "accepted": ["0"]},
        "callbacks": {"check": "token", "receipts": {"id": ["${id}"], "state": ["${status}"]}},
    }
    for path, value in changes.items():
        *above, last = path.split("__")
        inner = definition
        for step in above:
            inner = inner[step]
        inner[last] = value
    return definition


DEEP: Any = "${to}"
for _ in range(20):
    DEEP = {"a": DEEP}

BAD: list[tuple[str, object, str]] = [
    ("no object", "twilio", ""),
    ("nothing", {}, ".name"),
    ("an unknown key", good(sned={}), ".sned"),
    ("a name that is none", good(name="My carrier"), ".name"),
    ("a path to another host", good(send__path="https://evil.example/"), ".send.path"),
    ("a path with a line end", good(send__path="/send\n"), ".send.path"),
    ("a recipe nobody knows", good(send__auth={"recipe": "rot13"}), ".send.auth.recipe"),
    ("a key without its header", good(send__auth={"recipe": "header_key"}), ".send.auth.scope"),
    ("a service left out", good(send__auth={"recipe": "tencent_tc3"}), ".send.auth.scope"),
    ("a hash nobody has", good(send__auth={"recipe": "vonage", "scope": "crc"}), ".send.auth.scope"),
    (
        "a form signature over JSON",
        good(send__auth={"recipe": "vonage", "scope": "sha256"}, send__body={"kind": "json", "fields": {}}),
        ".send.body.kind",
    ),
    ("a value nobody has", good(send__body__fields={"to": "${too}"}), ".send.body.fields.to"),
    ("a setting that is not declared", good(send__headers={"X-App": "${settings.ap}"}), ".send.headers.X-App"),
    ("a place that is not closed", good(send__query={"q": "${to"}), ".send.query.q"),
    ("a place without a name", good(send__query={"q": "${}"}), ".send.query.q"),
    ("a secret in the query", good(send__query={"key": "${secret}"}), ".send.query.key"),
    ("a secret in the path", good(send__path="/${secret}/send"), ".send.path"),
    ("a header with a line end", good(send__headers={"X-App": "a\r\nHost: b"}), ".send.headers[...]"),
    ("a form with two levels", good(send__body__fields={"a": {"b": "c"}}), ".send.body.fields.a"),
    ("an endless tree", good(send__body={"kind": "json", "fields": DEEP}), ".send.body.fields" + ".a" * 9),
    ("words for no value", good(send__words={"colour": {}}), ".send.words.colour"),
    ("no place of the code", good(answer__code=[]), ".answer.code"),
    ("nothing that means accepted", good(answer__accepted=[]), ".answer.accepted"),
    ("a code with two meanings", good(answer__results={"0": "busy"}), ".answer.results.0"),
    ("a result nobody has", good(answer__results={"1": "nice"}), ".answer.results[...]"),
    ("a result that only we can know", good(answer__results={"1": "unsent"}), ".answer.results[...]"),
    ("an id that is not closed", good(answer__id=["${id"]), ".answer.id.0"),
    ("rows and segments", good(answer__rows="parts", answer__segments="${n}"), ".answer.segments"),
    ("segments that are not closed", good(answer__segments="${n"), ".answer.segments"),
    ("values of a template in a form", good(send__body__fields={"a": {"$params": "object"}}), ".send.body.fields.a"),
    (
        "values of a template in no form at all",
        good(send__query={"a": {"$json": {"$params": "list"}}}),
        ".send.query.a.$json.$params",
    ),
    ("a method of its own", good(send__method="GET"), ".send.method"),
    ("a check nobody knows", good(callbacks__check="trust"), ".callbacks.check"),
    ("a callback hash nobody has", good(callbacks__check="vonage", callbacks__scope="crc"), ".callbacks.scope"),
    ("a state nobody knows", good(callbacks__receipts__states={"ok": "fine"}), ".callbacks.receipts.states[...]"),
    ("a receipt without id", good(callbacks__receipts={"state": []}), ".callbacks.receipts.id"),
    ("a time that no pattern has", good(callbacks__receipts__done={"at": "${t}", "form": "%Q"}), ".callbacks.receipts.done.form"),
    ("a time without its year", good(callbacks__receipts__done={"at": "${t}", "form": "%H"}), ".callbacks.receipts.done.form"),
    (
        "a zone beyond the earth",
        good(callbacks__receipts__done={"at": "", "utc_offset_minutes": 900}),
        ".callbacks.receipts.done.utc_offset_minutes",
    ),
    ("a reply that is a refusal", good(callbacks__reply={"status": 500}), ".callbacks.reply.status"),
    (
        "an inbound that is not closed",
        good(callbacks__inbounds={"sender": "${", "recipient": "", "text": ""}),
        ".callbacks.inbounds.sender",
    ),
]


@pytest.mark.parametrize(("name", "values", "path"), BAD, ids=[case[0] for case in BAD])
def test_a_bad_definition_is_named_with_its_fix(name: str, values: object, path: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_definition(values)
    assert (raised.value.code, raised.value.param) == ("parameter_invalid", f"settings.definition{path}")
    assert raised.value.values["fix"]


def test_a_list_of_what_may_be_written_is_said_in_chinese_too() -> None:
    with pytest.raises(Invalid) as raised:
        read_definition(good(send__auth={"recipe": "rot13"}))
    assert in_chinese(str(raised.value.values["fix"])).startswith("可选值：alibaba_acs3, ")


def test_a_definition_with_everything_is_read() -> None:
    changes: Change = {
        "takes": ["app_2"],
        "send__query": {"a": "${settings.app}", "b": {"$json": {"c": ["${text}"]}}, "d": ["${to}", "${to_digits}"]},
        "send__headers": {"X-App": "app ${settings.app_2}"},
        "callbacks__receipts__done": {"at": "${t}", "form": "%Y%m%d%H%M", "utc_offset_minutes": 480},
    }
    assert read_definition(good(**changes)).needs == ("app",)


SETTINGS: list[tuple[str, dict[str, str], str | None]] = [
    ("what it needs", {"app": "1"}, None),
    ("nothing", {}, "settings.app"),
    ("an empty value", {"app": ""}, "settings.app"),
    ("one too many", {"app": "1", "ap": "2"}, "settings.ap"),
]


@pytest.mark.parametrize(("name", "given", "param"), SETTINGS, ids=[case[0] for case in SETTINGS])
def test_settings_fit_their_definition(name: str, given: dict[str, str], param: str | None) -> None:
    definition = read_definition(good())
    if param is None:
        check_settings(definition, given, ("account",))
        return
    with pytest.raises(Invalid) as raised:
        check_settings(definition, given, ("account",))
    assert raised.value.param == param


DOCUMENT = {"a": {"b": [{"c": 1}, {"c": None}]}, "d.e": "dotted", "t": True, "x": [], "n": "", "big": 2**70}
PICKS = [
    ("a path", "${a.b.0.c}", "1"),
    ("a null", "${a.b.1.c}", ""),
    ("beyond an array", "${a.b.2.c}", ""),
    ("a number that is none", "${a.b.-1.c}", ""),
    ("a digit beyond ASCII", "${a.b.²}", ""),
    ("beyond a value", "${t.a}", ""),
    ("a key with a dot", "${d.e}", "dotted"),
    ("a truth value", "${t}", "true"),
    ("an array", "${x}", ""),
    ("a long number", "${big}", "1180591620717411303424"),
    ("text around a place", "+${a.b.0.c}-${t}", "+1-true"),
    ("text around nothing", "+86${n}", ""),
]


@pytest.mark.parametrize(("name", "template", "expected"), PICKS, ids=[case[0] for case in PICKS])
def test_a_path_leads_to_a_text(name: str, template: str, expected: str) -> None:
    assert places.pick(template, DOCUMENT) == expected


def test_a_value_is_never_read_as_a_place() -> None:
    assert places.fill("${a}", {"a": "${b}", "b": "secret"}) == "${b}"
