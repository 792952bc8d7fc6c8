"""The HTTP API over a socket: who is let in, what is answered, and what every answer carries."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_house import Api, open_api
from yanshu.settings import Settings

SEND = {"to": "13800138000", "text": "【雁书】您的验证码是 482913", "lane": "otp"}
EVERYWHERE = ("request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    settings = Settings(data_dir=str(tmp_path), listen_port=0, roles="api,worker", drain_seconds=2, body_limit_bytes=100_000)
    async with open_api(settings) as api:
        yield api


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
        ("GET", "/v1/messages", 200),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/messages/msg_none", 404),
        ("GET", "/v1/messages/a%00b", 404),
        ("PUT", "/v1/messages", 405),
        ("GET", "/v1/messages?limt=3", 422),
        ("GET", "/v1/messages/msg_none?limit=3", 422),
        ("POST", "/v1/messages", 400),
    ],
)
async def test_every_answer_carries_the_headers(api: Api, method: str, path: str, status: int) -> None:
    answer = await api.call(method, path)
    assert answer.status_code == status
    assert [name for name in EVERYWHERE if name not in answer.headers] == []
    if status >= 400:
        assert answer.json()["error"]["request_id"] == answer.headers["request-id"]


async def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    assert (await api.call("PUT", "/v1/messages")).headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("label", "key", "status", "code"),
    [("no key", "", 401, "key_missing"), ("an unknown key", "ys_live_unknown", 401, "key_invalid")],
)
async def test_strangers_are_refused(api: Api, label: str, key: str, status: int, code: str) -> None:
    answer = await api.call("GET", "/v1/messages", key=key)
    assert (answer.status_code, code_of(answer)) == (status, code), label
    assert [name for name in EVERYWHERE if name not in answer.headers] == []


async def test_refusals_are_in_the_audit_trail(api: Api) -> None:
    key = await api.key("messages:read")
    refused = await api.call("GET", "/v1/audit", key=key)
    assert (refused.status_code, code_of(refused)) == (403, "scope_missing")
    await api.platform.gate.flush()
    entries = (await api.call("GET", "/v1/audit")).json()["data"]
    assert [(e["action"], e["detail"]["code"]) for e in entries if e["action"] == "request.refused"] == [
        ("request.refused", "scope_missing")
    ]


async def test_a_key_from_another_network_is_refused(api: Api) -> None:
    answer = await api.call("GET", "/v1/messages", key=await api.key("messages:read", cidrs=["192.0.2.0/24"]))
    assert (answer.status_code, code_of(answer)) == (403, "ip_not_allowed")


async def test_a_revoked_key_is_refused_within_a_second(api: Api) -> None:
    made = await api.made("/v1/api_keys", {"name": "k", "scopes": ["messages:read"]})
    assert (await api.call("GET", "/v1/messages", key=made["secret"])).status_code == 200
    await api.call("DELETE", f"/v1/api_keys/{made['id']}")
    async with asyncio.timeout(2):
        while (answer := await api.call("GET", "/v1/messages", key=made["secret"])).status_code == 200:
            await asyncio.sleep(0.05)
    assert code_of(answer) == "key_revoked"


async def test_rotation_keeps_the_old_secret_for_its_overlap_only(api: Api) -> None:
    made = await api.made("/v1/api_keys", {"name": "k", "scopes": ["messages:read"]})
    fresh = await api.made(f"/v1/api_keys/{made['id']}/rotate", {"overlap_seconds": 3600})
    for secret in (made["secret"], fresh["secret"]):
        assert (await api.call("GET", "/v1/messages", key=secret)).status_code == 200
    last = await api.made(f"/v1/api_keys/{fresh['id']}/rotate", {"overlap_seconds": 0})
    async with asyncio.timeout(2):
        while (await api.call("GET", "/v1/messages", key=fresh["secret"])).status_code == 200:
            await asyncio.sleep(0.05)
    assert (await api.call("GET", "/v1/messages", key=last["secret"])).status_code == 200


async def test_a_weak_key_cannot_rotate_itself_into_the_admins(api: Api) -> None:
    weak = await api.key("keys:write", "keys:read")
    admin = next(key for key in (await api.call("GET", "/v1/api_keys", key=weak)).json()["data"] if key["name"] == "admin")
    answer = await api.call("POST", f"/v1/api_keys/{admin['id']}/rotate", key=weak)
    assert (answer.status_code, code_of(answer)) == (403, "scope_missing")
    answer = await api.call("POST", "/v1/api_keys", key=weak, json={"name": "x", "scopes": ["admin"]})
    assert (answer.status_code, code_of(answer)) == (403, "scope_missing")


async def test_another_workspaces_ids_do_not_exist(api: Api) -> None:
    await api.routed()
    message = await api.made("/v1/messages", SEND)
    batch = await api.made("/v1/batches", {"text": "hi", "start": False})
    other = await api.made("/v1/workspaces", {"name": "other"})
    scopes = ("messages:send", "messages:read", "batches:write", "batches:read")
    for key in (await api.key(*scopes, workspace=other["id"]), await api.key(*scopes, livemode=False)):
        paths = [("GET", ""), ("GET", "/explain"), ("GET", "/submissions"), ("POST", "/cancel")]
        answers = [await api.call(method, f"/v1/messages/{message['id']}{path}", key=key) for method, path in paths]
        answers += [
            await api.call("POST", f"/v1/batches/{batch['id']}/{step}", key=key) for step in ("start", "pause", "cancel", "preview")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert (await api.call("GET", "/v1/messages", key=key)).json()["data"] == []


async def test_a_repeated_send_is_answered_from_memory(api: Api) -> None:
    await api.routed()
    first = await api.call("POST", "/v1/messages", json=SEND, headers={"Idempotency-Key": "one"})
    again = await api.call("POST", "/v1/messages", json=SEND, headers={"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code, first.content) == (202, 202, again.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = await api.call("POST", "/v1/messages", json={**SEND, "text": "else"}, headers={"Idempotency-Key": "one"})
    assert (other.status_code, code_of(other)) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("step", ["cancel", "patch", "key", "workspace"])
async def test_every_change_may_be_repeated_with_a_key(api: Api, step: str) -> None:
    await api.routed()
    message = await api.made("/v1/messages", SEND)
    method, path, body = {
        "cancel": ("POST", f"/v1/messages/{message['id']}/cancel", {}),
        "patch": ("PATCH", f"/v1/messages/{message['id']}", {"send_at": message["expires_at"]}),
        "key": ("POST", "/v1/api_keys", {"name": "k", "scopes": ["messages:read"]}),
        "workspace": ("POST", "/v1/workspaces", {"name": "w"}),
    }[step]
    answers = [await api.call(method, path, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    first, again = (answer.json() for answer in answers)
    assert answers[0].status_code == answers[1].status_code < 300
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert first["id"] == again["id"]
    if step == "key":
        assert (bool(first["secret"]), again["secret"]) == (True, None)


async def test_errors_speak_the_callers_language(api: Api) -> None:
    async def said(language: str) -> str:
        answer = await api.call("POST", "/v1/messages", json={"to": "12", "text": "hi"}, headers={"Accept-Language": language})
        return str(answer.json()["error"]["message"])

    assert (await said("zh-CN,zh;q=0.9,en;q=0.8")).startswith("不是有效")
    assert (await said("en-GB,en;q=0.9")).startswith("This is no")
    assert (await said("fr")).startswith("This is no")
    assert (await said("zh;q=0.1, en;q=0.9")).startswith("This is no")
    assert (await said("en;q=0.5, zh-Hans;q=0.7")).startswith("不是有效")
    assert (await said("zh;q=0, *;q=huge, ,;,")).startswith("This is no")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
async def test_times_at_the_ends_of_the_calendar_are_refused_not_stumbled_over(api: Api, moment: str) -> None:
    await api.routed()
    message = await api.made("/v1/messages", SEND)
    answers = [
        await api.call("POST", "/v1/messages", json={**SEND, "send_at": moment}, headers={"Idempotency-Key": "k"}),
        await api.call("PATCH", f"/v1/messages/{message['id']}", json={"send_at": moment}),
    ]
    assert {answer.status_code for answer in answers} == {422}
    for name in ("created_after", "created_before"):
        assert (await api.call("GET", "/v1/messages", params={name: moment})).status_code == 200


async def test_a_body_over_the_limit_is_too_large(api: Api) -> None:
    answer = await api.call("POST", "/v1/messages", content=b" " * 100_001, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (413, "batch_too_large")


async def test_another_content_type_is_refused(api: Api) -> None:
    answer = await api.call("POST", "/v1/messages", content=json.dumps(SEND), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_content_type")


async def test_a_key_that_calls_too_often_is_told_to_wait(api: Api) -> None:
    key = await api.key("messages:read", requests_per_second=2)
    async with api.client(key) as client:
        answers = [await client.get("/v1/messages") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {code_of(answer) for answer in refused} == {"too_many_requests"}
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].headers["ratelimit-limit"] == "2"


async def test_a_key_that_sends_too_much_is_told_to_wait(api: Api) -> None:
    await api.routed()
    key = await api.key("messages:send", messages_per_second=1)
    answers = [await api.call("POST", "/v1/messages", key=key, json=SEND) for _ in range(6)]
    assert "too_many_messages" in {code_of(answer) for answer in answers if answer.status_code == 429}


async def test_an_upload_larger_than_any_body_is_streamed_and_bad_rows_are_told(api: Api) -> None:
    await api.routed()
    batch = await api.made("/v1/batches", {"text": "【雁书】${name}", "start": False})
    good = [f'{{"to":"138{number:08d}","params":{{"name":"{"x" * 40}"}}}}' for number in range(3000)]
    body = "\n".join([*good[:1500], "hello", '{"to":5}', *good[1500:]]).encode()
    assert len(body) > 100_000
    path = f"/v1/batches/{batch['id']}/recipients"
    answer = await api.call("PUT", path, content=body, headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["status"], answer.json()["total"], answer.json()["invalid"]) == (200, "ready", 3002, 2)
    rows = (await api.call("GET", path, params={"status": "invalid"})).json()["data"]
    assert [(row["line"], row["code"]) for row in rows] == [(1501, "malformed_json"), (1502, "parameter_invalid")]


async def test_secrets_are_never_shown_again(api: Api) -> None:
    await api.routed()
    hook = await api.made("/v1/webhook_endpoints", {"url": "https://example.com/hook", "events": ["message.*"]})
    assert hook["secret"].startswith("whsec_")
    pages = [await api.call("GET", path) for path in ("/v1/webhook_endpoints", "/v1/connectors", "/v1/api_keys")]
    text = "".join(page.text for page in pages)
    assert hook["secret"] not in text
    assert "password" not in text
    assert api.admin not in text


async def test_pages_follow_each_other_without_a_gap(api: Api) -> None:
    await api.routed()
    made = [(await api.made("/v1/messages", SEND))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.call("GET", "/v1/messages", params={"limit": "2", "order": "asc", **cursor})).json()
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made


async def test_the_stream_goes_on_behind_the_last_event_seen(api: Api) -> None:
    await api.routed()
    for _ in range(2):
        await api.made("/v1/messages", SEND)
    events = (await api.call("GET", "/v1/events", params={"order": "asc"})).json()["data"]
    async with api.client(**{"Last-Event-ID": events[0]["id"]}) as client, client.stream("GET", "/v1/stream") as answer:
        assert [name for name in EVERYWHERE if name not in answer.headers] == []
        async with asyncio.timeout(5):
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    assert line == f"id: {events[1]['id']}"
                    break


async def test_the_first_key_is_made_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), listen_port=0, roles="api")
    async with open_api(settings) as api:
        assert api.admin.startswith("ys_live_")
    async with open_api(settings) as api:
        assert api.admin == ""
