"""Connectors and routes over HTTP: what is made, changed, drained and deleted, and what a message may use then."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.serving import TEXT, Served, until

SECRET = "s3cret-1"
TO = "13800138000"


def candidates(served: Served) -> list[str]:
    """The connectors a message may use just now."""
    answer = served.admin.ask("POST", "/v1/messages/preview", {"to": TO, "text": TEXT})
    found: list[str] = answer.json()["candidates"] if answer.is_success else []
    return found


def test_a_connector_is_made_read_changed_and_deleted_and_its_password_never_told(served: Served) -> None:
    made = served.admin.call("POST", "/v1/connectors", served.connector_body(password=SECRET, metadata={"a": "1"}))
    path = f"/v1/connectors/{made['id']}"
    assert (made["name"], made["state"], made["metadata"]) == ("simulator", "active", {"a": "1"})
    changed = served.admin.call("PATCH", path, {"name": "other", "window": 5, "password": SECRET, "metadata": None})
    assert (changed["name"], changed["window"], changed["metadata"], changed["port"]) == ("other", 5, {}, made["port"])
    told = [served.admin.ask("GET", where).text for where in (path, "/v1/connectors", "/v1/audit?limit=200", path + "/health")]
    assert not any(SECRET in text or "password" in text or '"secret"' in text for text in [*told, str(made), str(changed)])
    assert served.admin.call("GET", path) == changed
    assert served.admin.call("DELETE", path) == {"id": made["id"], "object": "connector", "deleted": True}
    assert served.admin.refused("GET", path) == (404, "resource_missing")
    assert served.admin.refused("DELETE", path) == (404, "resource_missing")


CMPP: dict[str, Any] = {"protocol": "cmpp", "password": "s3cr3t!", "settings": {"sp_id": "901234"}}
SMGP: dict[str, Any] = {"protocol": "smgp", "password": "s3cr3t!", "settings": {"client_id": "10690123"}}

BAD_CONNECTORS = [
    ("another protocol", {"protocol": "ucp"}, "protocol"),
    ("a setting of another protocol", {"protocol": "cmpp", "password": "s"}, "settings.system_id"),
    (
        "a result that is no number",
        CMPP | {"settings": {"sp_id": "901234", "result_overrides": {"0x8": "busy"}}},
        "settings.result_overrides.0x8",
    ),
    ("a fee that is no number", CMPP | {"settings": {"sp_id": "901234", "fee_type": "1x"}}, "settings.fee_type"),
    ("no secret for a digest", CMPP | {"password": ""}, "password"),
    ("an account too long for SMGP", SMGP | {"settings": {"client_id": "123456789"}}, "settings.client_id"),
    ("no secret for SMGP", SMGP | {"password": ""}, "password"),
    ("no port", {"port": 0}, "port"),
    ("no window", {"window": 0}, "window"),
    ("a sender that is none", {"sender": "a b"}, "sender"),
    ("a password no bind carries", {"password": "longer than eight"}, "password"),
    ("an unknown setting", {"settings": {"system_id": "a", "colour": "red"}}, "settings.colour"),
    ("no system_id", {"settings": {}}, "settings.system_id"),
    ("a wrong setting", {"settings": {"system_id": 5}}, "settings.system_id"),
]


@pytest.mark.parametrize(("fields", "param"), [case[1:] for case in BAD_CONNECTORS], ids=[case[0] for case in BAD_CONNECTORS])
def test_a_connector_that_could_not_work_is_refused(served: Served, fields: dict[str, Any], param: str) -> None:
    answer = served.admin.ask("POST", "/v1/connectors", served.connector_body(**fields))
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_a_setting_that_does_not_exist_is_named(served: Served) -> None:
    answer = served.admin.ask("POST", "/v1/connectors", served.connector_body(settings={"system_id": "a", "colour": "red"}))
    assert "colour" in answer.json()["error"]["message"]


def test_a_route_leads_to_its_connectors_in_order_and_a_drained_one_is_left_out(served: Served) -> None:
    make = served.admin.call
    first, second = (make("POST", "/v1/connectors", served.connector_body(simulated=False, name=name))["id"] for name in "ab")
    route = make("POST", "/v1/routes", {"name": "all", "connectors": [second, first], "match": {"countries": ["CN"]}})
    until("the route", lambda: candidates(served) == [second, first])
    make("PATCH", f"/v1/routes/{route['id']}", {"connectors": [first, second]})
    until("the other order", lambda: candidates(served) == [first, second])
    assert make("POST", f"/v1/connectors/{first}/drain")["state"] == "drained"
    until("the drained one to be left out", lambda: candidates(served) == [second])
    assert make("POST", f"/v1/connectors/{first}/resume")["state"] == "active"
    until("it to be used again", lambda: candidates(served) == [first, second])
    make("PATCH", f"/v1/routes/{route['id']}", {"enabled": False})
    until("no way out", lambda: candidates(served) == [])
    assert served.admin.refused("POST", "/v1/messages", {"to": TO, "text": TEXT}) == (422, "no_route_accepts_content")
    assert served.admin.refused("DELETE", f"/v1/connectors/{first}") == (409, "state_conflict")
    make("DELETE", f"/v1/routes/{route['id']}")
    assert make("DELETE", f"/v1/connectors/{first}")["deleted"] is True


CMCC, CUCC, BARE = "13800138000", "13012345678", "您的验证码是 482913"


def _hours(start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"from": start, "to": end, "days": [], "zone": "Asia/Shanghai", **fields}


MATCHES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("operators", {"operators": ["cmcc"]}, {"to": CMCC}, {"to": CUCC}),
    ("prefixes", {"prefixes": ["+86139", "+86138001"]}, {"to": CMCC}, {"to": "13811138000"}),
    ("signatures in the text", {"signatures": ["雁书"]}, {"text": TEXT}, {"text": BARE}),
    ("signatures beside the text", {"signatures": ["雁书"]}, {"text": BARE, "signature": "雁书"}, {"text": BARE, "signature": "别人"}),
    ("metadata", {"metadata": {"campaign": ["double11"]}}, {"metadata": {"campaign": "double11"}}, {"metadata": {"campaign": "summer"}}),
    ("hours", {"hours": [_hours("10:00", "11:00")]}, {"send_at": "{day}T10:30:00+08:00"}, {"send_at": "{day}T11:00:00+08:00"}),
    (
        "signatures with a place",
        {"signatures": ["雁书"]},
        {"text": "【${a}】", "params": {"a": "雁书"}},
        {"text": "【${a}】", "params": {"a": "b"}},
    ),
]


@pytest.mark.parametrize(("match", "fits", "fails"), [row[1:] for row in MATCHES], ids=[row[0] for row in MATCHES])
def test_a_route_takes_what_it_matches_only(served: Served, match: dict[str, Any], fits: dict[str, Any], fails: dict[str, Any]) -> None:
    ident = served.admin.call("POST", "/v1/connectors", served.connector_body(simulated=False))["id"]
    made = served.admin.call("POST", "/v1/routes", {"name": "some", "rank": 1, "connectors": [ident], "match": match})
    day = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d")
    fits, fails = (json.loads(json.dumps(fields).replace("{day}", day)) for fields in (fits, fails))
    asked = [{"to": TO, "text": TEXT, **fields} for fields in (fits, fails)]
    answers = [served.admin.ask("POST", "/v1/messages/preview", body).json() for body in asked]
    assert [answer.get("candidates", []) for answer in answers] == [[ident], []]
    assert {name: value for name, value in made["match"].items() if value} == match
    served.admin.call("DELETE", f"/v1/routes/{made['id']}")
    served.admin.call("DELETE", f"/v1/connectors/{ident}")


def test_a_batch_is_split_over_the_routes_of_its_numbers(served: Served) -> None:
    make = served.admin.call
    first, second = (make("POST", "/v1/connectors", served.connector_body(simulated=False, sender=code))["id"] for code in ("1", "2"))
    made = [
        make("POST", "/v1/routes", {"name": "a", "rank": rank, "connectors": [ident], "match": {"operators": [operator]}})["id"]
        for rank, ident, operator in ((1, first, "cmcc"), (2, second, "cucc"))
    ]
    numbers = [{"to": number} for number in (CMCC, CUCC, "13811138000")]
    batch = make("POST", "/v1/batches", {"text": TEXT, "recipients": numbers})["id"]
    rows = until("the batch", lambda: found if len(found := make("GET", f"/v1/messages?batch={batch}")["data"]) == 3 else None)
    assert {row["to"][3:]: row["connector"] for row in rows} == {CMCC: first, CUCC: second, "13811138000": first}
    for ident in made:
        make("DELETE", f"/v1/routes/{ident}")


BAD_MATCHES = [
    ("no such operator", {"operators": ["cmc"]}, "match.operators[0]", "取值"),
    ("a prefix without +", {"prefixes": ["+86", "138"]}, "match.prefixes[1]", "应匹配"),
    ("a prefix that is none", {"prefixes": ["+0"]}, "match.prefixes[0]", "应匹配"),
    ("an empty signature", {"signatures": [""]}, "match.signatures[0]", "长度"),
    ("a signature in its brackets", {"signatures": ["【雁书】"]}, "match.signatures[0]", "应匹配"),
    ("operators abroad", {"operators": ["cmcc"], "countries": ["HK"]}, "match.countries", "大陆"),
    ("hours that begin when they end", {"hours": [_hours("08:00", "08:00")]}, "match.hours[0].to", "24:00"),
    ("an hour that is none", {"hours": [_hours("8:00", "21:00")]}, "match.hours[0].from", "应匹配"),
    ("a day that is none", {"hours": [_hours("08:00", "21:00", days=[0])]}, "match.hours[0].days[0]", "1"),
    ("a zone that is none", {"hours": [_hours("08:00", "21:00", zone="China")]}, "match.hours[0].zone", "Asia/Shanghai"),
    ("a tag without values", {"metadata": {"tag": []}}, "match.metadata[...]", "长度"),
    ("a condition that does not exist", {"operator": ["cmcc"]}, "match.operator", "operators"),
]


@pytest.mark.parametrize(("match", "param", "fix"), [row[1:] for row in BAD_MATCHES], ids=[row[0] for row in BAD_MATCHES])
def test_a_match_that_could_not_work_is_refused(served: Served, match: dict[str, Any], param: str, fix: str) -> None:
    body = {"name": "all", "connectors": ["con_nobody"], "match": match}
    answer = served.admin.ask("POST", "/v1/routes", body, Accept_Language="zh")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (422, param)
    assert fix in error["message"]


def test_a_route_names_connectors_that_exist(served: Served) -> None:
    answer = served.admin.ask("POST", "/v1/routes", {"name": "all", "connectors": ["con_nobody"]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "connectors[0]")


def test_a_set_that_leaves_an_operator_out_warns_before_it_is_saved_and_after(served: Served) -> None:
    make = served.admin.call
    ident = make("POST", "/v1/connectors", served.connector_body(simulated=False))["id"]
    body = {"name": "mobile", "connectors": [ident], "match": {"operators": ["cmcc", "cucc", "ctcc"]}}
    before = [len(make("GET", path)["data"]) for path in ("/v1/routes", "/v1/audit?limit=200")]
    tried = served.admin.ask("POST", "/v1/routes?dry_run=true", body, Accept_Language="en", Idempotency_Key="try")
    assert (tried.status_code, tried.json()["dry_run"]) == (200, True)
    assert tried.json()["warnings"] == [
        {
            "code": "no_connector",
            "message": "No connector carries codes (otp), notices (notice), marketing to China Broadcasting Network, "
            "numbers whose operator nobody knows: such messages would be refused.",
            "operators": ["cbn", "unknown"],
            "lanes": ["otp", "notice", "marketing"],
            "routes": [],
            "connectors": [],
        }
    ]
    assert [len(make("GET", path)["data"]) for path in ("/v1/routes", "/v1/audit?limit=200")] == before
    saved = make("POST", "/v1/routes", body, Accept_Language="zh", Idempotency_Key="try")
    assert (saved["dry_run"], saved["warnings"][0]["operators"]) == (False, ["cbn", "unknown"])
    assert saved["warnings"][0]["message"] == "没有通道承载发往中国广电、运营商未知的号码的验证码、通知、营销短信，这些短信将被拒绝。"
    one = f"/v1/routes/{saved['id']}"
    assert make("PATCH", f"{one}?dry_run=true", {"match": {"signatures": ["雁书"]}})["warnings"][0]["code"] == "only_in_part"
    assert make("GET", one)["match"]["operators"] == ["cmcc", "cucc", "ctcc"]
    assert make("PATCH", one, {"match": {}})["warnings"] == []
    gone = make("DELETE", f"{one}?dry_run=true")
    assert (gone["deleted"], gone["warnings"][0]["operators"]) == (False, ["cmcc", "cucc", "ctcc", "cbn", "unknown"])
    assert make("GET", one)["name"] == "mobile"
    assert make("DELETE", one)["deleted"] is True
    make("DELETE", f"/v1/connectors/{ident}")


def test_draining_warns_of_who_is_left_without_a_connector(served: Served) -> None:
    make = served.admin.call
    ident = make("POST", "/v1/connectors", served.connector_body(simulated=False))["id"]
    route = make("POST", "/v1/routes", {"name": "all", "connectors": [ident]})["id"]
    one = f"/v1/connectors/{ident}"
    tried = make("POST", f"{one}/drain?dry_run=true")
    assert (tried["state"], tried["dry_run"], tried["warnings"][0]["code"]) == ("drained", True, "no_connector")
    assert make("GET", one)["state"] == "active"
    drained = make("POST", f"{one}/drain")
    assert (drained["dry_run"], drained["warnings"]) == (False, tried["warnings"])
    assert make("POST", f"{one}/resume")["warnings"] == []
    types = [event["type"] for event in make("GET", "/v1/events?limit=200")["data"] if event["about"] == ident]
    assert sorted(types) == ["connector.drained", "connector.resumed"]
    make("DELETE", f"/v1/routes/{route}")
    make("DELETE", one)


def test_a_dry_run_refuses_what_saving_would_refuse(served: Served) -> None:
    answer = served.admin.ask("POST", "/v1/routes?dry_run=true", {"name": "all", "connectors": ["con_nobody"]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "connectors[0]")
    assert served.admin.refused("DELETE", "/v1/routes/rte_nobody?dry_run=true") == (404, "resource_missing")
    assert served.admin.refused("POST", "/v1/routes?dry_run=maybe", {"name": "all", "connectors": ["x"]}) == (422, "parameter_invalid")


def test_every_change_is_in_the_audit_trail(served: Served) -> None:
    ident = served.admin.call("POST", "/v1/connectors", served.connector_body())["id"]
    served.admin.call("POST", f"/v1/connectors/{ident}/drain")
    served.admin.call("DELETE", f"/v1/connectors/{ident}")
    rows = served.admin.call("GET", "/v1/audit?limit=200")["data"]
    assert [row["action"] for row in rows if row["about"] == ident] == ["connector.deleted", "connector.drained", "connector.created"]
