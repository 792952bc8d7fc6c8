"""Idempotency over two processes: of identical requests one does the work, all others are told what it was told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.integration.api_house import Api, open_api
from yanshu.settings import Settings

SEND = {"to": "13800138000", "text": "【雁书】您的验证码是 482913", "send_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
HOOK = {"url": "https://example.com/hook", "events": ["message.*"]}
# One loop for the file: the two processes are started once.
pytestmark = pytest.mark.asyncio(loop_scope="module")
Pair = tuple[Api, Api]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Two processes that answer HTTP over one PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("pair")
    url = postgres.create_database("idempotency")
    settings = Settings(data_dir=str(folder), database_url=url, database_pool_size=4, listen_port=0, roles="api", drain_seconds=2)
    async with open_api(settings) as one, open_api(settings) as two:
        await one.routed()
        await two.platform.stages.router.refresh()
        two.admin = one.admin
        yield one, two
    postgres.drop_database("idempotency")


async def connector_of(api: Api) -> str:
    found: str = (await api.call("GET", "/v1/connectors")).json()["data"][0]["id"]
    return found


async def batch_of(api: Api, *steps: str) -> str:
    """A batch with one recipient, after these steps."""
    body = {"text": "hi", "recipients": [{"to": "13800138000"}], "start": False}
    ident: str = (await api.made("/v1/batches", body))["id"]
    for step in steps:
        await api.made(f"/v1/batches/{ident}/{step}", {})
    return ident


async def request_for(api: Api, label: str) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path and body of a request that changes something which exists by then."""
    kind, _, step = label.partition(" ")
    if kind == "batch":
        before = {"start": (), "pause": ("start",), "resume": ("start", "pause"), "cancel": ()}[step]
        return "POST", f"/v1/batches/{await batch_of(api, *before)}/{step}", {}
    if kind == "message":
        path = f"/v1/messages/{(await api.made('/v1/messages', SEND))['id']}"
        later = {"send_at": (datetime.now(UTC) + timedelta(days=2)).isoformat()}
        return ("PATCH", path, later) if step == "move" else ("POST", f"{path}/cancel", {})
    if kind == "key":
        path = f"/v1/api_keys/{(await api.made('/v1/api_keys', {'name': 'k', 'scopes': ['messages:read']}))['id']}"
        return ("DELETE", path, None) if step == "revoke" else ("POST", f"{path}/rotate", {})
    if kind == "hook":
        path = f"/v1/webhook_endpoints/{(await api.made('/v1/webhook_endpoints', HOOK))['id']}"
        event = (await api.call("GET", "/v1/events")).json()["data"][0]["id"]
        ways: dict[str, tuple[str, str, dict[str, Any] | None]] = {
            "change": ("PATCH", path, {"events": ["*"]}),
            "rotate": ("POST", f"{path}/rotate_secret", {}),
            "test": ("POST", f"{path}/test", {}),
            "replay": ("POST", f"{path}/replay", {"events": [event]}),
            "delete": ("DELETE", path, None),
        }
        return ways[step]
    connector = await connector_of(api)
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "message": ("/v1/messages", SEND),
        "batch": ("/v1/batches", {"text": "hi", "recipients": [{"to": "13800138000"}] * 3}),
        "key": ("/v1/api_keys", {"name": "k", "scopes": ["messages:read"]}),
        "workspace": ("/v1/workspaces", {"name": "w"}),
        "route": ("/v1/routes", {"name": "r", "rank": 900, "connectors": [connector]}),
        "hook": ("/v1/webhook_endpoints", HOOK),
    }
    return "POST", *made[step]


NEW = ["new message", "new batch", "new key", "new workspace", "new route", "new hook"]
CHANGES = [
    "message cancel",
    "message move",
    *(f"batch {step}" for step in ("start", "pause", "resume", "cancel")),
    "key rotate",
    "key revoke",
    *(f"hook {step}" for step in ("change", "rotate", "test", "replay", "delete")),
]


async def audited(api: Api) -> Counter[str]:
    entries = (await api.call("GET", "/v1/audit", params={"limit": 200})).json()["data"]
    return Counter(entry["action"] for entry in entries if entry["action"] != "request.refused")


@pytest.mark.parametrize("label", [*NEW, *CHANGES])
async def test_identical_requests_at_once_are_one(pair: Pair, label: str) -> None:
    one, two = pair
    method, path, body = await request_for(one, label)
    before = await audited(one)

    async def ask(api: Api) -> httpx.Response:
        return await api.call(method, path, json=body, headers={"Idempotency-Key": label})

    answers = await asyncio.gather(*(ask(api) for api in (one, two) * 3))
    good = [answer for answer in answers if answer.is_success]
    refused = {answer.json()["error"]["code"] for answer in answers if not answer.is_success}
    assert refused <= {"idempotency_in_progress"}
    assert len({answer.status_code for answer in good}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in good) == 1
    assert len({without_secret(answer) for answer in good}) == 1
    later = [await ask(api) for api in pair]
    assert {(answer.headers.get("idempotent-replayed"), without_secret(answer)) for answer in later} == {("true", without_secret(good[0]))}
    if label not in {"new message", "new batch"}:
        assert (await audited(one) - before).total() == 1, "one change, one audit entry"


def without_secret(answer: httpx.Response) -> str:
    """What all the answers have in common: a secret is in the first alone."""
    return str({**answer.json(), "secret": None})


async def test_another_body_under_the_same_key_is_refused_by_both(pair: Pair) -> None:
    for api in pair:
        answers = [await api.call("POST", "/v1/workspaces", json={"name": name}, headers={"Idempotency-Key": "other"}) for name in "ab"]
        assert answers[-1].json()["error"]["code"] == "idempotency_key_reused"


async def test_a_refusal_is_not_remembered(pair: Pair) -> None:
    headers = {"Idempotency-Key": "refused"}
    refused = await pair[0].call("POST", "/v1/messages", json={**SEND, "to": "12"}, headers=headers)
    assert refused.status_code == 422
    accepted = await pair[1].call("POST", "/v1/messages", json=SEND, headers=headers)
    assert (accepted.status_code, "idempotent-replayed" in accepted.headers) == (202, False)


async def test_keys_of_another_path_workspace_or_mode_are_others(pair: Pair) -> None:
    api = pair[0]
    scopes = ("messages:send", "batches:write")
    workspace = (await api.made("/v1/workspaces", {"name": "w"}))["id"]
    body, headers = {"text": "hi", "start": False}, {"Idempotency-Key": "same"}
    answers = [
        await api.call("POST", "/v1/batches", json=body, headers=headers, key=key)
        for key in (None, await api.key(*scopes), await api.key(*scopes, workspace=workspace), await api.key(*scopes, livemode=False))
    ]
    answers.append(await api.call("POST", "/v1/workspaces", json={"name": "x"}, headers=headers))
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True, False, False, False]
