"""Who may call: keys, scopes, addresses, workspaces, modes, rates, and what a repeated request is answered."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.serving import TEXT, Api, Served, until
from yanshu.edge.api.app import ENDPOINTS
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

LIVE_TO, TEST_TO = "13800138000", "+8610000000001"


@pytest.fixture(scope="module")
def routed(served: Served) -> Served:
    """A platform with a live and a simulated way out; links need not be up for a message to be accepted."""
    for simulated in (False, True):
        connector = served.admin.call("POST", "/v1/connectors", served.connector_body(simulated=simulated, links=1))["id"]
        served.admin.call("POST", "/v1/routes", {"name": "all", "connectors": [connector]})
    until("the routes", lambda: served.admin.call("POST", "/v1/messages/preview", {"to": LIVE_TO, "text": TEXT})["candidates"])
    return served


def refusals(served: Served) -> list[dict[str, Any]]:
    """Refused requests in the audit trail, newest first."""
    served.run(served.platform.gate.flush())
    rows = served.admin.call("GET", "/v1/audit?limit=200")["data"]
    return [row for row in rows if row["action"] == "request.refused"]


BAD_HEADERS = [
    ("no header", None, "key_missing"),
    ("an empty header", "", "key_missing"),
    ("another scheme", "Basic dTpw", "key_missing"),
    ("a scheme alone", "Bearer", "key_missing"),
    ("an unknown key", "Bearer ys_live_aaaaaaaaaaaaaaaaaaaaaaaa", "key_invalid"),
    ("no key of ours", "Bearer hello", "key_invalid"),
    ("bytes", "Bearer \u00ff\u00fe", "key_invalid"),
]


@pytest.mark.parametrize(("header", "code"), [row[1:] for row in BAD_HEADERS], ids=[row[0] for row in BAD_HEADERS])
def test_a_caller_without_a_good_key_is_refused_and_noted(served: Served, header: str | None, code: str) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    answer = served.client().http.get("/v1/messages", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    noted = refusals(served)[0]
    assert (noted["actor"], noted["workspace"], noted["address"]) == ("unknown", None, "127.0.0.1")
    assert noted["detail"] == {"code": code, "method": "GET", "path": "/v1/messages"}


def test_a_revoked_key_is_refused_at_once_and_noted_with_its_name(served: Served) -> None:
    key = served.key("messages:read")
    caller = served.client(key["secret"])
    assert caller.call("GET", "/v1/messages")["data"] == []
    served.admin.call("DELETE", f"/v1/api_keys/{key['id']}")
    until("the key to be forgotten", lambda: caller.ask("GET", "/v1/messages").status_code == 401)
    assert caller.refused("GET", "/v1/messages") == (401, "key_revoked")
    assert refusals(served)[0]["actor"] == key["id"]


def test_an_expired_key_is_refused(served: Served) -> None:
    gone = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert served.caller("messages:read", expires_at=gone).refused("GET", "/v1/messages") == (401, "key_expired")


def test_a_key_may_be_used_from_its_networks_only(served: Served) -> None:
    outside = served.caller("messages:read", cidrs=["203.0.113.0/24", "2001:db8::/32"])
    assert outside.refused("GET", "/v1/messages") == (403, "ip_not_allowed")
    assert outside.refused("GET", "/v1/messages", X_Forwarded_For="203.0.113.7") == (403, "ip_not_allowed")
    assert served.caller("messages:read", cidrs=["127.0.0.0/8"]).call("GET", "/v1/messages")["data"] == []
    assert refusals(served)[0]["detail"]["code"] == "ip_not_allowed"


SCOPES = [
    ("GET", "/v1/messages", "messages:read"),
    ("POST", "/v1/messages", "messages:send"),
    ("POST", "/v1/batches", "batches:write"),
    ("GET", "/v1/inbound", "inbound:read"),
    ("POST", "/v1/webhook_endpoints", "webhooks:write"),
    ("GET", "/v1/stream", "events:read"),
    ("POST", "/v1/connectors", "connectors:write"),
    ("POST", "/v1/routes", "routes:write"),
    ("POST", "/v1/api_keys", "keys:write"),
    ("GET", "/v1/audit", "audit:read"),
    ("POST", "/v1/workspaces", "workspaces:write"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES, ids=[f"{row[0]} {row[1]}" for row in SCOPES])
def test_a_missing_scope_is_refused_before_the_body_is_looked_at(served: Served, method: str, path: str, scope: str) -> None:
    caller = served.caller("sandbox:use")
    answer = caller.ask(method, path, b"{" if method == "POST" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")
    assert scope in answer.json()["error"]["message"]
    assert refusals(served)[0]["detail"] == {"code": "scope_missing", "method": method, "path": path}


def things_of(owner: Api, served: Served) -> dict[str, str]:
    """One id of everything a workspace can have."""
    message = owner.call("POST", "/v1/messages", {"to": TEST_TO, "text": TEXT})["id"]
    return {
        "messages": message,
        "batches": owner.call("POST", "/v1/batches", {"text": TEXT})["id"],
        "webhook_endpoints": owner.call("POST", "/v1/webhook_endpoints", {"url": served.receiver.url, "events": ["message.*"]})["id"],
        "api_keys": owner.call("POST", "/v1/api_keys", {"name": "k", "scopes": ["messages:read"], "livemode": False})["id"],
        "events": owner.call("GET", f"/v1/events?object={message}")["data"][0]["id"],
        "inbound": inbound_of(message, served),
        "binds": owner.call("POST", "/v1/binds", {"name": "b", "protocol": "smpp", "system_id": "owned"})["id"],
    }


def inbound_of(message: str, served: Served) -> str:
    """The id of a reply to the owner's message."""

    async def come_in() -> str:
        store, clock = served.platform.store, served.platform.clock
        async with store.write() as uow:
            answered = (await uow.messages.get([message]))[0]
            reply = Samples(FakeClock(clock.now())).inbound(
                workspace_id=answered.workspace_id,
                livemode=answered.livemode,
                in_reply_to=answered.id,
            )
            await uow.inbounds.add([reply])
            await uow.commit()
        return reply.id

    return served.run(come_in())


