"""The simulator over TCP: sessions, redelivery, faults, its control port, and the command."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from yanshu.protocols.events import Answered, BindRefused, Bound, Event, Lost, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.clock import SystemClock
from yanshu.simulator import Account, Behaviour, Simulator, SimulatorSettings
from yanshu.simulator.control import ControlServer

DEADLINE_SECONDS = 10
ORDINARY = "8613800138000"
PROJECT = Path(__file__).parents[2]


class Client:
    """An SMPP client that keeps all it hears. Deliveries are acknowledged with `acknowledge_with` unless that is None."""

    def __init__(self, bind: pdus.Bind) -> None:
        self.session: EsmeSession[int] = EsmeSession(bind, 1000, Timers())
        self.events: list[Event] = []
        self.acknowledge_with: int | None = 0
        self.clock = SystemClock()
        self.is_over = False
        self._changed = asyncio.Event()

    async def connect(self, port: int) -> None:
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self._note(self.session.connected(self.clock.monotonic()))
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(65_536):
                self._note(self.session.receive_data(data, self.clock.monotonic()))
        except ConnectionError:
            pass
        self.is_over = True
        self._note(self.session.connection_lost(self.clock.monotonic()))

    def _note(self, events: list[Event]) -> None:
        self.events.extend(events)
        if self.acknowledge_with is not None:
            self.session.acknowledge([event.pdu for event in events if isinstance(event, Requested)], self.acknowledge_with)
        self.flush()
        self._changed.set()

    def flush(self) -> None:
        data = self.session.data_to_send()
        if not self.is_over:
            self.writer.write(data)

    def submit(self, destination: str = ORDINARY, text: str = "hello", item: int = 1) -> None:
        pdu = pdus.SubmitSm(source_addr="1069", destination_addr=destination, registered_delivery=1, short_message=text.encode())
        self.session.submit([(codec.body(pdu), item)], self.clock.monotonic())
        self.flush()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def heard(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def delivered(self) -> list[bytes]:
        return [event.pdu.short_message for event in self.heard(Requested)]

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self.writer.close()


@asynccontextmanager
async def connected(port: int, bind: pdus.Bind | None = None) -> AsyncIterator[Client]:
    client = Client(bind or pdus.BindTransceiver(system_id="yanshu", password="simulate"))
    await client.connect(port)
    await client.until(lambda: client.heard(Bound) or client.heard(BindRefused))
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def simulating(**settings: Any) -> AsyncIterator[tuple[Simulator, int]]:
    simulator = Simulator(SimulatorSettings(seed=1, **settings), SystemClock())
    try:
        yield simulator, await simulator.start("127.0.0.1", 0)
    finally:
        await simulator.stop()


async def until(condition: Callable[[], object]) -> None:
    """Poll a condition that has no event of its own."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_text_is_answered_reported_kept_by_the_handset_and_replied_to() -> None:
    async with simulating() as (simulator, port), connected(port) as client:
        client.submit(text="code 123456")
        await client.until(client.delivered)
        ident = client.heard(Answered)[0].message_id
        assert client.delivered()[0].startswith(f"id:{ident} ".encode())
        assert [message.text for message in simulator.inbox(ORDINARY)] == ["code 123456"]
        simulator.reply(ORDINARY, "thanks")
        await client.until(lambda: b"thanks" in client.delivered())


@pytest.mark.parametrize(("system_id", "password", "status"), [("yanshu", "guess", 0x0E), ("nobody", "simulate", 0x0D)])
async def test_wrong_credentials_are_refused_and_the_connection_ends(system_id: str, password: str, status: int) -> None:
    async with simulating() as (_, port), connected(port, pdus.BindTransceiver(system_id=system_id, password=password)) as client:
        assert client.heard(BindRefused)[0].status == status
        await client.until(lambda: client.is_over)


async def test_receipts_of_a_transmitter_wait_for_the_receiver() -> None:
    async with simulating() as (simulator, port):
        async with connected(port, pdus.BindTransmitter(system_id="yanshu", password="simulate")) as sender:
            sender.submit()
            await sender.until(lambda: sender.heard(Answered))
            assert simulator.state()["totals"]["waiting"] == 1
        async with connected(port, pdus.BindReceiver(system_id="yanshu", password="simulate")) as receiver:
            await receiver.until(receiver.delivered)


@pytest.mark.parametrize("answer", [None, 0x64], ids=["no answer", "an error"])
async def test_what_is_not_acknowledged_comes_again(answer: int | None) -> None:
    async with simulating(resend_seconds=0.1) as (_, port), connected(port) as client:
        client.acknowledge_with = answer
        client.submit()
        await client.until(lambda: len(client.delivered()) >= 2)
        assert len(set(client.delivered())) == 1


