"""The event stream: what happens arrives as it happens, and after a break nothing is lost or repeated."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.serving import Api, Served, until

BATCH = {"text": "a", "recipients": [{"to": "+8610000000001"}], "start": False}


@pytest.fixture(scope="module")
def served(served_on_either: Served) -> Served:
    return served_on_either


@contextmanager
def stream(caller: Api, query: str = "", last: str | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """Open the stream; yields its events one by one, after the greeting has come."""
    headers = {"Last-Event-ID": last} if last else {}
    with caller.http.stream("GET", f"/v1/stream{query}", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["request-id"].startswith("req_")
        assert "ratelimit-limit" in answer.headers
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        yield events(lines)


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read events from the lines; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name and not line.startswith(":"):
            fields[name] = value
        elif fields:
            event = json.loads(fields["data"])
            assert (fields["id"], fields["event"]) == (event["id"], event["type"])
            yield event
            fields = {}


def happen(served: Served, count: int = 1) -> list[str]:
    """Make batches, each of which is one event; return their ids."""
    return [served.admin.call("POST", "/v1/batches", BATCH)["id"] for _ in range(count)]


def take(found: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return [next(found) for _ in range(count)]


def test_events_arrive_as_they_happen_and_in_order(served: Served) -> None:
    happen(served)  # before the stream was opened: not in it
    with stream(served.admin) as found:
        first = happen(served)
        assert [event["about"] for event in take(found, 1)] == first
        more = happen(served, 5)
        assert [event["about"] for event in take(found, 5)] == more


def test_a_stream_goes_on_behind_the_last_event_without_loss_or_repetition(served: Served) -> None:
    with stream(served.admin) as found:
        seen = happen(served, 3)
        last = take(found, 2)[-1]
    missed = happen(served, 700)  # more than the server reads at a time
    with stream(served.admin, last=last["id"]) as found:
        assert [event["about"] for event in take(found, 701)] == [seen[2], *missed]
        new = happen(served)
        assert [event["about"] for event in take(found, 1)] == new


def test_a_stream_may_be_limited_to_types(served: Served) -> None:
    for types in ("batch.canceled,batch.started", " batch.canceled , message.*"):
        with stream(served.admin, f"?types={types}") as found:
            ident = happen(served)[0]
            served.admin.call("POST", f"/v1/batches/{ident}/cancel")
            assert [(event["about"], event["type"]) for event in take(found, 1)] == [(ident, "batch.canceled")]


def test_an_event_shows_its_object_as_it_was_then_everywhere_alike(served: Served) -> None:
    with stream(served.admin) as found:
        ident = happen(served)[0]
        served.admin.call("POST", f"/v1/batches/{ident}/cancel")
        ready, canceled = take(found, 2)
    assert [event["data"]["object"]["status"] for event in (ready, canceled)] == ["ready", "canceled"]
    listed = served.admin.call("GET", f"/v1/events?object={ident}&order=asc")["data"]
    assert [event["data"]["object"]["status"] for event in listed] == ["ready", "canceled"]
    assert served.admin.call("GET", f"/v1/events/{ready['id']}") == listed[0]
    assert (listed[0]["object"], listed[0]["data"]["object"]["id"], listed[0]["workspace"][:3]) == ("event", ident, "ws_")


def test_a_stream_ends_when_its_key_is_revoked(served: Served) -> None:
    key = served.key("events:read")
    with stream(served.client(key["secret"])) as found:
        served.admin.call("DELETE", f"/v1/api_keys/{key['id']}")

        def ended() -> bool:
            happen(served)
            return next(found, None) is None

        until("the end of the stream", ended)


def test_a_stream_carries_the_events_of_its_workspace_and_mode_only(served: Served) -> None:
    callers = [
        served.caller("events:read", "batches:write", workspace=served.workspace()),
        served.caller("events:read", "batches:write", livemode=False),
    ]
    for caller in callers:
        with stream(caller) as found:
            happen(served, 3)
            own = caller.call("POST", "/v1/batches", BATCH)["id"]
            assert [event["about"] for event in take(found, 1)] == [own]


def test_an_event_of_others_is_no_place_to_go_on_from(served: Served) -> None:
    ident = served.admin.call("GET", f"/v1/events?object={happen(served)[0]}")["data"][0]["id"]
    stranger = served.caller("events:read", workspace=served.workspace())
    test = served.caller("events:read", livemode=False)
    for caller in (stranger, test):
        assert caller.refused("GET", "/v1/stream", None, Last_Event_ID=ident) == (404, "resource_missing")
    assert served.admin.refused("GET", "/v1/stream", None, Last_Event_ID="evt_nobody") == (404, "resource_missing")


BAD = {
    "an unknown parameter": "?limt=1",
    "a parameter of lists": "?limit=1",
    "too long a list": "?types=" + "a" * 501,
    "a type that does not exist": "?types=message.deliverd",
}


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
def test_a_bad_query_is_refused_before_the_stream_begins(served: Served, query: str) -> None:
    assert served.admin.refused("GET", f"/v1/stream{query}")[0] == 422


def test_readers_that_go_away_leave_nothing_behind(served: Served) -> None:
    for _ in range(20):
        with stream(served.admin) as found:
            happen(served)
            take(found, 1)
    until("the server to answer still", lambda: served.admin.ask("GET", "/v1/events").status_code == 200)
