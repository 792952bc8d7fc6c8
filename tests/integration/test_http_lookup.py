"""A register over real HTTP: how it is asked, what its answers mean, and everything that can go wrong with it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from yanshu.adapters.lookups.definition import DefinitionError, load_definition
from yanshu.adapters.lookups.http import HttpLookup
from yanshu.app.platform import Platform
from yanshu.cli.examine import examine
from yanshu.domain.commands import Recipient, Send
from yanshu.domain.connectors import Connector, Match, Route
from yanshu.domain.errors import LookupFailed
from yanshu.domain.lessons import Heard
from yanshu.domain.numbers import Operator, Source
from yanshu.domain.outcomes import OutcomeClass
from yanshu.settings import Settings
from yanshu.testing.samples import in_turn

NUMBER = "+8613800138000"


class RegisterServer:
    """An HTTP server on 127.0.0.1 that keeps what it is asked and answers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Any = {"code": 0, "data": {"isp": "3"}}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay_seconds = 0.0
        self.cut = False
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr,attr-defined]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        await asyncio.sleep(self.delay_seconds)
        if self.cut and request.transport is not None:
            request.transport.abort()
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(status=self.status, body=body, headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[RegisterServer]:
    server = RegisterServer()
    await server.start()
    yield server
    await server.stop()


def definition(port: int, **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": "register",
        "url": f"http://127.0.0.1:{port}/v1/query?mobile={{number}}",
        "answer": "data.isp",
        "operators": {"1": "cmcc", "2": "cucc", "3": "ctcc", "4": "cbn"},
        "timeout_ms": 500,
    }
    return values | fields


def _written(folder: Path, content: Any) -> Path:
    path = folder / "lookup.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(0o600)
    return path


async def _found(server: RegisterServer, folder: Path, **fields: Any) -> Operator | None:
    lookup = HttpLookup(load_definition(_written(folder, definition(server.port, **fields))))
    try:
        return await lookup.find(NUMBER)
    finally:
        await lookup.close()


async def test_a_register_is_asked_with_a_get(server: RegisterServer, tmp_path: Path) -> None:
    assert await _found(server, tmp_path, headers={"Authorization": "Bearer k"}) is Operator.CTCC
    method, path, headers, body = server.asked[0]
    assert (method, path, headers["Authorization"], body) == ("GET", "/v1/query?mobile=13800138000", "Bearer k", b"")


async def test_a_register_is_asked_with_a_post(server: RegisterServer, tmp_path: Path) -> None:
    url, body = f"http://127.0.0.1:{server.port}/mnp?n={{e164}}", '{"mobile": "{number}", "e164": "{e164}"}'
    headers = {"Content-Type": "application/json"}
    assert await _found(server, tmp_path, method="POST", url=url, body=body, headers=headers) is Operator.CTCC
    method, path, sent, octets = server.asked[0]
    assert (method, path, sent["Content-Type"]) == ("POST", "/mnp?n=%2B8613800138000", "application/json")
    assert json.loads(octets) == {"mobile": "13800138000", "e164": NUMBER}


ANSWERS: list[tuple[str, Any, str, Operator | None]] = [
    ("a text", {"data": {"isp": "2"}}, "data.isp", Operator.CUCC),
    ("a number", {"data": {"isp": 1}}, "data.isp", Operator.CMCC),
    ("in a list", {"list": [{"isp": 4}]}, "list.0.isp", Operator.CBN),
    ("a value it does not name", {"data": {"isp": "virtual"}}, "data.isp", None),
    ("nothing is known", {"data": {"isp": None}}, "data.isp", None),
    ("nothing at all", {"code": 404, "data": None}, "data.isp", None),
]


@pytest.mark.parametrize(("name", "answer", "way", "operator"), ANSWERS, ids=[case[0] for case in ANSWERS])
async def test_an_answer_is_read(
    server: RegisterServer, tmp_path: Path, name: str, answer: Any, way: str, operator: Operator | None
) -> None:
    server.answer = answer
    assert await _found(server, tmp_path, answer=way) is operator


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("an error", {"status": 500}, "status 500"),
    ("too many requests", {"status": 429}, "status 429"),
    ("a redirect, which is not followed", {"status": 302, "headers": {"Location": "/elsewhere"}}, "status 302"),
    ("silence", {"delay_seconds": 30.0}, "no answer in time"),
    ("a cut connection", {"cut": True}, "no answer: "),
    ("no JSON", {"answer": b"<html>"}, "no JSON"),
    ("broken bytes", {"answer": b'{"data": {"isp": "\xff"}}'}, "no JSON"),
    ("deep brackets", {"answer": b"[" * 60_000}, "no JSON"),
    ("another form", {"answer": {"result": {}}}, "its answer has no data"),
    ("a list for an object", {"answer": {"data": ["3"]}}, "its answer has no isp"),
    ("a text for an object", {"answer": {"data": "3"}}, "its answer has no isp"),
    ("an answer without end", {"answer": b'"' + b"x" * 1_000_000}, "more than 65,536 bytes"),
]


