"""What carriers are owed and are known to do, over every protocol and real sockets."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from tests.integration.site import LONG_TEXT, SPOKEN, people, running, until
from tests.integration.test_smpp_carrier import Recorder, connector
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.protocols.sgip.client import ClientSession
from yanshu.runtime.clock import SystemClock
from yanshu.simulator import Behaviour
from yanshu.simulator.behaviour import SimulatedProtocol

DELIVERED = ("delivered", None)
over_every_protocol = pytest.mark.parametrize("protocol", SPOKEN)
over_every_session = pytest.mark.parametrize("protocol", [protocol for protocol, spoken in SPOKEN.items() if spoken.cuts])


@over_every_session
async def test_a_receipt_is_asked_for_every_segment(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, protocol=protocol) as site:
        await site.send(*people(3), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 3}
        assert site.simulator.state()["totals"]["receipts"] == 3 * 4


@over_every_session
async def test_a_carrier_that_reports_on_some_segments_and_means_all_is_not_waited_for(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, protocol=protocol, connector={"one_receipt": True}, livemode=False) as site:
        await site.send("+8610000000009", text="长" * 150)  # of three segments the second is never reported
        assert await site.ended() == {DELIVERED: 1}


@over_every_protocol
async def test_segments_are_what_is_counted_against_the_throughput(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=20), protocol, throughput=10) as site:
        await site.send(*people(10), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 10}
        assert site.simulator.state()["totals"]["throttled"] == 0


@over_every_session
async def test_a_link_that_is_given_up_on_purpose_says_goodbye_first(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, protocol=protocol) as site:
        await site.send(*people(1))
        await site.ended()
        ours = [session for link in site.simulator._links if not isinstance(session := link._session, ClientSession)]
        assert ours
        await site.fleet.stop(5.0)
        await until("the links to end", lambda: all(session.is_over for session in ours))
        assert {session.reason for session in ours} <= {"the peer unbound", "the peer said goodbye"}


async def test_the_links_of_an_account_come_back_one_after_another() -> None:
    logins: list[float] = []
    connected: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        logins.append(time.monotonic())
        connected.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    account = connector(server.sockets[0].getsockname()[1], links=3)
    carriers = [smpp_carrier(account, "secret", Recorder(), SystemClock(), slot) for slot in range(account.links)]
    tasks = [asyncio.create_task(carrier.run()) for carrier in carriers]
    await until("all links", lambda: len(logins) == 3)
    for writer in connected:
        writer.transport.abort()
    await until("all links again", lambda: len(logins) == 6)
    for carrier in carriers:
        await carrier.stop(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in connected:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    server.close()
    await server.wait_closed()
    for first, second in ((0, 1), (1, 2), (3, 4), (4, 5)):
        assert logins[second] - logins[first] > 0.5