OWNER = ("messages:send", "messages:read", "batches:write", "batches:read", "webhooks:write", "webhooks:read")
OWNER += ("events:read", "keys:write", "keys:read", "inbound:read", "audit:read", "binds:read", "binds:write")
ON_ONE = [
    ("GET", "/v1/messages/{messages}"),
    ("PATCH", "/v1/messages/{messages}"),
    ("POST", "/v1/messages/{messages}/cancel"),
    ("GET", "/v1/messages/{messages}/explain"),
    ("GET", "/v1/messages/{messages}/submissions"),
    ("GET", "/v1/batches/{batches}"),
    ("PUT", "/v1/batches/{batches}/recipients"),
    ("GET", "/v1/batches/{batches}/recipients"),
    ("POST", "/v1/batches/{batches}/preview"),
    ("POST", "/v1/batches/{batches}/start"),
    ("POST", "/v1/batches/{batches}/pause"),
    ("POST", "/v1/batches/{batches}/resume"),
    ("POST", "/v1/batches/{batches}/cancel"),
    ("GET", "/v1/webhook_endpoints/{webhook_endpoints}"),
    ("PATCH", "/v1/webhook_endpoints/{webhook_endpoints}"),
    ("DELETE", "/v1/webhook_endpoints/{webhook_endpoints}"),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoints}/rotate_secret"),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoints}/test"),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoints}/replay"),
    ("GET", "/v1/webhook_endpoints/{webhook_endpoints}/deliveries"),
    ("GET", "/v1/events/{events}"),
    ("GET", "/v1/inbound/{inbound}"),
    ("GET", "/v1/api_keys/{api_keys}"),
    ("DELETE", "/v1/api_keys/{api_keys}"),
    ("POST", "/v1/api_keys/{api_keys}/rotate"),
    ("GET", "/v1/binds/{binds}"),
    ("GET", "/v1/binds/{binds}/health"),
    ("PATCH", "/v1/binds/{binds}"),
    ("DELETE", "/v1/binds/{binds}"),
    ("POST", "/v1/binds/{binds}/rotate_secret"),
]
BODIES = {"/v1/messages/{messages}": {"send_at": "2099-01-01T00:00:00Z"}}
# Connectors, their incidents and routes are the platform's, whoever may see them; handsets are not of any workspace.
SHARED = {"connectors", "incidents", "routes", "workspaces", "sandbox"}


def test_every_operation_on_one_thing_is_tried_by_a_stranger() -> None:
    tried = {(method, re.sub(r"\{\w+\}", "{id:str}", path)) for method, path in ON_ONE}
    wanted = {(e.method, e.path) for e in ENDPOINTS if "{id:str}" in e.path and e.path.split("/")[2] not in SHARED}
    assert wanted == tried


