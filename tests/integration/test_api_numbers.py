"""Numbers over HTTP: what is known of them, in any spelling."""

import pytest

from tests.integration.serving import Served

KNOWN = [
    ("a mainland number", "13800138000", "+8613800138000", ("CN", "cmcc", "mobile")),
    ("with its country code", "%2B8619212345678", "+8619212345678", ("CN", "cbn", "mobile")),
    ("of a virtual operator", "008617091234567", "+8617091234567", ("CN", "cucc", "virtual")),
    ("of nobody's range", "15412345678", "+8615412345678", ("CN", None, "unknown")),
    ("abroad", "%2B85261234567", "+85261234567", ("HK", None, "unknown")),
]


@pytest.mark.parametrize(("name", "asked", "number", "facts"), KNOWN, ids=[case[0] for case in KNOWN])
def test_a_number_is_told(served: Served, name: str, asked: str, number: str, facts: tuple[str, str | None, str]) -> None:
    found = served.admin.call("GET", f"/v1/numbers/{asked}")
    assert (found["number"], (found["country"], found["operator"], found["kind"])) == (number, facts)
    assert (found["original_operator"], found["ported"], found["source"]) == (facts[1], False, "prefix")


@pytest.mark.parametrize(("asked", "code"), [("123", "phone_invalid"), ("%2B861012345678", "phone_not_mobile"), ("abc", "phone_invalid")])
def test_what_is_no_mobile_number_is_refused_by_name(served: Served, asked: str, code: str) -> None:
    answer = served.admin.ask("GET", f"/v1/numbers/{asked}")
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]) == (422, code, "e164")


def test_the_scope_is_asked_for(served: Served) -> None:
    assert served.caller("messages:read").refused("GET", "/v1/numbers/13800138000") == (403, "scope_missing")
    assert served.caller("numbers:read").call("GET", "/v1/numbers/13800138000")["operator"] == "cmcc"
