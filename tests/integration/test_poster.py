"""The HTTP poster: what it tells of a peer, and that no name talks it into a closed address."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from yanshu.adapters.channels.http import BODY_LIMIT_BYTES, AiohttpPoster, GuardedResolver, TargetRefused
from yanshu.rules.webhooks.targets import Allowance, parse_allow
from yanshu.runtime.clock import SystemClock
from yanshu.testing.clocks import FakeClock
from yanshu.testing.receiver import Reply, WebhookReceiver


class Credulous:
    """A guard that believes every URL, so that only the later gates are left."""

    def __init__(self, allow: Allowance) -> None:
        self.allow = allow

    def check(self, url: str) -> None:
        del url

    def permits(self, host: str, port: int, address: str) -> bool:
        return self.allow.permits(host, port, address)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
async def poster(receiver: WebhookReceiver) -> AsyncIterator[AiohttpPoster]:
    poster = AiohttpPoster(parse_allow(receiver.allow), FakeClock(), "Yanshu/test")
    yield poster
    await poster.close()


async def test_a_post_arrives_as_it_was_given(receiver: WebhookReceiver, poster: AiohttpPoster) -> None:
    result = await poster.post(receiver.url, b'{"a":1}', {"webhook-id": "evt_1"}, 5)
    (call,) = receiver.calls
    assert (result.status, result.error, result.retry_after) == (200, None, None)
    assert (call.body, call.headers["webhook-id"], call.headers["user-agent"]) == (b'{"a":1}', "evt_1", "Yanshu/test")


async def test_a_redirect_is_an_answer_and_not_followed(receiver: WebhookReceiver, poster: AiohttpPoster) -> None:
    receiver.reply = Reply(status=307, headers={"location": receiver.url})
    assert (await poster.post(receiver.url, b"{}", {}, 5)).status == 307
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(FakeClock().now() + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(FakeClock().now() - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_retry_after_is_read(receiver: WebhookReceiver, poster: AiohttpPoster, given: str, seconds: float | None) -> None:
    receiver.reply = Reply(status=503, headers={"retry-after": given})
    assert (await poster.post(receiver.url, b"{}", {}, 5)).retry_after == seconds


async def test_a_huge_answer_is_not_read_to_its_end(receiver: WebhookReceiver, poster: AiohttpPoster) -> None:
    receiver.reply = Reply(body=b"x" * (64 * BODY_LIMIT_BYTES))
    assert (await poster.post(receiver.url, b"{}", {}, 5)).status == 200


async def test_a_peer_that_does_not_answer_in_time(receiver: WebhookReceiver) -> None:
    poster = AiohttpPoster(parse_allow(receiver.allow), SystemClock())
    receiver.reply = Reply(delay_seconds=5)
    result = await poster.post(receiver.url, b"{}", {}, 0.1)
    await poster.close()
    assert (result.status, result.error) == (None, "timeout")
    assert 90 <= result.took_ms < 3000


async def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        poster = AiohttpPoster(parse_allow(place), FakeClock())
        result = await poster.post(f"http://{place}/", b"{}", {}, 5)
        await poster.close()
    assert (result.status, result.error) == (None, "connect_failed")


@pytest.mark.parametrize(
    ("label", "answer", "error"),
    [("nonsense", b"NONSENSE\r\n\r\n", "answer_unreadable"), ("nothing", b"", "connection_lost")],
)
async def test_a_peer_that_does_not_speak_http(label: str, answer: bytes, error: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    poster = AiohttpPoster(parse_allow(place), FakeClock())
    result = await poster.post(f"http://{place}/", b"", {}, 5)
    await poster.close()
    server.close()
    assert (result.status, result.error) == (None, error), label


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_even_a_credulous_url_check_leads_to_no_closed_address(receiver: WebhookReceiver, host: str) -> None:
    poster = AiohttpPoster(Credulous(Allowance()), FakeClock())
    result = await poster.post(f"http://{host}:{receiver.port}/", b"{}", {}, 5)
    await poster.close()
    assert (result.status, result.error) == (None, "address_refused")
    assert receiver.calls == []


async def test_a_place_allowed_by_name_is_reached_by_that_name_only(receiver: WebhookReceiver) -> None:
    poster = AiohttpPoster(Credulous(parse_allow(f"localhost:{receiver.port}")), FakeClock())
    refused = await poster.post(f"http://127.0.0.1:{receiver.port}/", b"{}", {}, 5)
    reached = await poster.post(f"http://localhost:{receiver.port}/", b"{}", {}, 5)
    await poster.close()
    assert (refused.error, reached.status) == ("address_refused", 200)


async def test_the_resolver_keeps_permitted_addresses_only() -> None:
    resolver = GuardedResolver(Allowance())
    with pytest.raises(TargetRefused):
        await resolver.resolve("localhost", 80)
    assert [result["host"] for result in await resolver.resolve("1.1.1.1", 80)] == ["1.1.1.1"]
    await resolver.close()
