"""The dry run over HTTP: where a message would go, and why, without anything being stored or sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.serving import Served

CMCC, CUCC = "13800138000", "13012345678"
PATH = "/v1/routes/simulate"


@pytest.fixture
def defined(served: Served) -> Iterator[dict[str, str]]:
    """Two live connectors, one simulated, one drained, and routes to them; taken away afterwards."""
    make = served.admin.call
    accounts = {"a": {"simulated": False}, "b": {"simulated": False}, "s": {}, "d": {"simulated": False}}
    found = {name: make("POST", "/v1/connectors", served.connector_body(name=name, **fields))["id"] for name, fields in accounts.items()}
    make("POST", f"/v1/connectors/{found['d']}/drain")
    bodies: list[dict[str, Any]] = [
        {"name": "mobile", "rank": 1, "connectors": ["d", "a"], "match": {"operators": ["cmcc"], "prefixes": ["+86138"]}},
        {"name": "signed", "rank": 2, "connectors": ["b", "s"], "match": {"signatures": ["雁书"]}},
        {"name": "off", "rank": 3, "connectors": ["b"], "enabled": False},
    ]
    routes = {
        body["name"]: make("POST", "/v1/routes", {**body, "connectors": [found[name] for name in body["connectors"]]})["id"]
        for body in bodies
    }
    yield found | routes
    for ident in routes.values():
        make("DELETE", f"/v1/routes/{ident}")
    for ident in found.values():
        make("DELETE", f"/v1/connectors/{ident}")


CASES: list[tuple[str, dict[str, Any], list[str], dict[str, str | None], dict[str, str]]] = [
    ("one route", {"to": CMCC}, ["a"], {"d": "connector_drained", "a": None}, {"signed": "signatures", "off": "disabled"}),
    (
        "two routes",
        {"to": "+86 138-0013-8000", "signature": "雁书"},
        ["a", "b"],
        {"d": "connector_drained", "a": None, "b": None, "s": "connector_simulated"},
        {"off": "disabled"},
    ),
    ("no route", {"to": CUCC, "lane": "otp"}, [], {}, {"mobile": "operators", "signed": "signatures", "off": "disabled"}),
    ("another range", {"to": "13911138000"}, [], {}, {"mobile": "prefixes", "signed": "signatures", "off": "disabled"}),
]


@pytest.mark.parametrize(("body", "goes", "candidates", "passed"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_it_is_told_where_a_message_would_go(
    served: Served,
    defined: dict[str, str],
    body: dict[str, Any],
    goes: list[str],
    candidates: dict[str, str | None],
    passed: dict[str, str],
) -> None:
    found = served.admin.call("POST", PATH, body)
    assert found["connectors"] == [defined[name] for name in goes]
    assert {row["name"]: row["why"] for row in found["candidates"]} == candidates
    assert {row["name"]: row["why"] for row in found["passed"]} == passed
    assert len(found["sentences"]) == 1 + len(candidates) + len(passed)


def test_it_tells_what_sending_would_do_and_sends_nothing(served: Served, defined: dict[str, str]) -> None:
    before = [len(served.admin.call("GET", path)["data"]) for path in ("/v1/messages", "/v1/audit?limit=200", "/v1/events")]
    found = served.admin.call("POST", PATH, {"to": CMCC, "signature": "雁书"})
    assert (found["to"], found["country"], found["operator"], found["signature"]) == ("+8613800138000", "CN", "cmcc", "雁书")
    previewed = served.admin.call("POST", "/v1/messages/preview", {"to": CMCC, "text": "您好", "signature": "雁书"})
    assert found["connectors"] == previewed["candidates"]
    after = [len(served.admin.call("GET", path)["data"]) for path in ("/v1/messages", "/v1/audit?limit=200", "/v1/events")]
    assert after == before


def test_the_story_is_told_in_english_and_chinese(served: Served, defined: dict[str, str]) -> None:
    english, chinese = (served.admin.call("POST", PATH, {"to": CUCC}, Accept_Language=tag)["sentences"] for tag in ("en", "zh-CN"))
    assert english == [
        "It would be refused with no_route_accepts_content: no connector may carry it.",
        "Route mobile is not for it: its operators leave out cucc.",
        "Route signed is not for it: its signatures leave out what is not known or not there.",
        "Route off is switched off.",
    ]
    assert chinese[1:3] == [
        "路由 mobile 不适用：其条件 operators 不包含 cucc。",
        "路由 signed 不适用：其条件 signatures 不包含 未知或缺失的值。",
    ]
    goes = served.admin.call("POST", PATH, {"to": CMCC}, Accept_Language="zh")["sentences"]
    assert goes[:2] == ["将经通道 a 发送；其后另有 0 个备选通道。", "通道 d：未选用：通道已停用。"]


def test_a_test_key_sees_test_traffic(served: Served, defined: dict[str, str]) -> None:
    found = served.caller("routes:read", livemode=False).call("POST", PATH, {"to": "+8610000000001", "signature": "雁书"})
    assert found["connectors"] == [defined["s"]]
    assert {row["name"]: row["why"] for row in found["candidates"]} == {"b": "connector_live", "s": None}


def test_another_workspace_is_asked_for_by_its_id(served: Served, defined: dict[str, str]) -> None:
    theirs = served.workspace()
    route = served.admin.call("POST", "/v1/routes", {"name": "t", "connectors": [defined["b"]], "match": {"workspaces": [theirs]}})["id"]
    assert served.admin.call("POST", PATH, {"to": CUCC, "workspace": theirs})["connectors"] == [defined["b"]]
    assert served.admin.call("POST", PATH, {"to": CUCC})["connectors"] == []
    served.admin.call("DELETE", f"/v1/routes/{route}")


BAD = [
    ("no number", {}, "to", "缺少"),
    ("a number that is none", {"to": "123"}, "to", "号码"),
    ("a test number", {"to": "+8610000000001"}, "to", "测试密钥"),
    ("no such lane", {"to": CMCC, "lane": "fast"}, "lane", "取值"),
    ("no such workspace", {"to": CMCC, "workspace": "ws_none"}, "workspace", "工作区"),
    ("a signature in its brackets", {"to": CMCC, "signature": "【雁书】"}, "signature", "应匹配"),
    ("a text", {"to": CMCC, "text": "hi"}, "text", ""),
]


@pytest.mark.parametrize(("body", "param", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_makes_no_sense_is_refused_by_name(served: Served, body: dict[str, Any], param: str, said: str) -> None:
    answer = served.admin.ask("POST", PATH, body, Accept_Language="zh")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (422, param)
    assert said in error["message"]


def test_reading_routes_is_enough_and_asked_for(served: Served) -> None:
    assert served.caller("routes:read").ask("POST", PATH, {"to": CMCC}).status_code == 200
    assert served.caller("messages:send").refused("POST", PATH, {"to": CMCC}) == (403, "scope_missing")
