"""Webhook endpoints over HTTP: a real receiver is called, with the right signature, after every change."""

from typing import Any

import pytest

from tests.integration.serving import Served, until
from yanshu.testing.receiver import Call, WebhookReceiver


def endpoint(served: Served, receiver: WebhookReceiver, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = served.admin.call("POST", "/v1/webhook_endpoints", {"url": receiver.url, "events": ["batch.*"], **fields})
    receiver.secret = made["secret"]
    return made


@pytest.fixture
def receiver(served: Served) -> WebhookReceiver:
    """The receiver of the platform, empty again; endpoints of earlier tests are gone."""
    for row in served.admin.call("GET", "/v1/webhook_endpoints?limit=200")["data"]:
        served.admin.call("DELETE", f"/v1/webhook_endpoints/{row['id']}")
    served.receiver.calls.clear()
    served.receiver.replies.clear()
    return served.receiver


def happen(served: Served) -> str:
    """Make a batch: one event."""
    ident: str = served.admin.call("POST", "/v1/batches", {"text": "a", "recipients": [{"to": "13800138000"}], "start": False})["id"]
    return ident


def called(receiver: WebhookReceiver, count: int) -> list[Call]:
    """Return the calls when there are so many; all must be signed rightly."""
    until(f"{count} calls", lambda: len(receiver.calls) >= count)
    assert [call.problem for call in receiver.calls] == [None] * count
    return receiver.calls


def test_an_endpoint_gets_what_happens_from_now_on_signed_with_its_secret(served: Served, receiver: WebhookReceiver) -> None:
    happen(served)
    made = endpoint(served, receiver)
    batch = happen(served)
    (call,) = called(receiver, 1)
    (envelope,) = call.envelopes
    assert (envelope["type"], envelope["data"]["object"]["id"], envelope["livemode"]) == ("batch.ready", batch, True)
    assert envelope["id"] == call.headers["webhook-id"]
    path = f"/v1/webhook_endpoints/{made['id']}"
    assert made["secret"] not in served.admin.ask("GET", path).text
    shown = until("the delivery", lambda: served.admin.call("GET", path + "/deliveries?status=delivered")["data"])
    assert [(row["events"], row["attempts"], row["response_status"]) for row in shown] == [([envelope["id"]], 1, 200)]


def test_after_a_rotation_calls_carry_both_signatures(served: Served, receiver: WebhookReceiver) -> None:
    made = endpoint(served, receiver)
    fresh = served.admin.call("POST", f"/v1/webhook_endpoints/{made['id']}/rotate_secret")["secret"]
    assert fresh != made["secret"]
    happen(served)
    called(receiver, 1)
    receiver.secret = fresh
    happen(served)
    called(receiver, 2)
    assert [len(call.headers["webhook-signature"].split()) for call in receiver.calls] == [2, 2]


def test_a_test_event_goes_to_this_endpoint_alone(served: Served, receiver: WebhookReceiver) -> None:
    endpoint(served, receiver)
    made = endpoint(served, receiver, events=["message.*"])
    sent = served.admin.call("POST", f"/v1/webhook_endpoints/{made['id']}/test")
    (call,) = called(receiver, 1)
    assert (sent["endpoint"], sent["status"], call.types) == (made["id"], "pending", ["webhook.test"])
    assert sent["events"] == [call.headers["webhook-id"]]


def test_events_are_replayed_with_their_old_ids(served: Served, receiver: WebhookReceiver) -> None:
    path = f"/v1/webhook_endpoints/{endpoint(served, receiver)['id']}/replay"
    happen(served)
    first = called(receiver, 1)[0].headers["webhook-id"]
    assert served.admin.call("POST", path, {"events": [first]}) == {"object": "replay", "events": 1}
    assert called(receiver, 2)[1].headers["webhook-id"] == first
    assert served.admin.refused("POST", path, {"events": ["evt_nobody"]}) == (404, "resource_missing")


WRONG_REPLAYS = [
    ("nothing", {}, "parameter_missing", "events"),
    ("two ways at once", {"events": ["evt_1"], "since": "2026-01-01T00:00:00Z"}, "parameter_invalid", "events"),
    ("a delivery and types", {"delivery": "dlv_1", "types": ["batch.*"]}, "parameter_invalid", "events"),
    (
        "a range that ends before it begins",
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        "parameter_invalid",
        "until",
    ),
    ("types that do not exist", {"types": ["batch.strated"]}, "parameter_invalid", "types"),
]


@pytest.mark.parametrize(("body", "code", "param"), [case[1:] for case in WRONG_REPLAYS], ids=[case[0] for case in WRONG_REPLAYS])
def test_a_replay_that_can_be_meant_in_no_or_two_ways_is_refused(
    served: Served, receiver: WebhookReceiver, body: dict[str, Any], code: str, param: str
) -> None:
    answer = served.admin.ask("POST", f"/v1/webhook_endpoints/{endpoint(served, receiver)['id']}/replay", body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]) == (422, code, param)