async def test_what_a_lost_link_did_not_acknowledge_comes_over_the_next() -> None:
    async with simulating() as (simulator, port):
        async with connected(port) as first:
            first.acknowledge_with = None
            first.submit()
            await first.until(first.delivered)
            assert simulator.drop_links() == 1
            await first.until(lambda: first.is_over)
        async with connected(port) as second:
            await second.until(lambda: second.delivered() == first.delivered())


async def test_a_link_dropped_by_count_leaves_the_submit_unanswered() -> None:
    async with simulating(behaviour=Behaviour(drop_every=2)) as (_, port), connected(port) as client:
        client.submit(item=1)
        await client.until(lambda: client.heard(Answered))
        client.submit(item=2)
        await client.until(lambda: client.is_over)
        assert [event.item for event in client.heard(Lost)] == [2]


async def test_garbage_breaks_the_framing_of_the_client_only() -> None:
    async with simulating(behaviour=Behaviour(garbage_every=1)) as (simulator, port):
        async with connected(port) as client:
            client.submit()
            await client.until(lambda: client.session.is_over)
        simulator.set_behaviour({"garbage_every": 0})
        async with connected(port) as client:
            client.submit()
            await client.until(lambda: client.heard(Answered))


async def test_answers_of_one_turn_come_in_reverse_order() -> None:
    async with simulating(behaviour=Behaviour(reorder_answers=True, answer_seconds=0.02)) as (_, port), connected(port) as client:
        for item in range(20):
            client.submit(item=item)
        await client.until(lambda: len(client.heard(Answered)) == 20)
        order = [event.item for event in client.heard(Answered)]
        assert sorted(order) == list(range(20))
        assert order != list(range(20))


async def test_a_silent_carrier_answers_nothing_and_cuts_the_link_when_it_wakes() -> None:
    async with simulating() as (simulator, port), connected(port) as client:
        simulator.set_behaviour({"silent": True})
        client.submit()
        await until(lambda: simulator.is_sleeping)
        assert not client.heard(Answered)
        simulator.set_behaviour({"silent": False})
        await client.until(lambda: client.is_over)


async def test_a_stop_unbinds_and_a_second_start_remembers() -> None:
    simulator = Simulator(SimulatorSettings(), SystemClock())
    port = await simulator.start()
    async with connected(port) as client:
        client.submit()
        await client.until(client.delivered)
        await simulator.stop()
        await client.until(lambda: client.is_over)
    assert await simulator.start("127.0.0.1", port) == port
    async with connected(port) as client:
        assert simulator.handsets() == [ORDINARY]
    await simulator.stop()