@pytest.mark.parametrize(("name", "behaviour", "told"), FAULTS, ids=[case[0] for case in FAULTS])
async def test_whatever_goes_wrong_is_a_failed_lookup(
    server: RegisterServer, tmp_path: Path, name: str, behaviour: dict[str, Any], told: str
) -> None:
    for field, value in behaviour.items():
        setattr(server, field, value)
    with pytest.raises(LookupFailed, match=told):
        await _found(server, tmp_path)


async def test_a_register_that_is_not_there_is_a_failed_lookup(tmp_path: Path) -> None:
    lookup = HttpLookup(load_definition(_written(tmp_path, definition(1))))
    with pytest.raises(LookupFailed, match="no answer"):
        await lookup.find(NUMBER)
    await lookup.close()


BROKEN: list[tuple[str, Any, str]] = [
    ("no JSON", b"{", "JSON|truncated"),
    ("no UTF-8", b'{"name": "\xff"}', "."),
    ("a field too many", definition(1, colour="red"), "unknown field `colour`"),
    ("a field too few", {"name": "x"}, "missing required field `url`"),
    ("no number in it", definition(1, url="http://127.0.0.1/"), r"url or body has \{number\}"),
    ("another scheme", definition(1, url="ftp://a/{number}"), r"\$\.url"),
    ("an unknown operator", definition(1, operators={"1": "netcom"}), r"\$\.operators"),
    ("no operators", definition(1, operators={}), r"\$\.operators"),
    ("a body with a GET", definition(1, body="{number}"), "a GET has no body"),
    ("a header of two lines", definition(1, headers={"A": "b\r\nC: d"}), "headers are one line each"),
    ("a wait too long", definition(1, plan={"wait_ms": 60_000}), r"\$\.plan\.wait_ms"),
    ("a plan with a typing mistake", definition(1, plan={"per_secnd": 1}), "unknown field `per_secnd`"),
]


