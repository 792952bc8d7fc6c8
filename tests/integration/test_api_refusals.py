"""Bad requests over HTTP: what is refused, with which code, naming which field, and in which language."""

import json
from typing import Any

import pytest

from tests.integration.serving import TEXT, Api, Served

GOOD = {"to": "13800138000", "text": TEXT}
SEND = "/v1/messages/preview"
ALWAYS = ("request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy")


@pytest.fixture(scope="module")
def served(served_on_either: Served) -> Served:
    return served_on_either


DEEP = b'{"name":"a","protocol":"smpp","host":"h","port":1,"settings":{"a":' + b"[" * 100_000


def message(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def batch(*recipients: Any, **fields: Any) -> bytes:
    return json.dumps({"text": TEXT, "start": False, "recipients": list(recipients), **fields}).encode()


BODIES = [
    ("no JSON", SEND, b"hello", 400, "malformed_json", None),
    ("half a JSON", SEND, message()[:-1], 400, "malformed_json", None),
    ("nothing", SEND, b"", 400, "malformed_json", None),
    ("two JSONs", SEND, message() * 2, 400, "malformed_json", None),
    ("broken UTF-8", SEND, b'{"to":"13800138000","text":"\xff\xfe"}', 400, "malformed_json", None),
    ("a lone surrogate", SEND, b'{"to":"13800138000","text":"\\ud83d"}', 400, "malformed_json", None),
    ("NaN", SEND, b'{"to":"13800138000","text":"a","priority":NaN}', 400, "malformed_json", None),
    ("a key twice", SEND, b'{"to":"13800138000","to":"13800138001","text":"a"}', 400, "malformed_json", "to"),
    ("a key twice inside", SEND, b'{"to":"13800138000","text":"a","metadata":{"a":"1","a":"2"}}', 400, "malformed_json", "a"),
    ("very deep", "/v1/connectors", DEEP, 400, "malformed_json", None),
    ("deep in metadata", SEND, message(metadata={"a": [[[]]]}), 422, "parameter_invalid", "metadata[...]"),
    ("a list", SEND, b"[]", 422, "parameter_invalid", "body"),
    ("null", SEND, b"null", 422, "parameter_invalid", "body"),
    ("no recipient", SEND, b'{"text":"a"}', 422, "parameter_missing", "to"),
    ("no text", SEND, b'{"to":"13800138000"}', 422, "parameter_missing", "text"),
    ("a number for a phone", SEND, message(to=13800138000), 422, "parameter_invalid", "to"),
    ("an empty text", SEND, message(text=""), 422, "parameter_invalid", "text"),
    ("a text without end", SEND, message(text="长" * 5001), 422, "parameter_invalid", "text"),
    ("a NUL", SEND, message(text="a\0b"), 422, "parameter_invalid", "text"),
    ("an unknown field", SEND, message(txet="a"), 422, "unknown_parameter", "txet"),
    ("an unknown field inside", SEND, message(routing={"pol": []}), 422, "unknown_parameter", "routing.pol"),
    ("a template, which is of a later version", SEND, message(template={"id": "tpl_1"}), 422, "unknown_parameter", "template"),
    ("too many metadata", SEND, message(metadata={f"k{n}": "" for n in range(51)}), 422, "parameter_invalid", "metadata"),
    ("an unknown lane", SEND, message(lane="express"), 422, "parameter_invalid", "lane"),
    ("a priority too high", SEND, message(priority=10), 422, "parameter_invalid", "priority"),
    ("a boolean priority", SEND, message(priority=True), 422, "parameter_invalid", "priority"),
    ("a time without offset", SEND, message(send_at="2026-01-01T00:00:00"), 422, "parameter_invalid", "send_at"),
    ("a time that is none", SEND, message(send_at="tomorrow"), 422, "parameter_invalid", "send_at"),
    ("a time long gone", SEND, message(send_at="2020-01-01T00:00:00Z"), 422, "send_at_past", "send_at"),
    ("a time too far", SEND, message(send_at="9999-12-31T23:59:59Z"), 422, "send_at_too_far", "send_at"),
    ("no phone number", SEND, message(to="12"), 422, "phone_invalid", "to"),
    ("a landline", SEND, message(to="+861062345678"), 422, "phone_not_mobile", "to"),
    ("a test number by a live key", SEND, message(to="+8610000000001"), 422, "phone_invalid", "to"),
    ("a missing param", SEND, message(text="${code}"), 422, "template_param_missing", "params.code"),
    ("a callback into our network", SEND, message(callback_url="http://10.0.0.1/"), 422, "parameter_invalid", "callback_url"),
    ("recipients that are no list", "/v1/batches", batch()[:-3] + b'"x"}', 422, "parameter_invalid", "recipients"),
    ("a recipient that is a text", "/v1/batches", batch("13800138000"), 422, "parameter_invalid", "recipients[0]"),
    ("a recipient without number", "/v1/batches", batch({"to": "13800138000"}, {}), 422, "parameter_missing", "recipients[1].to"),
    ("a number in params", "/v1/batches", batch({"to": "1", "params": {"a": 1}}), 422, "parameter_invalid", "recipients[0].params[...]"),
    ("an unknown field of one", "/v1/batches", batch({"to": "1", "parms": {}}), 422, "unknown_parameter", "recipients[0].parms"),
    ("too many recipients", "/v1/batches", batch(*[{"to": "1"}] * 10_001), 413, "batch_too_large", "recipients"),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "param"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_bad_body_is_refused_with_the_field_that_is_wrong(
    served: Served, path: str, body: bytes, status: int, code: str, param: str | None
) -> None:
    answer = served.admin.ask("POST", path, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["request_id"] == answer.headers["request-id"]
    assert error["doc_url"] == f"{served.platform.url}/docs/errors#{code}"
    assert (error["retryable"], error["details"]) == (False, [])


SUGGESTIONS = [
    ("a typo", SEND, message(txet="a"), "text"),
    ("a typo inside", SEND, message(dedupe={"key": "a", "windows": 3}), "window_s"),
    ("a typo in a list", "/v1/batches", batch({"to": "1", "parms": {}}), "params"),
]


@pytest.mark.parametrize(("path", "body", "meant"), [row[1:] for row in SUGGESTIONS], ids=[row[0] for row in SUGGESTIONS])
def test_an_unknown_field_comes_with_the_one_that_was_meant(served: Served, path: str, body: bytes, meant: str) -> None:
    assert f"did you mean {meant}?" in served.admin.ask("POST", path, body).json()["error"]["message"]


QUERIES = [
    ("a limit too high", "limit=201", "parameter_invalid", "limit"),
    ("a limit that is no number", "limit=many", "parameter_invalid", "limit"),
    ("an unknown filter", "stats=queued", "unknown_parameter", "stats"),
    ("an unknown status", "status=sent", "parameter_invalid", "status"),
    ("a parameter twice", "limit=1&limit=2", "parameter_invalid", "limit"),
    ("a cursor of our own make", "cursor=%27%20or%201", "parameter_invalid", "cursor"),
    ("a cursor of another list", "cursor=bat_01M888DQX5GQJXYN4RBD1P5S1P", "parameter_invalid", "cursor"),
    ("a filter of a later version", "campaign=cmp_1", "unknown_parameter", "campaign"),
    ("a phone number that is none", "to=12", "parameter_invalid", "to"),
    ("a time that is none", "created_after=now", "parameter_invalid", "created_after"),
    ("a NUL", "client_reference=%00", "parameter_invalid", "client_reference"),
]


@pytest.mark.parametrize(("query", "code", "param"), [row[1:] for row in QUERIES], ids=[row[0] for row in QUERIES])
def test_a_bad_query_is_refused_with_the_parameter_that_is_wrong(served: Served, query: str, code: str, param: str) -> None:
    answer = served.admin.ask("GET", f"/v1/messages?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (422, code, param)


HEADERS = [
    ("a form", {"Content_Type": "application/x-www-form-urlencoded"}, 400, "invalid_content_type", "Content-Type"),
    ("an empty Idempotency-Key", {"Idempotency_Key": ""}, 422, "parameter_invalid", "Idempotency-Key"),
    ("a long Idempotency-Key", {"Idempotency_Key": "k" * 256}, 422, "parameter_invalid", "Idempotency-Key"),
]


@pytest.mark.parametrize(("headers", "status", "code", "param"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_a_bad_header_is_refused(served: Served, headers: dict[str, str], status: int, code: str, param: str) -> None:
    answer = served.admin.ask("POST", SEND, message(), **headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)


def test_a_body_beyond_the_limit_is_refused_whatever_it_says(served: Served) -> None:
    limit = served.platform.settings.body_limit_bytes
    assert served.admin.refused("POST", SEND, b" " * (limit + 1)) == (413, "batch_too_large")


STRAY = [
    ("an unknown path", "GET", "/v1/massages", 404, "resource_missing"),
    ("an unknown path outside", "GET", "/admin.php", 404, "resource_missing"),
    ("an id nobody has", "GET", "/v1/messages/msg_1", 404, "resource_missing"),
    ("a wrong method", "PUT", "/v1/messages", 405, "method_not_allowed"),
    ("a wrong method on one", "DELETE", "/v1/messages/msg_1", 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), [row[1:] for row in STRAY], ids=[row[0] for row in STRAY])
def test_what_is_not_there_is_answered_in_the_same_shape(served: Served, method: str, path: str, status: int, code: str) -> None:
    answer = served.admin.ask(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["request_id"] == answer.headers["request-id"]


def test_a_wrong_method_is_told_the_right_ones(served: Served) -> None:
    allowed = served.admin.ask("PUT", "/v1/messages").headers["allow"]
    assert {"GET", "POST"} <= {method.strip() for method in allowed.split(",")}


LANGUAGES = [
    ("none named", "", "There is no"),
    ("English", "en-GB,en;q=0.9", "There is no"),
    ("Chinese", "zh-CN", "不存在"),
    ("Chinese first", "zh-Hans-CN, en;q=0.8", "不存在"),
    ("neither, then Chinese", "fr-FR, zh;q=0.5, en;q=0.4", "不存在"),
    ("nonsense", ";;;,", "There is no"),
]


@pytest.mark.parametrize(("wanted", "said"), [row[1:] for row in LANGUAGES], ids=[row[0] for row in LANGUAGES])
def test_refusals_speak_the_language_of_the_caller(served: Served, wanted: str, said: str) -> None:
    assert said in served.admin.ask("GET", "/v1/messages/msg_1", Accept_Language=wanted).json()["error"]["message"]


ANSWERS = [
    ("a page", "GET", "/v1/messages", None, 200),
    ("a refusal", "POST", SEND, b"{}", 422),
    ("an unknown path", "GET", "/v1/massages", None, 404),
    ("a wrong method", "PUT", "/v1/messages", None, 405),
    ("the document", "GET", "/openapi.json", None, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("known", [True, False], ids=["by a key", "by nobody"])
def test_every_answer_names_itself_and_the_rate(
    served: Served, known: bool, method: str, path: str, body: bytes | None, status: int
) -> None:
    caller = served.admin if known else served.client()
    answer = caller.ask(method, path, body)
    assert answer.status_code == (status if known or not path.startswith("/v1/messages") or status == 405 else 401)
    assert [name for name in ALWAYS if name not in answer.headers] == []
    assert answer.headers["request-id"].startswith("req_")


def test_no_two_answers_have_the_same_name(served: Served) -> None:
    names = {served.admin.ask("GET", path).headers["request-id"] for path in ("/v1/messages", "/v1/messages", "/nowhere", "/nowhere")}
    assert len(names) == 4


def test_a_key_learns_its_own_rate_also_from_refusals(served: Served) -> None:
    caller: Api = served.caller("messages:read", requests_per_second=7)
    for path in ("/v1/messages", "/v1/batches"):
        headers = caller.ask("GET", path).headers
        assert (headers["ratelimit-limit"], headers["ratelimit-policy"]) == ("7", '7;w=1;name="requests"')