def test_a_replay_by_range_or_by_type_brings_what_fits(served: Served, receiver: WebhookReceiver) -> None:
    made = endpoint(served, receiver)
    path = f"/v1/webhook_endpoints/{made['id']}/replay"
    first = happen(served)
    served.admin.call("POST", f"/v1/batches/{first}/cancel")
    called(receiver, 2)
    for count, body in ((2, {"since": made["created_at"]}), (1, {"since": made["created_at"], "types": ["batch.canceled"]})):
        before = len(receiver.calls)
        assert served.admin.call("POST", path, body)["events"] == count
        called(receiver, before + count)
    assert served.admin.call("POST", path, {"until": "2020-01-01T00:00:00Z"})["events"] == 0
    delivery = served.admin.call("GET", path.replace("replay", "deliveries"))["data"][0]
    assert served.admin.call("POST", path, {"delivery": delivery["id"]})["events"] == 1
    assert called(receiver, 6)[-1].headers["webhook-id"] == delivery["events"][0]


def test_events_may_come_in_batches(served: Served, receiver: WebhookReceiver) -> None:
    made = endpoint(served, receiver, batch={"max": 3, "ms": 60_000})
    assert made["batch"] == {"max": 3, "ms": 60_000}
    batches = [happen(served) for _ in range(3)]
    (call,) = called(receiver, 1)
    assert [envelope["data"]["object"]["id"] for envelope in call.envelopes] == batches
    path = f"/v1/webhook_endpoints/{made['id']}"
    assert served.admin.call("PATCH", path, {"batch": {"max": 1}})["batch"] == {"max": 1, "ms": 0}


def test_calls_that_are_still_open_go_to_where_the_endpoint_is_now(served: Served, receiver: WebhookReceiver) -> None:
    path = f"/v1/webhook_endpoints/{endpoint(served, receiver, batch={'max': 2, 'ms': 1500})['id']}"
    batch = happen(served)
    served.admin.call("PATCH", path, {"url": receiver.url + "/moved"})
    (call,) = called(receiver, 1)
    assert (call.path, call.envelopes[0]["data"]["object"]["id"]) == ("/webhook/moved", batch)


def test_a_disabled_endpoint_is_not_called_and_an_enabled_one_begins_anew(served: Served, receiver: WebhookReceiver) -> None:
    path = f"/v1/webhook_endpoints/{endpoint(served, receiver)['id']}"
    assert served.admin.call("PATCH", path, {"status": "disabled"})["status"] == "disabled"
    happen(served)
    assert served.admin.call("PATCH", path, {"status": "enabled"})["status"] == "enabled"
    batch = happen(served)
    (call,) = called(receiver, 1)
    assert call.envelopes[0]["data"]["object"]["id"] == batch


BAD = [
    ("an address of our network", {"url": "http://10.0.0.1/hook"}, "url"),
    ("the metadata address", {"url": "http://169.254.169.254/latest"}, "url"),
    ("another port of this machine", {"url": "http://127.0.0.1:1/hook"}, "url"),
    ("another scheme", {"url": "file:///etc/passwd"}, "url"),
    ("an event type that does not exist", {"events": ["message.sent"]}, "events"),
    ("no events", {"events": []}, "events"),
]


@pytest.mark.parametrize(("fields", "param"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_an_endpoint_that_must_not_be_called_is_refused(served: Served, fields: dict[str, Any], param: str) -> None:
    body = {"url": served.receiver.url, "events": ["batch.*"], **fields}
    answer = served.admin.ask("POST", "/v1/webhook_endpoints", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_a_callback_is_signed_with_the_secret_that_was_shown_once(served: Served, receiver: WebhookReceiver) -> None:
    caller = served.caller("webhooks:write", "batches:write", "keys:read", workspace=served.workspace())
    workspace = caller.call("GET", "/v1/api_keys")["data"][0]["workspace"]
    path = f"/v1/workspaces/{workspace}/rotate_secret"
    receiver.secret = caller.call("POST", path)["secret"]
    body = {"text": "a", "recipients": [{"to": "12"}], "callback_url": receiver.url}
    caller.call("POST", "/v1/batches", body)
    assert called(receiver, 1)[0].types == ["message.rejected"]
    assert served.admin.call("GET", f"/v1/workspaces/{workspace}")["secret"] is None
    test = served.caller("webhooks:write", workspace=workspace, livemode=False)
    assert test.refused("POST", path) == (403, "scope_missing")
    assert served.caller("webhooks:write").refused("POST", path) == (404, "resource_missing")
    assert caller.refused("POST", "/v1/workspaces/ws_nobody/rotate_secret") == (404, "resource_missing")