@pytest.fixture(scope="module")
def owned(routed: Served) -> dict[str, str]:
    """What a workspace has in test mode."""
    return things_of(routed.caller(*OWNER, livemode=False), routed)


@pytest.fixture(scope="module")
def strangers(routed: Served) -> dict[str, Api]:
    """Callers with every scope of a customer who are not the owner."""
    elsewhere = routed.caller(*OWNER, workspace=routed.workspace(), livemode=False)
    return {"another workspace": elsewhere, "the other mode": routed.admin}


CASES = [("another workspace", *row) for row in ON_ONE]
CASES += [("the other mode", *row) for row in ON_ONE if "api_keys" not in row[1]]


@pytest.mark.parametrize(("who", "method", "path"), CASES, ids=[" ".join(row) for row in CASES])
def test_what_belongs_to_others_does_not_exist(strangers: dict[str, Api], owned: dict[str, str], who: str, method: str, path: str) -> None:
    headers = {"Content_Type": "text/csv"} if method == "PUT" else {}
    body = b"to\n13800138000\n" if method == "PUT" else BODIES.get(path, {}) if method in {"POST", "PATCH"} else None
    body = {"events": [owned["events"]]} if path.endswith("/replay") else body
    assert strangers[who].refused(method, path.format(**owned), body, **headers) == (404, "resource_missing")


LISTS = ("messages", "batches", "webhook_endpoints", "events", "inbound", "binds")


@pytest.mark.parametrize("who", ["another workspace", "the other mode"])
@pytest.mark.parametrize("name", LISTS)
def test_lists_do_not_show_what_belongs_to_others(strangers: dict[str, Api], owned: dict[str, str], who: str, name: str) -> None:
    shown = strangers[who].call("GET", f"/v1/{name}?limit=200")["data"]
    assert not {row["id"] for row in shown} & set(owned.values())


def test_a_test_key_reaches_test_numbers_only_and_a_live_key_none_of_them(routed: Served) -> None:
    test = routed.caller("messages:send", livemode=False)
    assert test.refused("POST", "/v1/messages", {"to": LIVE_TO, "text": TEXT}) == (403, "test_key_live_recipient")
    assert test.call("POST", "/v1/messages", {"to": TEST_TO, "text": TEXT})["livemode"] is False
    assert routed.admin.refused("POST", "/v1/messages", {"to": TEST_TO, "text": TEXT}) == (422, "phone_invalid")


def test_a_key_passes_on_no_right_it_lacks(served: Served) -> None:
    weak = served.caller("keys:write", "messages:read", livemode=False)
    make = {"name": "k", "livemode": False}
    assert weak.refused("POST", "/v1/api_keys", {**make, "scopes": ["messages:send"]}) == (403, "scope_missing")
    assert weak.refused("POST", "/v1/api_keys", {**make, "scopes": ["admin"]}) == (403, "scope_missing")
    assert weak.refused("POST", "/v1/api_keys", {**make, "scopes": ["no:such"]}) == (422, "parameter_invalid")
    assert weak.refused("POST", "/v1/api_keys", {"name": "k", "scopes": ["messages:read"]}) == (422, "parameter_invalid")
    elsewhere = {**make, "scopes": ["messages:read"], "workspace": served.workspace()}
    assert weak.refused("POST", "/v1/api_keys", elsewhere) == (403, "scope_missing")
    assert weak.call("POST", "/v1/api_keys", {**make, "scopes": ["messages:read"]})["scopes"] == ["messages:read"]


def test_a_rotated_key_and_its_successor_both_work_until_the_overlap_ends(served: Served) -> None:
    old = served.key("messages:read", cidrs=["127.0.0.1/32"])
    new = served.admin.call("POST", f"/v1/api_keys/{old['id']}/rotate", {"overlap_seconds": 600})
    assert (new["scopes"], new["cidrs"], new["secret"] != old["secret"]) == (old["scopes"], old["cidrs"], True)
    for secret in (old["secret"], new["secret"]):
        assert served.client(secret).ask("GET", "/v1/messages").status_code == 200
    served.admin.call("POST", f"/v1/api_keys/{new['id']}/rotate", {"overlap_seconds": 0})
    last = served.client(new["secret"])
    until("the overlap to end", lambda: last.ask("GET", "/v1/messages").status_code == 401)
    assert last.refused("GET", "/v1/messages") == (401, "key_expired")