@pytest.mark.parametrize(("name", "content", "told"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_definition_that_cannot_be_used_names_the_field(tmp_path: Path, name: str, content: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        load_definition(_written(tmp_path, content))


async def test_the_doctor_tells_of_the_register(tmp_path: Path) -> None:
    async def told(**settings: str) -> tuple[bool, str]:
        found = await examine(Settings(data_dir=str(tmp_path), listen_port=0, **settings))  # type: ignore[arg-type]
        return next((f.good, f.detail) for f in found if f.what == "register of numbers")

    assert await told() == (True, "none is asked; YANSHU_LOOKUP_FILE names one")
    path = _written(tmp_path, definition(1, plan={"ask": "every", "per_day": 5000}))
    good, detail = await told(lookup_file=str(path))
    assert (good, detail) == (True, "register is asked about every mainland number, at most 5,000 a day; a message waits 0 ms")
    path.chmod(0o644)
    good, detail = await told(lookup_file=str(path))
    assert (good, f"run chmod 600 {path}" in detail) == (False, True)
    good, detail = await told(lookup_file=str(tmp_path / "none.json"))
    assert (good, "YANSHU_LOOKUP_FILE" in detail, "No such file" in detail) == (False, True, True)


async def _served_by(server: RegisterServer, folder: Path, **plan: Any) -> Platform:
    """A platform with a connector for each operator that asks the register; the stages run, nothing listens."""
    path = _written(folder, definition(server.port, plan=plan))
    platform = Platform(Settings(data_dir=str(folder), lookup_file=str(path), roles="worker"))
    await platform.start()
    now = platform.clock.now()
    async with platform.store.write() as uow:
        for rank, operator in enumerate(Operator, 1):
            name = f"con_{operator}"
            made = {"id": name, "name": name, "protocol": "smpp", "host": "h", "port": 1, "settings": {}, "secret": ""}
            await uow.definitions.save_connector(Connector(**made, created_at=now, updated_at=now))  # type: ignore[arg-type]
            match = Match(operators=(operator,))
            route = Route(id=name, name=name, rank=rank, pool=in_turn(name), created_at=now, updated_at=now, match=match)
            await uow.definitions.save_route(route)
        await uow.commit()
    await platform.stages.router.refresh()
    return platform


async def _accepted(platform: Platform, **fields: Any) -> str | None:
    """Have a message to the number accepted; the connector it will take."""
    send = Send(workspace_id="ws_1", livemode=True, text="【雁书】您好", recipients=(Recipient("13800138000"),), **fields)
    return (await platform.stages.accepter.accept(send)).messages[0].connector_id


async def test_a_message_waits_for_the_register_as_long_as_it_may(server: RegisterServer, tmp_path: Path) -> None:
    platform = await _served_by(server, tmp_path, ask="every", wait_ms=5000)
    try:
        assert await _accepted(platform) == "con_ctcc"
        assert await _accepted(platform) == "con_ctcc"
        assert len(server.asked) == 1, "the answer is kept"
        facts, _ = await platform.stages.numbers.facts_of(NUMBER, platform.clock.now())
        assert (facts.operator, facts.source, facts.ported) == (Operator.CTCC, Source.LOOKUP, True)
    finally:
        await platform.stop()


async def test_a_slow_register_delays_nothing_and_tells_the_next_message(server: RegisterServer, tmp_path: Path) -> None:
    server.delay_seconds = 0.1
    platform = await _served_by(server, tmp_path, ask="every")
    try:
        assert await _accepted(platform) == "con_cmcc"
        async with asyncio.timeout(10):
            while (await platform.stages.numbers.facts_of(NUMBER, platform.clock.now()))[0].source is not Source.LOOKUP:
                await asyncio.sleep(0.01)
        assert await _accepted(platform) == "con_ctcc"
    finally:
        await platform.stop()


async def test_a_register_is_asked_only_about_what_has_moved_unless_told_otherwise(server: RegisterServer, tmp_path: Path) -> None:
    platform = await _served_by(server, tmp_path, wait_ms=5000)
    numbers, now = platform.stages.numbers, platform.clock.now()
    try:
        assert await _accepted(platform) == "con_cmcc"
        await platform.stages.accepter.preview(Send(workspace_id="ws_1", livemode=True, text="x", recipients=(Recipient("13800138000"),)))
        assert server.asked == []
        heard = Heard(number=NUMBER, owner=Operator.CMCC, serves=None, outcome=OutcomeClass.PORTED, code="", message_id="m", at=now)
        async with platform.store.write() as uow:
            gained = await numbers.learn(uow, [heard])
            await uow.commit()
        numbers.learned(gained)
        server.answer = {"data": {"isp": "2"}}
        assert await _accepted(platform) == "con_cucc"
        assert len(server.asked) == 1
    finally:
        await platform.stop()


async def test_a_register_that_is_down_stops_no_message(server: RegisterServer, tmp_path: Path) -> None:
    await server.stop()
    platform = await _served_by(server, tmp_path, ask="every", wait_ms=5000)
    try:
        assert await _accepted(platform) == "con_cmcc"
    finally:
        await platform.stop()