@pytest.mark.parametrize(
    "noise", [b"\x00\x00\x00\x01", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x10\x00\x00\x00\x04" + bytes(8)]
)
async def test_noise_before_a_bind_hurts_nobody_else(noise: bytes) -> None:
    async with simulating() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(noise)
        async with asyncio.timeout(DEADLINE_SECONDS), connected(port) as client:
            client.submit()
            await client.until(client.delivered)
        writer.close()
        del reader


async def test_addresses_that_do_not_fit_are_refused_by_their_status() -> None:
    async with simulating() as (_, port), connected(port) as client:
        good = codec.body(pdus.SubmitSm(source_addr="1069", destination_addr="1" * 20))
        client.session.submit([(good.replace(b"1" * 20, b"1" * 30), 1)], 0)
        client.flush()
        await client.until(lambda: client.heard(Answered))
        assert client.heard(Answered)[0].status == 0x0B


async def test_many_links_share_an_account_and_no_receipt_is_lost_or_doubled() -> None:
    accounts = (Account(), Account(system_id="other", password="secret"))
    async with simulating(accounts=accounts, keep_ledger=True) as (simulator, port), connected(port) as one, connected(port) as two:
        for item in range(500):
            (one if item % 2 else two).submit(destination=f"86138{item:08}", text=f"text {item}", item=item)
        await until(lambda: simulator.state()["totals"]["acknowledged"] == 500)
        assert len(set(one.delivered() + two.delivered())) == 500
        assert (len(simulator.ledger), simulator.ledger.accepted_twice()) == (500, {})


async def test_the_control_port_shows_and_changes_everything() -> None:
    async with simulating(keep_ledger=True) as (simulator, port), connected(port) as client:
        control = ControlServer(simulator)
        base = f"http://127.0.0.1:{await control.start()}"
        async with aiohttp.ClientSession() as http:
            client.submit(text="hi")
            await client.until(client.delivered)
            await until(lambda: simulator.state()["totals"]["acknowledged"] == 1)
            state = await (await http.get(base + "/state")).json()
            assert (state["totals"]["submits"], state["accounts"]["yanshu"]["links"]) == (1, 1)
            changed = await (await http.put(base + "/behaviour?account=yanshu", json={"receipt_loss_rate": 0.5})).json()
            assert changed["receipt_loss_rate"] == 0.5
            assert await (await http.get(base + "/handsets")).json() == {"data": [ORDINARY]}
            inbox = await (await http.get(base + f"/handsets/{ORDINARY}")).json()
            assert [message["text"] for message in inbox["data"]] == ["hi"]
            assert (await http.post(base + f"/handsets/{ORDINARY}/reply", json={"text": "回复"})).status == 200
            await client.until(lambda: "回复".encode("utf-16-be") in client.delivered())
            lines = (await (await http.get(base + "/ledger")).text()).splitlines()
            assert [json.loads(line)["destination"] for line in lines] == [ORDINARY]
            assert await (await http.post(base + "/links/drop")).json() == {"dropped": 1}
            await client.until(lambda: client.is_over)
        await control.stop()


REFUSED = [
    ("an unknown field", "PUT", "/behaviour", '{"latency": 1}', 422, "latency"),
    ("a wrong value", "PUT", "/behaviour", '{"refuse_rate": "often"}', 422, "refuse_rate"),
    ("an unknown account", "PUT", "/behaviour?account=nobody", "{}", 404, "nobody"),
    ("no JSON", "PUT", "/behaviour", "{", 400, "JSON"),
    ("an unknown field of a reply", "POST", "/handsets/86138/reply", '{"text": "a", "form": "b"}', 422, "form"),
    ("an empty reply", "POST", "/handsets/86138/reply", '{"text": ""}', 422, "text"),
    ("an unknown handset", "POST", "/handsets/86138/reply", '{"text": "a"}', 404, "86138"),
    ("links of nobody", "POST", "/links/drop?account=nobody", "", 404, "nobody"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "named"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_the_control_port_names_what_is_wrong(method: str, path: str, body: str, status: int, named: str) -> None:
    async with simulating() as (simulator, _):
        control = ControlServer(simulator)
        base = f"http://127.0.0.1:{await control.start()}"
        async with aiohttp.ClientSession() as http, http.request(method, base + path, data=body) as response:
            assert response.status == status
            assert named in (await response.json())["error"]
        await control.stop()


async def test_the_command_says_where_it_listens_and_stops_on_sigterm() -> None:
    code = "from yanshu.cli.simulate import simulate; simulate()"
    options = (
        "--port",
        "0",
        "--cmpp-port",
        "0",
        "--smgp-port",
        "0",
        "--control-port",
        "0",
        "--account",
        "shop:secret",
        "--decimal",
        "--behave",
        "receipt_as=both",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *options, stdout=asyncio.subprocess.PIPE, cwd=PROJECT, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        where = json.loads(await process.stdout.readline())
        async with connected(where["port"], pdus.BindTransceiver(system_id="shop", password="secret")) as client:
            client.submit()
            await client.until(client.delivered)
            assert client.heard(Answered)[0].message_id.isdecimal()
            assert client.heard(Requested)[0].pdu.tlvs
        assert len({where["port"], where["cmpp_port"], where["smgp_port"], where["control_port"]}) == 4
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_sink_of_the_benchmark_answers_reports_and_counts() -> None:
    options = ("-m", "tests.bench.sink", "--port", "0", "--watch", "861390")
    process = await asyncio.create_subprocess_exec(sys.executable, *options, stdout=asyncio.subprocess.PIPE, cwd=PROJECT)
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        where = json.loads(await process.stdout.readline())
        async with connected(where["port"]) as client:
            client.submit()
            client.submit("8613900000000")
            await client.until(lambda: len(client.delivered()) == 2)
            idents = [event.message_id for event in client.heard(Answered)]
            assert [text.split()[0] for text in client.delivered()] == [f"id:{ident}".encode() for ident in idents]
            assert client.heard(Requested)[1].pdu.source_addr == "8613900000000"
        reader, writer = await asyncio.open_connection("127.0.0.1", where["control_port"])
        writer.write(b"stats\narrivals\n")
        stats, arrivals = json.loads(await reader.readline()), json.loads(await reader.readline())
        assert (stats["submits"], stats["receipts"], list(arrivals)) == (2, 2, ["8613900000000"])
        writer.close()
        process.terminate()
        assert await process.wait() == 0
