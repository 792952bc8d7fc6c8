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
    ident: str = served.admin.call("POST", "/v1/batches", {"text": "a"})["id"]
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
    assert served.admin.refused("POST", path, {}) == (422, "parameter_missing")


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
