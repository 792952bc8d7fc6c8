"""The HTTP carrier over real sockets, against clouds that check signatures with the vendors' own SDKs."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from tests.integration.certificates import server_context
from tests.integration.clouds import ACCEPTED, ACCOUNT, CHECKS, SECRET, Cloud, huawei_said, said
from tests.integration.test_smpp_carrier import Recorder, message, until
from tests.integration.test_smpp_carrier import connector as any_connector
from yanshu.adapters.carriers.http.carrier import HttpCarrier, http_carrier
from yanshu.adapters.carriers.http.provided import PROVIDED
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.submissions import AnswerResult
from yanshu.ports.callbacks import CallbackUrls
from yanshu.runtime.clock import SystemClock

R = AnswerResult
TEXT = "【雁书】您的验证码是 12&3=4+5，请勿告知他人\n"
LONG = "【雁书】" + "长" * 150
TEMPLATES = [{"id": "SMS_1", "text": "您的验证码是 ${code}，请勿告知他人\n"}, {"id": "SMS_2", "text": "${content}"}]
EXTRA: dict[str, dict[str, Any]] = {
    "alibaba": {"templates": TEMPLATES},
    "huawei": {"templates": TEMPLATES},
    "tencent": {"templates": TEMPLATES, "region": "ap-guangzhou", "sdk_app_id": "1400"},
}
URLS = CallbackUrls("https://sms.example.com/callbacks/con_1/t0k3n/receipts", "https://sms.example.com/callbacks/con_1/t0k3n/inbound")


def connector(port: int, provider: str = "generic_json", settings: dict[str, Any] | None = None, **fields: Any) -> Connector:
    given = {"provider": provider, "account": ACCOUNT, "tls": False, **EXTRA.get(provider, {}), **(settings or {})}
    return replace(any_connector(port), protocol="http", settings=given, **fields)


@asynccontextmanager
async def running(
    cloud: Cloud, settings: dict[str, Any] | None = None, secret: str = SECRET, **fields: Any
) -> AsyncIterator[tuple[HttpCarrier, Recorder]]:
    """A carrier that runs, and is stopped afterwards."""
    intake = Recorder()
    carrier = http_carrier(connector(cloud.port, cloud.provider, settings, **fields), secret, intake, SystemClock(), URLS)
    task = asyncio.create_task(carrier.run())
    try:
        yield carrier, intake
    finally:
        await carrier.stop(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def up(cloud: Cloud, settings: dict[str, Any] | None = None, **fields: Any) -> AsyncIterator[tuple[HttpCarrier, Recorder]]:
    async with running(cloud, settings, **fields) as (carrier, intake):
        await until(lambda: carrier.state is LinkState.UP)
        yield carrier, intake


@asynccontextmanager
async def served(provider: str, tls: Any = None) -> AsyncIterator[Cloud]:
    cloud = Cloud(provider, tls)
    await cloud.start()
    try:
        yield cloud
    finally:
        await cloud.stop()


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    async with served("generic_json") as cloud:
        yield cloud


def test_every_provider_has_a_stand_in() -> None:
    assert set(CHECKS) == set(ACCEPTED) == set(PROVIDED)


@pytest.mark.parametrize("provider", PROVIDED)
async def test_the_vendors_own_sdk_finds_our_signature_right(provider: str) -> None:
    async with served(provider) as cloud, up(cloud) as (carrier, intake):
        carrier.submit([message(text=TEXT), message("msg_2", "hello")])
        await until(lambda: len(intake.answers) == 2)
        assert intake.results == [R.ACCEPTED, R.ACCEPTED]
        assert all(answer.carrier_message_id for answer in intake.answers)
        first = cloud.calls[0]
        assert first.headers["user-agent"] == "Yanshu"
        assert first.headers["host"] == f"127.0.0.1:{cloud.port}"


@pytest.mark.parametrize("provider", PROVIDED)
async def test_a_wrong_secret_blocks_the_link_and_the_message_may_go_elsewhere(provider: str) -> None:
    async with served(provider) as cloud, up(cloud, secret="another") as (carrier, intake):
        carrier.submit([message(text=TEXT)])
        await until(lambda: intake.answers)
        assert intake.results == [R.BUSY]
        assert (carrier.state, carrier.free()) == (LinkState.BLOCKED, 0)
        assert "refuses the account" in intake.details[-1]
        assert len(cloud.calls) == 1


async def test_what_a_template_carrier_gets_are_the_values_of_the_template() -> None:
    async with served("tencent") as cloud, up(cloud) as (carrier, intake):
        carrier.submit([message(text=TEXT)])
        await until(lambda: intake.answers)
    document = cloud.calls[0].document
    assert (document["TemplateId"], document["TemplateParamSet"], document["SignName"]) == ("SMS_1", ["12&3=4+5"], "雁书")


async def test_a_text_without_a_template_is_refused_here_and_nothing_is_sent() -> None:
    async with served("alibaba") as cloud, up(cloud, {"templates": TEMPLATES[:1]}) as (carrier, intake):
        carrier.submit([message(text="something else")])
        await until(lambda: intake.answers)
        assert intake.results == [R.REFUSED]
        assert (intake.answers[0].code or "").startswith("local: no template")
        assert cloud.calls == []


async def test_a_long_text_is_one_request_and_one_submission_a_segment_where_the_carrier_tells() -> None:
    async with served("huawei") as cloud, up(cloud) as (carrier, intake):
        cloud.answer = said(200, huawei_said("000000", 3))
        carrier.submit([message(text=LONG)])
        await until(lambda: intake.answers)
        places = [(answer.segment, answer.total, answer.carrier_message_id) for answer in intake.answers]
        assert places == [(1, 3, "hw_1:1"), (2, 3, "hw_1:2"), (3, 3, "hw_1:3")]
        assert len(cloud.calls) == 1
    async with served("twilio") as cloud, up(cloud) as (carrier, intake):
        carrier.submit([message(text=LONG)])
        await until(lambda: intake.answers)
        assert [(answer.segment, answer.total) for answer in intake.answers] == [(1, 1)]
        assert cloud.calls[0].form["Body"] == LONG


ANSWERS: list[tuple[str, int, object, AnswerResult]] = [
    ("refused", 422, {"code": "refused"}, R.REFUSED),
    ("busy", 200, {"code": "busy"}, R.BUSY),
    ("a gateway that lost its server", 502, b"<html>", R.UNANSWERED),
    ("a server that fell over", 500, {"code": 0, "id": "1"}, R.UNANSWERED),
    ("a 503 that names no time", 503, b"", R.UNANSWERED),
    ("an answer without sense", 200, b"<html>", R.ACCEPTED),
    ("an answer without end", 200, b"[" * 3_000_000, R.ACCEPTED),
]


@pytest.mark.parametrize(("name", "status", "body", "result"), ANSWERS, ids=[case[0] for case in ANSWERS])
async def test_an_answer_ends_a_message_once(cloud: Cloud, name: str, status: int, body: object, result: AnswerResult) -> None:
    cloud.answer = said(status, body)
    async with up(cloud) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert intake.results == [result]
        assert carrier.state is LinkState.UP
    assert (len(intake.answers), len(cloud.calls)) == (1, 1)


async def test_a_redirect_is_not_followed(cloud: Cloud) -> None:
    cloud.answer = lambda _: web.Response(status=307, headers={"Location": f"http://127.0.0.1:{cloud.port}/elsewhere"})
    async with up(cloud) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert intake.results == [R.BUSY]
    assert [call.path for call in cloud.calls] == ["/messages"]


async def test_a_carrier_that_never_answers_leaves_the_message_unknown_and_is_asked_once(cloud: Cloud) -> None:
    cloud.gate = asyncio.Event()
    settings = {"response_timeout_seconds": 0.2, "connect_timeout_seconds": 0.1}
    async with up(cloud, settings) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert intake.results == [R.UNANSWERED]
        assert (carrier.state, carrier.outstanding) == (LinkState.UP, 0)
    cloud.gate.set()
    assert len(cloud.calls) == 1


async def test_a_carrier_that_hangs_up_leaves_the_message_unknown_and_is_asked_once(cloud: Cloud) -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(65_536))
        writer.close()

    asked: list[bytes] = []
    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    cloud.port = server.sockets[0].getsockname()[1]
    async with up(cloud) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert intake.results == [R.UNANSWERED]
    server.close()
    await server.wait_closed()
    assert len([octets for octets in asked if octets]) == 1


async def test_a_carrier_that_is_away_gets_nothing_and_is_looked_for_until_it_is_back(cloud: Cloud) -> None:
    async with up(cloud) as (carrier, intake):
        await cloud.stop()
        carrier.submit([message(), message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
        assert intake.results == [R.UNSENT, R.UNSENT]
        assert (carrier.state, carrier.free()) == (LinkState.DOWN, 0)
        assert "no connection" in intake.details[-1]
        await cloud.start(cloud.port)
        await until(lambda: carrier.state is LinkState.UP)
        carrier.submit([message("msg_3")])
        await until(lambda: len(intake.answers) == 3)
        assert intake.results[-1] is R.ACCEPTED
    assert intake.states[:4] == [LinkState.CONNECTING, LinkState.UP, LinkState.DOWN, LinkState.CONNECTING]


async def test_a_carrier_of_which_nobody_knows_is_tried_with_single_messages_and_not_with_the_queue(cloud: Cloud) -> None:
    cloud.answer = said(500, b"")
    async with up(cloud, window=5) as (carrier, intake):
        carrier.submit([message(f"msg_{number}") for number in range(20)])
        await until(lambda: len(intake.answers) == 20)
        assert set(intake.results) == {R.UNANSWERED, R.UNSENT}
        assert len(cloud.calls) == intake.results.count(R.UNANSWERED) <= 5 + 4  # five in a row, and what was under way by then
        assert (carrier.state, carrier.free()) == (LinkState.DOWN, 0)
        assert "5 requests in a row" in intake.details[-1]
        await until(lambda: carrier.state is LinkState.UP)
        assert carrier.free() == 1
        carrier.submit([message("msg_20")])
        await until(lambda: len(intake.answers) == 21)
        assert (intake.results[-1], carrier.state) == (R.UNANSWERED, LinkState.DOWN)
        cloud.answer = ACCEPTED["generic_json"]
        await until(lambda: carrier.state is LinkState.UP)
        carrier.submit([message("msg_21")])
        await until(lambda: len(intake.answers) == 22)
        assert (intake.results[-1], carrier.free()) == (R.ACCEPTED, 5)


async def test_now_and_then_an_answer_of_no_use_leaves_the_link_alone(cloud: Cloud) -> None:
    turns = iter(range(100))
    cloud.answer = lambda call: said(500, b"")(call) if next(turns) % 4 else ACCEPTED["generic_json"](call)
    async with up(cloud, window=1) as (carrier, intake):
        carrier.submit([message(f"msg_{number}") for number in range(20)])
        await until(lambda: len(intake.answers) == 20)
        assert Counter(intake.results) == {R.UNANSWERED: 15, R.ACCEPTED: 5}
        assert carrier.state is LinkState.UP


async def test_nothing_is_taken_before_the_carrier_can_be_reached(cloud: Cloud) -> None:
    await cloud.stop()
    async with running(cloud) as (carrier, intake):
        await until(lambda: LinkState.DOWN in intake.states)
        assert "cannot connect to 127.0.0.1" in intake.details[-1]
        carrier.submit([message()])
        assert intake.results == [R.UNSENT]


async def test_too_fast_pauses_the_link_for_as_long_as_the_carrier_says_and_the_message_is_no_attempt(cloud: Cloud) -> None:
    cloud.answer = lambda _: web.Response(status=429, headers={"Retry-After": "1"})
    async with up(cloud, window=1) as (carrier, intake):
        carrier.submit([message(), message("msg_2")])
        await until(lambda: intake.answers)
        assert (intake.results, carrier.state, carrier.free()) == ([R.THROTTLED], LinkState.THROTTLED, 0)
        cloud.answer = ACCEPTED["generic_json"]
        await until(lambda: carrier.state is LinkState.UP)
        await until(lambda: len(intake.answers) == 2)
        assert intake.results[1] is R.ACCEPTED


async def test_no_more_requests_than_the_window_are_under_way_and_permits_are_announced(cloud: Cloud) -> None:
    cloud.gate = asyncio.Event()
    async with up(cloud, window=3) as (carrier, intake):
        assert (carrier.free(), carrier.free(1)) == (3, 2)
        carrier.submit([message(f"msg_{number}") for number in range(5)])
        await until(lambda: len(cloud.calls) == 3)
        assert (carrier.free(), carrier.outstanding) == (0, 5)
        opened = intake.opened
        cloud.gate.set()
        await until(lambda: len(intake.answers) == 5)
        await until(lambda: intake.opened > opened)
        assert (carrier.free(), len(cloud.calls)) == (3, 5)
    assert sorted(answer.message_id for answer in intake.answers) == [f"msg_{number}" for number in range(5)]


async def test_no_more_requests_a_second_than_agreed(cloud: Cloud) -> None:
    async with up(cloud, window=50, throughput=10) as (carrier, intake):
        began = asyncio.get_running_loop().time()
        carrier.submit([message(f"msg_{number}") for number in range(6)])
        await until(lambda: len(intake.answers) == 6)
        assert asyncio.get_running_loop().time() - began > 0.4


async def test_stopping_waits_for_answers_and_gives_the_rest_back(cloud: Cloud) -> None:
    cloud.gate = asyncio.Event()
    async with up(cloud, window=2) as (carrier, intake):
        carrier.submit([message(f"msg_{number}") for number in range(4)])
        await until(lambda: len(cloud.calls) == 2)
        stopping = asyncio.create_task(carrier.stop(5.0))
        await until(lambda: len(intake.answers) == 2)
        assert intake.results == [R.UNSENT, R.UNSENT]
        assert (carrier.state, carrier.free()) == (LinkState.DRAINING, 0)
        cloud.gate.set()
        await stopping
    assert intake.results[2:] == [R.ACCEPTED, R.ACCEPTED]


async def test_stopping_cuts_off_what_has_no_answer_within_the_budget(cloud: Cloud) -> None:
    cloud.gate = asyncio.Event()
    async with up(cloud) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: cloud.calls)
        await carrier.stop(0.05)
        assert intake.results == [R.UNANSWERED]
        carrier.submit([message("msg_2")])
        assert intake.results == [R.UNANSWERED, R.UNSENT]
    cloud.gate.set()


async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    context, ca_file = server_context(tmp_path)
    async with served("generic_json", context) as cloud:
        async with running(cloud, {"tls": True}) as (carrier, intake):
            await until(lambda: LinkState.DOWN in intake.states)
            assert "the certificate is not accepted" in intake.details[-1]
        async with up(cloud, {"tls": True, "ca_file": ca_file}) as (carrier, intake):
            carrier.submit([message()])
            await until(lambda: intake.answers)
            assert intake.results == [R.ACCEPTED]


async def test_a_certificate_of_another_name_is_taken_under_that_name_only(tmp_path: Path) -> None:
    context, ca_file = server_context(tmp_path, "sms.example.com")
    async with served("generic_json", context) as cloud:
        async with running(cloud, {"tls": True, "ca_file": ca_file}) as (carrier, intake):
            await until(lambda: LinkState.DOWN in intake.states)
        async with up(cloud, {"tls": True, "ca_file": ca_file, "tls_server_name": "sms.example.com"}) as (carrier, intake):
            carrier.submit([message()])
            await until(lambda: intake.answers)
            assert intake.results == [R.ACCEPTED]


async def test_neither_secrets_nor_numbers_are_logged(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with up(cloud) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        await cloud.stop()
        carrier.submit([message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
    told = caplog.text + " ".join(intake.details)
    assert SECRET not in told
    assert "13800138000" not in told
    assert "t0k3n" not in told
