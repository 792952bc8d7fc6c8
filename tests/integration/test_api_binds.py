"""Binds over HTTP: made, changed, rotated, listed and deleted; their secrets are told once, to the right caller."""

from typing import Any

import pytest

from tests.integration.serving import Served

PATH = "/v1/binds"


def make(served: Served, system_id: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "shop", "protocol": "smpp", "system_id": system_id, **fields}
    made: dict[str, Any] = served.admin.call("POST", PATH, body)
    return made


def test_a_bind_is_made_with_a_secret_that_is_told_once(served: Served) -> None:
    made = make(served, "once", cidrs=["10.0.0.0/8"], senders=["1069*"], window=32, lane="otp")
    assert len(made["secret"]) == 8
    shown = served.admin.call("GET", f"{PATH}/{made['id']}")
    assert shown == {**made, "secret": None}
    assert (shown["object"], shown["status"], shown["window"], shown["lane"]) == ("bind", "enabled", 32, "otp")
    assert shown in served.admin.call("GET", PATH)["data"]


def test_a_replay_does_not_tell_the_secret_again(served: Served) -> None:
    body = {"name": "shop", "protocol": "cmpp", "system_id": "900001"}
    made = served.admin.call("POST", PATH, body, Idempotency_Key="one")
    again = served.admin.call("POST", PATH, body, Idempotency_Key="one")
    assert again == {**made, "secret": None}


def test_a_secret_may_be_given_and_is_never_shown(served: Served) -> None:
    made = make(served, "given", secret="s3cret")
    assert made["secret"] == "s3cret"
    path = f"{PATH}/{made['id']}"
    patched = served.admin.call("PATCH", path, {"secret": "t0ken", "name": "another"})
    assert (patched["secret"], patched["name"]) == (None, "another")
    rotated = served.admin.call("POST", path + "/rotate_secret")["secret"]
    assert len(rotated) == 8
    assert rotated not in served.admin.ask("GET", path).text


def test_a_bind_is_changed_and_deleted(served: Served) -> None:
    path = f"{PATH}/{make(served, 'changing')['id']}"
    changes = {"status": "disabled", "cidrs": ["192.0.2.0/24"], "throughput": 0, "sessions": 1, "inbound": False, "alphabet": "latin1"}
    changed = served.admin.call("PATCH", path, changes)
    assert {name: changed[name] for name in changes} == changes
    assert served.admin.call("DELETE", path)["deleted"]
    assert served.admin.refused("GET", path) == (404, "resource_missing")
    assert make(served, "changing")["id"] != path.rpartition("/")[2]


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        pytest.param({"system_id": "a" * 16}, "parameter_invalid", "system_id", id="too long for any protocol"),
        pytest.param({"protocol": "cmpp", "system_id": "1234567"}, "parameter_invalid", "system_id", id="too long for CMPP"),
        pytest.param({"secret": "123456789"}, "parameter_invalid", "secret", id="password too long for SMPP"),
        pytest.param({"cidrs": ["10.0.0.0/33"]}, "parameter_invalid", "cidrs", id="no network"),
        pytest.param({"senders": ["10*69"]}, "parameter_invalid", "senders", id="a star in the middle"),
        pytest.param({"protocol": "sgip"}, "parameter_invalid", "protocol", id="a protocol nobody listens for"),
        pytest.param({"window": 0}, "parameter_invalid", "window", id="no window"),
        pytest.param({"password": "x"}, "unknown_parameter", "password", id="a field there is not"),
    ],
)
def test_what_cannot_work_is_refused_with_its_field(served: Served, fields: dict[str, Any], code: str, param: str) -> None:
    body = {"name": "shop", "protocol": "smpp", "system_id": "wrong", **fields}
    for language in ("en", "zh"):
        answer = served.admin.ask("POST", PATH, body, Accept_Language=language)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (422, code, param), answer.text


def test_a_system_id_is_taken_once_over_all_workspaces(served: Served) -> None:
    make(served, "taken")
    assert served.admin.refused("POST", PATH, {"name": "x", "protocol": "smpp", "system_id": "taken"}) == (409, "system_id_exists")
    other = {"name": "x", "protocol": "smpp", "system_id": "taken", "workspace": served.workspace()}
    assert served.admin.refused("POST", PATH, other) == (409, "system_id_exists")
    assert make(served, "taken2", workspace=other["workspace"])["workspace"] == other["workspace"]


def test_binds_are_the_workspaces_own(served: Served) -> None:
    workspace = served.workspace()
    stranger = served.caller("binds:read", "binds:write", workspace=workspace)
    mine, theirs = make(served, "mine"), stranger.call("POST", PATH, {"name": "x", "protocol": "smpp", "system_id": "theirs"})
    assert theirs["workspace"] == workspace
    assert [row["id"] for row in stranger.call("GET", PATH)["data"]] == [theirs["id"]]
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate_secret")):
        assert stranger.refused(method, f"{PATH}/{mine['id']}{path}", {} if method != "GET" else None) == (404, "resource_missing")
    other = {"name": "x", "protocol": "smpp", "system_id": "new", "workspace": mine["workspace"]}
    assert stranger.refused("POST", PATH, other) == (403, "scope_missing")
    assert served.admin.call("GET", f"{PATH}/{theirs['id']}")["system_id"] == "theirs"


def test_a_test_key_makes_and_sees_test_binds_only(served: Served) -> None:
    tester = served.caller("binds:read", "binds:write", livemode=False)
    live = make(served, "live")
    made = tester.call("POST", PATH, {"name": "x", "protocol": "smpp", "system_id": "test"})
    assert made["livemode"] is False
    assert tester.refused("GET", f"{PATH}/{live['id']}") == (404, "resource_missing")
    assert made["id"] not in [row["id"] for row in served.admin.call("GET", PATH + "?limit=200")["data"]]


def test_scopes_are_asked_for(served: Served) -> None:
    reader = served.caller("binds:read")
    assert reader.refused("POST", PATH, {"name": "x", "protocol": "smpp", "system_id": "r"}) == (403, "scope_missing")
    assert served.caller("messages:read").refused("GET", PATH) == (403, "scope_missing")


def test_changes_are_in_the_audit_trail_without_secrets(served: Served) -> None:
    made = make(served, "audited", secret="hush-1")
    rows = [row for row in served.admin.call("GET", "/v1/audit?limit=200")["data"] if row["about"] == made["id"]]
    assert [row["action"] for row in rows] == ["bind.created"]
    assert "hush-1" not in str(rows)