def test_secrets_are_shown_once(served: Served) -> None:
    key = served.key("messages:read")
    told = served.admin.ask("GET", "/v1/api_keys?limit=200").text + served.admin.ask("GET", f"/v1/api_keys/{key['id']}").text
    assert key["secret"] not in told
    assert key["hint"] == f"ys_live_…{key['secret'][-4:]}"


def test_the_same_request_with_the_same_key_is_answered_as_the_first_time(routed: Served) -> None:
    body = {"to": LIVE_TO, "text": TEXT}
    first = routed.admin.ask("POST", "/v1/messages", body, Idempotency_Key="same")
    again = routed.admin.ask("POST", "/v1/messages", body, Idempotency_Key="same")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (202, first.content)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")


def test_another_body_under_a_used_key_is_a_conflict(routed: Served) -> None:
    routed.admin.call("POST", "/v1/messages", {"to": LIVE_TO, "text": TEXT}, Idempotency_Key="other")
    changed = {"to": LIVE_TO, "text": TEXT + "!"}
    assert routed.admin.refused("POST", "/v1/messages", changed, Idempotency_Key="other") == (409, "idempotency_key_reused")


def test_a_key_counts_for_one_path_and_one_workspace(routed: Served) -> None:
    body = {"to": TEST_TO, "text": TEXT}
    callers = [routed.caller("messages:send", livemode=False), routed.caller("messages:send", livemode=False, workspace=routed.workspace())]
    sent = [caller.call("POST", "/v1/messages", body, Idempotency_Key="mine")["id"] for caller in callers]
    assert len(set(sent)) == 2
    assert callers[0].call("POST", "/v1/messages/preview", body, Idempotency_Key="mine")["object"] == "message_preview"


def test_a_refused_request_does_not_use_its_key_up(routed: Served) -> None:
    assert routed.admin.refused("POST", "/v1/messages", {"to": "12", "text": TEXT}, Idempotency_Key="fix") == (422, "phone_invalid")
    assert routed.admin.ask("POST", "/v1/messages", {"to": LIVE_TO, "text": TEXT}, Idempotency_Key="fix").status_code == 202


def test_a_replay_does_not_show_a_secret_again(served: Served) -> None:
    body = {"name": "k", "scopes": ["messages:read"]}
    first, again = [served.admin.call("POST", "/v1/api_keys", body, Idempotency_Key="secret") for _ in range(2)]
    assert (again["id"], again["secret"]) == (first["id"], None)


def test_requests_at_once_with_one_key_send_one_message(routed: Served) -> None:
    body = {"to": LIVE_TO, "text": TEXT, "client_reference": "at once"}
    with ThreadPoolExecutor(8) as pool:
        asks = [pool.submit(routed.admin.ask, "POST", "/v1/messages", body, Idempotency_Key="at once") for _ in range(16)]
        answers = [ask.result() for ask in asks]
    good = {answer.content for answer in answers if answer.status_code == 202}
    refused = {answer.json()["error"]["code"] for answer in answers if answer.status_code != 202}
    assert len(good) == 1
    assert refused <= {"idempotency_in_progress"}
    assert len(routed.admin.call("GET", "/v1/messages?client_reference=at%20once")["data"]) == 1


def test_a_caller_beyond_its_rate_is_told_when_to_come_back(served: Served) -> None:
    slow = served.caller("messages:read", requests_per_second=1)
    answer = until("a refusal", lambda: next((a for a in (slow.ask("GET", "/v1/messages"),) if a.status_code == 429), None))
    assert answer.json()["error"]["code"] == "too_many_requests"
    assert answer.json()["error"]["retryable"] is True
    assert int(answer.headers["retry-after"]) >= 1
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("1", "0")


def test_a_caller_beyond_its_messages_is_told_when_to_come_back(routed: Served) -> None:
    slow = routed.caller("batches:write", livemode=False, messages_per_second=2)
    body = {"text": TEXT, "start": False, "recipients": [{"to": TEST_TO}] * 10}
    assert slow.ask("POST", "/v1/batches", body).status_code == 202  # a full bucket lets one large request pass, into debt
    answer = slow.ask("POST", "/v1/batches", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_messages")
    assert int(answer.headers["retry-after"]) >= 1
