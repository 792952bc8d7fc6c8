"""The sandbox over HTTP: test keys read virtual handsets and answer as their owners."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.integration.api_house import Api, open_api
from yanshu.edge.api.app import build_app
from yanshu.settings import Settings

NUMBER = "8610000000001"


class Text(Struct, frozen=True):
    """One text on a handset."""

    sender: str
    text: str
    at: datetime
    segments: int


class Handsets:
    """A sandbox with one handset."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, str, str | None]] = []

    def handsets(self) -> list[str]:
        return [NUMBER]

    def inbox(self, number: str) -> list[Text]:
        return [Text("1069", f"to {number}", datetime(2026, 11, 2, tzinfo=UTC), 1)]

    def reply(self, number: str, text: str, to: str | None = None) -> int:
        self.replies.append((number, text, to))
        return 1


class Door:
    """The API with such a sandbox, without a socket."""

    def __init__(self, api: Api, sandbox: Handsets | None) -> None:
        self._api = api
        services = replace(api.platform._edge(), sandbox=sandbox)
        self._app = build_app(services, api.platform.gate)

    async def call(self, method: str, path: str, livemode: bool = False, json: object = None, **of: str) -> httpx.Response:
        key = await self._api.key("sandbox:use", livemode=livemode, **of)
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid.uuid4().hex}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://yanshu") as client:
            return await client.request(method, f"/v1/sandbox/{path}", headers=headers, json=json)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(Settings(data_dir=str(tmp_path), listen_port=0, roles="api")) as api:
        yield api


async def test_a_handset_is_read_and_answers(api: Api) -> None:
    handsets = Handsets()
    door = Door(api, handsets)
    await api.routed(simulated=True)
    sender = await api.key("messages:send", livemode=False)
    await api.made("/v1/messages", {"to": NUMBER, "text": f"to {NUMBER}"}, key=sender)
    assert [phone["id"] for phone in (await door.call("GET", "phones")).json()["data"]] == [f"+{NUMBER}"]
    for written in (NUMBER, f"+{NUMBER}"):
        inbox = (await door.call("GET", f"phones/{written}/inbox")).json()["data"]
        assert [(text["sender"], text["text"], text["at"]) for text in inbox] == [("1069", f"to {NUMBER}", "2026-11-02T00:00:00Z")]
    answer = await door.call("POST", f"phones/{NUMBER}/reply", json={"text": "TD"})
    assert (answer.status_code, handsets.replies) == (202, [(NUMBER, "TD", None)])


async def test_a_test_number_is_everybodys_but_the_texts_on_it_are_not(api: Api) -> None:
    door = Door(api, Handsets())
    await api.routed(simulated=True)
    mine = await api.key("messages:send", livemode=False)
    await api.made("/v1/messages", {"to": NUMBER, "text": f"to {NUMBER}"}, key=mine)
    theirs = (await api.made("/v1/workspaces", {"name": "other"}))["id"]
    assert (await door.call("GET", "phones", workspace=theirs)).json()["data"] == []
    assert (await door.call("GET", f"phones/{NUMBER}/inbox", workspace=theirs)).status_code == 404
    assert (await door.call("POST", f"phones/{NUMBER}/reply", json={"text": "T"}, workspace=theirs)).status_code == 404
    sender = await api.key("messages:send", livemode=False, workspace=theirs)
    await api.made("/v1/messages", {"to": NUMBER, "text": "another text"}, key=sender)
    assert (await door.call("GET", f"phones/{NUMBER}/inbox", workspace=theirs)).json()["data"] == []


@pytest.mark.parametrize(
    ("label", "sandbox", "livemode", "path", "status"),
    [
        ("no sandbox here", None, False, "phones", 404),
        ("a live key", Handsets(), True, "phones", 403),
        ("a number nothing was sent to", Handsets(), False, "phones/8610000000002/inbox", 404),
    ],
)
async def test_the_sandbox_is_refused(api: Api, label: str, sandbox: Handsets | None, livemode: bool, path: str, status: int) -> None:
    assert (await Door(api, sandbox).call("GET", path, livemode)).status_code == status, label
