"""The dry run over HTTP: where a message would go, and why, without anything being stored or sent."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.serving import Served, until

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
    assert len(found["sentences"]) == 2 + len(candidates) + len(passed)


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
        "The number is one of cucc: its range was given to it.",
        "It would be refused with no_route_accepts_content: no connector may carry it.",
        "Route mobile is not for it: its operators leave out cucc.",
        "Route signed is not for it: its signatures leave out what is not known or not there.",
        "Route off is switched off.",
    ]
    assert chinese[2:4] == [
        "路由 mobile 不适用：其条件 operators 不包含 cucc。",
        "路由 signed 不适用：其条件 signatures 不包含 未知或缺失的值。",
    ]
    goes = served.admin.call("POST", PATH, {"to": CMCC}, Accept_Language="zh")["sentences"]
    assert goes[1:4] == ["将经通道 a 发送；其后另有 0 个备选通道。", "通道 d：未选用：通道已停用。", "通道 a：可用，第 1 顺位。"]


def test_a_time_and_tags_may_be_thought_of(served: Served, defined: dict[str, str]) -> None:
    match = {"hours": [{"from": "22:00", "to": "06:00"}], "metadata": {"tag": ["night"]}}
    route = served.admin.call("POST", "/v1/routes", {"name": "n", "rank": 0, "connectors": [defined["b"]], "match": match})["id"]
    asked = {"to": CUCC, "send_at": "2026-11-25T23:00:00+08:00", "metadata": {"tag": "night"}}
    found = served.admin.call("POST", PATH, asked)
    assert (found["connectors"], found["send_at"]) == ([defined["b"]], "2026-11-25T15:00:00Z")
    for other, said in (
        ({"send_at": "2026-11-26T06:00:00+08:00"}, "Route n is not for it: its hours leave out 2026-11-26 06:00."),
        ({"metadata": {"tag": "day"}}, "Route n is not for it: its metadata leave out tag=day."),
    ):
        assert said in served.admin.call("POST", PATH, asked | other, Accept_Language="en")["sentences"]
    served.admin.call("DELETE", f"/v1/routes/{route}")


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


@pytest.fixture
def pooled(served: Served) -> Iterator[dict[str, str]]:
    """Three live connectors with prices, and routes that split by weight and by cost."""
    make = served.admin.call
    prices: dict[str, list[dict[str, Any]]] = {
        "a": [_price(32_000), _price(30_000, operator="cmcc"), _price(45_000, operator="cmcc", lane="otp")],
        "b": [_price(31_000, country="CN")],
        "c": [],
    }
    found = {
        name: make("POST", "/v1/connectors", served.connector_body(name=name, simulated=False, prices=table))["id"]
        for name, table in prices.items()
    }
    pool = [{"connector": found["a"], "weight": 70}, {"connector": found["b"], "priority": 1, "weight": 30}, found["c"]]
    even = [{"connector": ident, "priority": 1} for ident in found.values()]
    routes = [
        make("POST", "/v1/routes", {"name": "split", "rank": 1, "connectors": pool, "match": {"signatures": ["分流"]}}),
        make("POST", "/v1/routes", {"name": "cheap", "rank": 2, "connectors": even, "prefer": "cost", "match": {"signatures": ["最低价"]}}),
    ]
    yield found | {route["name"]: route["id"] for route in routes}
    for path in (*(f"/v1/routes/{route['id']}" for route in routes), *(f"/v1/connectors/{ident}" for ident in found.values())):
        make("DELETE", path)


def _price(micros: int, **fields: str) -> dict[str, Any]:
    return {"per_segment": {"currency": "CNY", "micros": micros}, **fields}


def _simulated(served: Served, **body: object) -> Any:
    return served.admin.call("POST", PATH, {"to": CMCC, **body}, Accept_Language="en")


def test_connectors_of_one_priority_share(served: Served, pooled: dict[str, str]) -> None:
    found = _simulated(served, signature="分流", segments=3)
    rows = {row["name"]: row for row in found["candidates"]}
    assert found["connectors"] == [pooled[name] for name in "abc"]
    assert {name: (row["place"], row["share"], row["weight"]) for name, row in rows.items()} == {
        "a": (1, 70.0, 70),
        "b": (1, 30.0, 30),
        "c": (2, 100.0, 100),
    }
    assert found["price"] == {"currency": "CNY", "micros": 90_000}
    assert found["sentences"][1:6] == [
        "It would go over one of a (70 %), b (30 %); 2 more may take it after that.",
        "The carrier takes 0.09 CNY for it (3 segment(s)).",
        "Connector a: may be used, place 1, with 70 % of the messages there, 0.03 CNY a segment.",
        "Connector b: may be used, place 1, with 30 % of the messages there, 0.031 CNY a segment.",
        "Connector c: may be used, place 2.",
    ]


CHEAPEST = [
    ("by operator", {}, ["a", "b", "c"], 30_000),
    ("by operator and lane", {"lane": "otp"}, ["b", "a", "c"], 31_000),
    ("another operator", {"to": CUCC}, ["b", "a", "c"], 31_000),
]


@pytest.mark.parametrize(("body", "order", "micros"), [row[1:] for row in CHEAPEST], ids=[row[0] for row in CHEAPEST])
def test_the_cheapest_comes_first_where_a_route_says_so(
    served: Served, pooled: dict[str, str], body: dict[str, str], order: list[str], micros: int
) -> None:
    found = _simulated(served, signature="最低价", **body)
    assert (found["connectors"], found["price"]["micros"]) == ([pooled[name] for name in order], micros)


def test_a_batch_is_split_and_each_message_can_tell_why(served: Served, pooled: dict[str, str]) -> None:
    make = served.admin.call
    numbers = [{"to": f"138{number:08}"} for number in range(200)]
    batch = make("POST", "/v1/batches", {"text": "您好", "signature": "分流", "recipients": numbers})["id"]
    path = f"/v1/messages?batch={batch}&limit=200"
    rows = until("the batch", lambda: found if len(found := make("GET", path)["data"]) == 200 else None)
    taken = Counter(row["connector"] for row in rows)
    assert taken.keys() == {pooled["a"], pooled["b"]}
    assert 120 <= taken[pooled["a"]] <= 160
    for row in (next(r for r in rows if r["connector"] == pooled["a"]), next(r for r in rows if r["connector"] == pooled["b"])):
        told = make("GET", f"/v1/messages/{row['id']}/explain", Accept_Language="en")
        first = next(c for c in told["candidates"] if c["place"] == 1)
        assert (first["connector"], told["operator"], told["operator_source"]) == (row["connector"], "cmcc", "prefix")
        bounds = {"a": "(0 to 699)", "b": "(700 to 999)"}[first["name"]]
        assert any(f"the share of {first['name']} {bounds}" in sentence for sentence in told["sentences"])
        assert "The number is one of cmcc: its range was given to it." in told["sentences"]


def test_a_message_that_named_a_pool_says_so_of_the_others(served: Served, pooled: dict[str, str]) -> None:
    make = served.admin.call
    wish = {"routing": {"pool": [pooled["b"], pooled["c"]]}}
    ident = make("POST", "/v1/messages", {"to": CMCC, "text": "您好", "signature": "分流", **wish})["id"]
    make("PATCH", f"/v1/routes/{pooled['split']}", {"connectors": [pooled["a"], pooled["b"]]})
    make("POST", f"/v1/connectors/{pooled['b']}/drain")
    told = make("GET", f"/v1/messages/{ident}/explain", Accept_Language="en")
    assert {row["name"]: (row["place"], row["why"], row["chosen"]) for row in told["candidates"]} == {
        "a": (None, "not_chosen", False),
        "b": (1, "connector_drained", True),
        "c": (2, "no_route", True),
    }
    for sentence in (
        "Connector a: left out when it was accepted: the request named others, or routes or health have changed since.",
        "Connector b: place 1 since it was accepted, though today it would be left out: the connector is drained.",
        "Connector c: place 2 since it was accepted, though today it would be left out: no route leads there.",
    ):
        assert sentence in told["sentences"]
    make("POST", f"/v1/connectors/{pooled['b']}/resume")


def test_a_pool_is_shown_as_it_was_given(served: Served, pooled: dict[str, str]) -> None:
    route = served.admin.call("GET", f"/v1/routes/{pooled['split']}")
    members = [(member["connector"], member["priority"], member["weight"]) for member in route["connectors"]]
    assert members == [(pooled["a"], 1, 70), (pooled["b"], 1, 30), (pooled["c"], 3, 100)]
    again = served.admin.call("PATCH", f"/v1/routes/{pooled['split']}", {"connectors": route["connectors"], "prefer": "cost"})
    assert (again["connectors"], again["prefer"]) == (route["connectors"], "cost")
    connector = served.admin.call("GET", f"/v1/connectors/{pooled['a']}")
    assert connector["prices"][1] == _price(30_000, operator="cmcc")
    changed = served.admin.call("PATCH", f"/v1/connectors/{pooled['a']}", {"prices": [_price(1)]})
    assert changed["prices"] == [_price(1)]
    assert _simulated(served, signature="分流")["price"]["micros"] == 1


def test_filings_and_rules_about_senders_leave_a_connector_out(served: Served, pooled: dict[str, str]) -> None:
    make = served.admin.call
    filings = [{"signature": "分流", "state": "pending"}]
    made = make("PATCH", f"/v1/connectors/{pooled['a']}", {"requires_filing": True, "filings": filings})
    assert (made["filings"], made["requires_filing"], made["sender_length"], made["own_senders"]) == (filings, True, 20, True)
    make("PATCH", f"/v1/connectors/{pooled['b']}", {"sender": "1069", "sender_length": 8})
    make("PATCH", f"/v1/connectors/{pooled['c']}", {"own_senders": False})
    found = _simulated(served, signature="分流", sender="10690", extension="1234")
    assert {row["name"]: row["why"] for row in found["candidates"]} == {
        "a": "signature_pending",
        "b": "sender_too_long",
        "c": "sender_not_allowed",
    }
    sent = {"to": CMCC, "text": "您好", "signature": "分流", "extension": "1234"}
    assert make("POST", "/v1/messages/preview", sent)["candidates"] == [pooled["b"], pooled["c"]]
    assert served.admin.refused("POST", "/v1/messages", {**sent, "sender": "10690"}) == (422, "no_route_accepts_content")
    make("PATCH", f"/v1/connectors/{pooled['a']}", {"filings": [{"signature": "分流", "state": "filed"}]})
    assert make("POST", "/v1/messages/preview", sent)["candidates"][0] == pooled["a"]


POOLS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("a connector twice", "routes", {"connectors": ["A", {"connector": "A"}]}, "connectors[1]", "只能出现一次"),
    ("a weight below zero", "routes", {"connectors": [{"connector": "A", "weight": -1}]}, "connectors[0].weight", "0"),
    ("a priority of zero", "routes", {"connectors": [{"connector": "A", "priority": 0}]}, "connectors[0].priority", "1"),
    ("a field that does not exist", "routes", {"connectors": [{"connector": "A", "wieght": 1}]}, "connectors[0].wieght", "weight"),
    ("nobody in it", "routes", {"connectors": []}, "connectors", "长度"),
    ("a wish that does not exist", "routes", {"connectors": ["A"], "prefer": "price"}, "prefer", "取值"),
    (
        "a signature twice",
        "connectors",
        {"filings": [{"signature": "雁书", "state": "filed"}] * 2},
        "filings[1].signature",
        "只能出现一次",
    ),
    ("a state that is none", "connectors", {"filings": [{"signature": "雁书", "state": "done"}]}, "filings[0].state", "取值"),
    ("a sender that is too long", "connectors", {"sender_length": 21}, "sender_length", "20"),
    ("a price twice", "connectors", {"prices": [_price(1), _price(2)]}, "prices[1]", "只能有一个价格"),
    ("a price below zero", "connectors", {"prices": [_price(-1)]}, "prices[0].per_segment.micros", "0"),
    ("half a micro", "connectors", {"prices": [_price(0.5)]}, "prices[0].per_segment.micros", "整数"),  # type: ignore[arg-type]
    ("an operator abroad", "connectors", {"prices": [_price(1, operator="cmcc", country="HK")]}, "prices[0].country", "大陆"),
    (
        "a currency that is none",
        "connectors",
        {"prices": [{"per_segment": {"currency": "yuan", "micros": 1}}]},
        "prices[0].per_segment.currency",
        "应匹配",
    ),
    ("an amount alone", "connectors", {"prices": [{"per_segment": 45_000}]}, "prices[0].per_segment", "对象"),
]


@pytest.mark.parametrize(("kind", "fields", "param", "said"), [row[1:] for row in POOLS], ids=[row[0] for row in POOLS])
def test_a_pool_or_a_price_that_makes_no_sense_is_refused_by_name(
    served: Served, kind: str, fields: dict[str, Any], param: str, said: str
) -> None:
    body = {"name": "x", **fields} if kind == "routes" else served.connector_body(**fields)
    answer = served.admin.ask("POST", f"/v1/{kind}", body, Accept_Language="zh")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (422, param)
    assert said in error["message"]
