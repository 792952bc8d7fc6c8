"""Messages over HTTP: every field that can be given, every way to look at what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.serving import TEXT, Api, Served, until

TO = "13800138000"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def connected(served: Served) -> Served:
    """Two live connectors to the simulated carrier, best first; the second is tried when the first is excluded."""
    connectors = [
        served.admin.call("POST", "/v1/connectors", served.connector_body(simulated=False, name=name))["id"] for name in ("first", "second")
    ]
    served.admin.call("POST", "/v1/routes", {"name": "live", "connectors": connectors})
    for ident in connectors:
        until("the link", lambda path=f"/v1/connectors/{ident}/health": served.admin.call("GET", path)["state"] == "up")
    return served


def sent(caller: Api, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = caller.call("POST", "/v1/messages", {"to": TO, "text": TEXT, **fields})
    return made


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def tomorrow(**more: float) -> str:
    return (datetime.now(UTC) + DAY + timedelta(**more)).isoformat()


def connectors_of(caller: Api) -> list[str]:
    """The ids of the two connectors, best first."""
    found: list[str] = caller.call("POST", "/v1/messages/preview", {"to": TO, "text": TEXT})["candidates"]
    return found


def test_every_field_of_a_message_is_taken_and_shown(connected: Served) -> None:
    when = tomorrow()
    fields = {
        "to": "+86 138-0013 8000",
        "text": "${code} 是您的验证码",
        "params": {"code": "482913"},
        "signature": "雁书",
        "lane": "otp",
        "sender": "1069",
        "extension": "88",
        "send_at": when,
        "expires_in": 120,
        "priority": 9,
        "client_reference": "order-1",
        "callback_url": "https://example.com/hook",
        "metadata": {f"k{number}": "v" for number in range(50)},
        "routing": {"pool": [], "exclude": [], "risk": "best_effort"},
        "dedupe": {"key": "order-1", "window_s": 60},
    }
    made = connected.admin.call("POST", "/v1/messages", fields)
    assert (made["to"], made["text"]) == ("+8613800138000", "【雁书】482913 是您的验证码")
    assert (made["sender"], made["lane"], made["priority"], made["status"]) == ("106988", "otp", 9, "scheduled")
    assert (at(made["send_at"]), at(made["expires_at"])) == (at(when), at(when) + timedelta(seconds=120))
    assert {name: made[name] for name in ("client_reference", "callback_url", "metadata")} == {
        name: fields[name] for name in ("client_reference", "callback_url", "metadata")
    }
    assert (made["object"], made["livemode"], made["encoding"], made["segments"]) == ("message", True, "ucs2", 1)
    seen = connected.admin.call("GET", f"/v1/messages/{made['id']}")
    assert {name: seen[name] for name in made} == made


@pytest.mark.parametrize(("lane", "life"), [("otp", timedelta(minutes=5)), ("notice", timedelta(hours=4)), (None, timedelta(hours=4))])
def test_a_lane_says_how_long_a_message_may_wait(connected: Served, lane: str | None, life: timedelta) -> None:
    made = sent(connected.admin, send_at=tomorrow(), **({"lane": lane} if lane else {}))
    assert at(made["expires_at"]) - at(made["send_at"]) == life


@pytest.mark.parametrize(
    ("label", "ahead", "code"),
    [
        ("now", timedelta(), None),
        ("a clock that is a little slow", timedelta(seconds=-30), None),
        ("a year and a day", timedelta(days=366, seconds=-30), None),
        ("past", timedelta(seconds=-90), "send_at_past"),
        ("later than that", timedelta(days=366, seconds=30), "send_at_too_far"),
    ],
)
def test_a_message_may_be_sent_from_now_to_a_year_ahead(connected: Served, label: str, ahead: timedelta, code: str | None) -> None:
    answer = connected.admin.ask("POST", "/v1/messages", {"to": TO, "text": TEXT, "send_at": (datetime.now(UTC) + ahead).isoformat()})
    assert (answer.status_code, answer.json().get("error", {}).get("code")) == ((202, None) if code is None else (422, code)), label


def test_a_preview_tells_what_a_message_will_be_and_stores_nothing(connected: Served) -> None:
    admin = connected.admin
    wish = {"to": TO, "text": "长" * 68 + "😀" * 3, "signature": "雁书", "client_reference": "preview"}
    for answer in (admin.ask("POST", "/v1/messages/preview", wish), admin.ask("POST", "/v1/messages", {**wish, "dry_run": True})):
        assert answer.status_code == 200
        preview = answer.json()
        assert (preview["object"], preview["segments"], preview["units"]) == ("message_preview", 2, 78)
        assert ("".join(preview["pieces"]), len(preview["pieces"])) == (preview["text"], 2)
    assert admin.call("GET", "/v1/messages?client_reference=preview")["data"] == []
    made = admin.call("POST", "/v1/messages", {**wish, "send_at": tomorrow()})
    assert [made[name] for name in ("text", "encoding", "units", "segments")] == [
        preview[name] for name in ("text", "encoding", "units", "segments")
    ]


def test_a_dedupe_key_is_good_for_one_message_in_its_window(connected: Served) -> None:
    wish = {"to": TO, "text": TEXT, "send_at": tomorrow(), "dedupe": {"key": "once", "window_s": 600}}
    connected.admin.call("POST", "/v1/messages", {**wish, "dry_run": True})
    connected.admin.call("POST", "/v1/messages", wish)
    assert connected.admin.refused("POST", "/v1/messages", wish) == (422, "duplicate_content")
    connected.admin.call("POST", "/v1/messages", {**wish, "dedupe": {"key": "twice"}})


def test_a_reference_is_unique_only_if_asked(connected: Served) -> None:
    wish = {"to": TO, "text": TEXT, "send_at": tomorrow(), "client_reference": "r-1"}
    for _ in range(2):
        connected.admin.call("POST", "/v1/messages", wish)
    connected.admin.call("POST", "/v1/messages", {**wish, "unique_reference": True, "client_reference": "r-2"})
    again = {**wish, "unique_reference": True, "client_reference": "r-2"}
    assert connected.admin.refused("POST", "/v1/messages", again) == (409, "client_reference_exists")


def test_routing_may_be_narrowed(connected: Served) -> None:
    first, second = connectors_of(connected.admin)
    choices = [({"exclude": [first]}, second), ({"pool": [second]}, second), ({"pool": [first, second]}, first), ({}, first)]
    for routing, chosen in choices:
        assert sent(connected.admin, send_at=tomorrow(), routing=routing)["connector"] == chosen
    wish = {"to": TO, "text": TEXT, "routing": {"pool": ["con_none"]}}
    assert connected.admin.refused("POST", "/v1/messages", wish) == (422, "no_route_accepts_content")


def test_the_list_has_every_filter_and_pages_by_key(connected: Served) -> None:
    caller = connected.caller("messages:send", "messages:read", "batches:write", workspace=connected.workspace())
    first, second = connectors_of(caller)
    began = datetime.now(UTC) - timedelta(seconds=1)
    mine = [sent(caller, send_at=tomorrow(), client_reference=f"r{number}")["id"] for number in range(3)]
    other = sent(caller, to="13900139000", lane="otp", send_at=tomorrow(), routing={"pool": [second]})["id"]
    body = {"text": TEXT, "recipients": [{"to": TO}], "send_at": tomorrow()}
    batch = caller.call("POST", "/v1/batches", body)["id"]
    caller.call("POST", f"/v1/messages/{mine[0]}/cancel")

    def listed(query: str) -> list[str]:
        return [row["id"] for row in caller.call("GET", f"/v1/messages?order=asc&{query}")["data"]]

    assert listed("status=canceled") == mine[:1]
    assert listed("to=%2B86 139 0013 9000") == listed("lane=otp") == [other]
    assert listed("client_reference=r1") == mine[1:2]
    assert len(listed(f"batch={batch}")) == 1
    assert set(listed(f"connector={second}")) == {other}
    assert other not in listed(f"connector={first}")
    moment = began.isoformat().replace("+00:00", "Z")
    assert len(listed(f"created_after={moment}")) == 5
    assert listed(f"created_before={moment}") == []
    pages, cursor = [], ""
    while True:
        page = caller.call("GET", f"/v1/messages?limit=2{cursor}")
        pages.append([row["id"] for row in page["data"]])
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
        sent(caller, send_at=tomorrow())  # what comes meanwhile moves no page
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {ident for page in pages for ident in page} >= {*mine, other}


def test_a_message_is_moved_and_taken_back_while_it_waits(connected: Served) -> None:
    made = sent(connected.admin, send_at=tomorrow(), expires_in=600)
    path, later = f"/v1/messages/{made['id']}", tomorrow(hours=5)
    moved = connected.admin.call("PATCH", path, {"send_at": later})
    assert (moved["status"], at(moved["send_at"]), at(moved["expires_at"]) - at(later)) == ("scheduled", at(later), timedelta(minutes=10))
    canceled = connected.admin.call("POST", f"{path}/cancel")
    assert (canceled["status"], canceled["reason"]["code"], canceled["reason"]["owner"]) == ("canceled", "canceled_by_caller", "workspace")
    for method, where, body in (("PATCH", path, {"send_at": later}), ("POST", f"{path}/cancel", {})):
        assert connected.admin.refused(method, where, body) == (409, "state_conflict")
    actions = [row["action"] for row in connected.admin.call("GET", "/v1/audit")["data"] if row["about"] == made["id"]]
    assert actions == ["message.canceled", "message.rescheduled"]


def test_the_story_of_a_long_text_is_told_from_every_side(connected: Served) -> None:
    path = f"/v1/messages/{sent(connected.admin, text='长' * 100)['id']}"
    until("the delivery", lambda: connected.admin.call("GET", path)["status"] == "delivered")
    seen = connected.admin.call("GET", path)
    assert seen["segment_status"] == [{"segment": 1, "status": "delivered"}, {"segment": 2, "status": "delivered"}]
    assert seen["submissions"] == connected.admin.call("GET", f"{path}/submissions")["data"]
    assert [(row["segment"], row["total"], row["receipt"]["stat"]) for row in seen["submissions"]] == [(1, 2, "DELIVRD"), (2, 2, "DELIVRD")]
    told = [step["type"] for step in seen["timeline"]]
    assert (told[0], told[-1]) == ("message.accepted", "message.delivered")
    why = connected.admin.call("GET", f"{path}/explain", Accept_Language="zh-CN")
    assert (why["object"], why["status"], why["country"]) == ("explanation", "delivered", "CN")
    assert why["sentences"][0].startswith("已受理：共 2 条")
    assert why["sentences"][-1] == "已送达，无需处理。"
    assert [candidate["place"] for candidate in why["candidates"] if candidate["chosen"]] == [1, 2]
    assert [attempt["receipt"]["stat"] for attempt in why["attempts"]] == ["DELIVRD", "DELIVRD"]
    assert "It is delivered" in connected.admin.call("GET", f"{path}/explain")["sentences"][-1]
