"""What the API tells of a connector's health, and what draining and resuming it tells."""

from tests.integration.serving import TEXT, Served, until

NUMBERS = {"+8610000000001": "delivered", "+8610000000002": "undelivered"}


def test_what_became_of_segments_is_told_as_a_whole_and_by_operator(served: Served) -> None:
    connector = served.connect()
    caller = served.caller("messages:send", "messages:read", livemode=False)
    for number, status in NUMBERS.items():
        sent = caller.call("POST", "/v1/messages", {"to": number, "text": TEXT})["id"]
        until(status, lambda sent=sent, status=status: caller.call("GET", f"/v1/messages/{sent}")["status"] == status)
    health = served.admin.call("GET", f"/v1/connectors/{connector}/health")
    assert (health["state"], health["queued"], health["operators"]) == ("up", {}, [])
    whole = health["whole"]
    told = {name: whole[name] for name in ("operator", "weight_percent", "breaker", "cause", "moved_at")}
    assert told == {"operator": None, "weight_percent": 100, "breaker": "closed", "cause": None, "moved_at": None}
    for figures in (whole["last_minute"], whole["last_quarter_hour"]):
        assert (figures["submitted"], figures["accepted"], figures["delivered"], figures["failed"]) == (2, 2, 1, 1)
        assert (figures["acceptance_percent"], figures["delivery_percent"]) == (100.0, 50.0)
        assert figures["answer_seconds"]["p50"] <= 1.0
        assert figures["receipt_seconds"]["p95"] <= 5.0
        assert figures["classes"] == {"invalid_number": 1}


def test_draining_and_resuming_are_told_once_each_with_what_was_waiting(served: Served) -> None:
    connector = served.connect()
    path = f"/v1/connectors/{connector}"
    endpoint = {"url": f"{served.receiver.url}/health", "events": ["connector.*"]}
    test_key = served.caller("webhooks:write", livemode=False)
    test_key.call("POST", "/v1/webhook_endpoints", endpoint)
    for action in ("drain", "drain", "resume", "resume"):
        served.admin.call("POST", f"{path}/{action}")
    until("the calls", lambda: len(served.receiver.calls) >= 2)
    told = [event for call in served.receiver.calls for event in call.envelopes]
    assert [(event["type"], event["data"]["object"]["state"]) for event in told] == [
        ("connector.drained", "drained"),
        ("connector.resumed", "active"),
    ]
    for event in told:
        assert event["data"]["object"] == {
            "id": connector,
            "object": "connector",
            "name": "simulator",
            "state": event["data"]["object"]["state"],
            "queued": {},
        }
    assert told[0]["seq"] < told[1]["seq"]
    until("the link", lambda: served.admin.call("GET", f"{path}/health")["state"] == "up")
