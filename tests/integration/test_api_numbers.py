"""Numbers over HTTP: what is known of them, in any spelling."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.integration.serving import Served
from yanshu.domain.lessons import Lesson, Strike
from yanshu.domain.numbers import Operator, Source
from yanshu.domain.outcomes import OutcomeClass

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


def _teach(served: Served, number: str) -> None:
    """A number that China Mobile has lost, and where nobody was found on two days."""
    store, now = served.platform.store, served.platform.clock.now()
    strikes = tuple(Strike(now - timedelta(days=days), OutcomeClass.INVALID_NUMBER, "MK:0001", "msg_other") for days in (2, 1))

    async def work() -> None:
        async with store.write() as uow:
            lesson = Lesson(number=number, updated_at=now, expires_at=now + timedelta(days=180), strikes=strikes)
            lesson = replace(lesson, operator=Operator.CTCC, source=Source.LEARNED, confidence=33, evidence="msg_other", learned_at=now)
            lesson = replace(lesson, trusted_until=now + timedelta(days=180), moved_from=(Operator.CMCC,))
            await uow.lessons.save([replace(lesson, dead_since=now - timedelta(days=1), probe_at=now + timedelta(days=89))])
            await uow.commit()
        await served.platform.stages.numbers.refresh()

    served.run(work())


def test_what_was_learned_is_told_and_can_be_forgotten(served: Served) -> None:
    _teach(served, "+8613800138001")
    found = served.admin.call("GET", "/v1/numbers/13800138001")
    assert (found["operator"], found["original_operator"], found["ported"], found["source"]) == ("ctcc", "cmcc", True, "learned")
    assert (found["confidence"], found["moved_from"]) == (33, ["cmcc"])
    assert [(strike["outcome"], strike["code"]) for strike in found["strikes"]] == [("invalid_number", "MK:0001")] * 2
    assert found["dead_since"] < found["checked_at"] < found["probe_at"]
    assert "msg_other" not in json.dumps(found), "the messages of other workspaces are nobody's business"

    wish = {"to": "13800138001", "text": "【雁书】您好", "lane": "marketing"}
    answer = served.admin.ask("POST", "/v1/messages", wish, Accept_Language="zh")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"], error["type"]) == (422, "suppressed", "to", "recipient_error")
    assert found["probe_at"][:10] in error["message"]

    assert served.caller("numbers:read").refused("DELETE", "/v1/numbers/13800138001/lesson") == (403, "scope_missing")
    forgotten = served.admin.call("DELETE", "/v1/numbers/13800138001/lesson")
    assert forgotten == {"id": "+8613800138001", "object": "lesson", "deleted": True}
    assert served.admin.refused("DELETE", "/v1/numbers/13800138001/lesson") == (404, "resource_missing")
    found = served.admin.call("GET", "/v1/numbers/13800138001")
    assert (found["operator"], found["source"], found["confidence"], found["dead_since"]) == ("cmcc", "prefix", None, None)


def test_a_lesson_is_forgotten_by_any_spelling_of_the_number(served: Served) -> None:
    _teach(served, "+8613800138002")
    assert served.admin.call("DELETE", "/v1/numbers/0086-138-0013-8002/lesson")["id"] == "+8613800138002"
    assert served.admin.refused("DELETE", "/v1/numbers/nobody/lesson") == (422, "phone_invalid")
