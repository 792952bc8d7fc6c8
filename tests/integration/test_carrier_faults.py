"""What a carrier can do wrong, against the whole pipeline: the real SMPP carrier, a simulated carrier over TCP, SQLite.

Whatever happens: no message is lost, none is taken twice by the carrier, the window never stalls, every wait ends.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.adapters.stores import open_store
from yanshu.domain.commands import Recipient, Send
from yanshu.domain.connectors import Connector, LinkState, Route
from yanshu.domain.inbound import Inbound
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Risk, Status
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.check import Checker
from yanshu.pipeline.compose import Composer
from yanshu.pipeline.dispatch import Dispatcher
from yanshu.pipeline.fleet import Fleet
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.reroute import Rerouter
from yanshu.pipeline.route import Router
from yanshu.pipeline.sweep import Sweeper
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Supervisor
from yanshu.settings import Settings
from yanshu.simulator import Account, Behaviour, Simulator, SimulatorSettings

WS = "ws_1"
SHORT_TEXT = "您的验证码是482913"
LONG_TEXT = "长" * 250  # four segments
PATIENCE_SECONDS = 30.0
WINDOW = 20
WAITS = Waits(
    receipt=timedelta(seconds=8),
    unknown=timedelta(seconds=4),
    unknown_resend=timedelta(seconds=1),
    partial=timedelta(seconds=1),
    retry=timedelta(seconds=0.2),
)


@dataclass
class Site:
    """A pipeline and its simulated carrier."""

    store: Store
    simulator: Simulator
    port: int
    settings: dict[str, Any]
    accounts: tuple[Account, ...]
    livemode: bool = True
    waits: Waits = WAITS
    throughput: int = 0
    clock: SystemClock = field(default_factory=SystemClock)
    carriers: list[SessionCarrier] = field(default_factory=list)

    async def start(self) -> None:
        """Wire the stages and wait for the links."""
        store, clock, metrics = self.store, self.clock, Metrics()
        self.router = Router(store)
        self.accepter = Accepter(store, clock, Composer(clock, Checker(), self.router), metrics, 20_000)
        inbound = InboundStage(clock, self.router)
        self.outcome = Outcome(store, clock, inbound, metrics, self.waits)
        dispatcher = Dispatcher(store, clock, self.outcome, metrics, 5)
        self.fleet = Fleet("node_1", store, clock, self.router, dispatcher, self._carrier)
        self.fleet.attach(self.outcome)
        sweeper = Sweeper(store, clock, self.outcome, inbound, Rerouter(store, clock, self.router, self.waits, 30))
        self.supervisor = Supervisor(metrics)
        await self._define()
        self.supervisor.spawn("accept", self.accepter.run)
        self.supervisor.spawn("outcome", self.outcome.run)
        self.supervisor.spawn("sweep", lambda: sweeper.run(0.05))
        self.supervisor.spawn("fleet", lambda: self.fleet.run(self.supervisor))
        await until("the links", lambda: len(self.carriers) == len(self.accounts) and all(c.state is LinkState.UP for c in self.carriers))

    async def stop(self) -> None:
        """Drain, then end."""
        await self.fleet.stop(5.0)
        await self.outcome.settled()
        await self.supervisor.stop()

    def _carrier(self, connector: Connector, slot: int) -> SessionCarrier:
        self.carriers.append(smpp_carrier(connector, "simulate", self.outcome, self.clock, slot))
        return self.carriers[-1]

    async def _define(self) -> None:
        now = self.clock.now()
        async with self.store.write() as uow:
            for account in self.accounts:
                settings = {"system_id": account.system_id, "response_timeout_seconds": 1.0, **self.settings}
                connector = Connector(
                    id=f"con_{account.system_id}",
                    name=account.system_id,
                    protocol="smpp",
                    host="127.0.0.1",
                    port=self.port,
                    settings=settings,
                    secret="",
                    created_at=now,
                    updated_at=now,
                    sender="10690000",
                    window=WINDOW,
                    throughput=self.throughput,
                    simulated=not self.livemode,
                )
                await uow.definitions.save_connector(connector)
            connectors = tuple(f"con_{account.system_id}" for account in self.accounts)
            await uow.definitions.save_route(Route(id="rte_1", name="all", rank=1, connectors=connectors, created_at=now, updated_at=now))
            await uow.commit()
        await self.router.refresh()

    async def send(self, *numbers: str, text: str = SHORT_TEXT, lane: Lane = Lane.NOTICE, risk: Risk = Risk.NO_DUPLICATE) -> list[str]:
        """Accept one message a number; their ids."""
        recipients = tuple(Recipient(number) for number in numbers)
        send = Send(workspace_id=WS, livemode=self.livemode, text=text, recipients=recipients, lane=lane, risk=risk)
        return [message.id for message in (await self.accepter.accept(send)).messages]

    async def messages(self) -> list[Message]:
        """Everything accepted."""
        async with self.store.read() as uow:
            return (await uow.messages.page(WS, MessageFilter(), Page(limit=2000))).messages

    async def inbounds(self) -> list[Inbound]:
        """Everything phones sent."""
        async with self.store.read() as uow:
            return await uow.inbounds.page(WS, sender=None, recipient=None, livemode=None, page=Page())

    async def ended(self, seconds: float = PATIENCE_SECONDS) -> Counter[tuple[str, str | None]]:
        """Wait until every message is final; status and reason of all."""
        async with asyncio.timeout(seconds):
            while not all(message.is_final for message in await self.messages()):
                await asyncio.sleep(0.02)
        return Counter((str(message.status), message.reason_code) for message in await self.messages())

    def taken(self) -> Counter[tuple[str, str, int]]:
        """How often the carrier took each segment."""
        return Counter((entry.destination, entry.digest, entry.part) for entry in self.simulator.ledger if entry.status == 0)

    def misbehave(self, **changes: Any) -> None:
        """Change the carrier's behaviour."""
        self.simulator.set_behaviour(changes)


@asynccontextmanager
async def running(folder: Path, behaviour: Behaviour | None = None, **fields: Any) -> AsyncIterator[Site]:
    """A site with its links up. `connector` are settings of the connectors, `accounts` those of the carrier."""
    accounts = fields.pop("accounts", (Account(),))
    connector = fields.pop("connector", {})
    settings = SimulatorSettings(
        accounts=accounts, behaviour=behaviour or Behaviour(), keep_ledger=True, seed=7, resend_seconds=1.0, time_factor=20
    )
    simulator = Simulator(settings, SystemClock())
    store = open_store(Settings(data_dir=str(folder)), SystemClock())
    await store.migrate()
    site = Site(store, simulator, await simulator.start(), connector, accounts, **fields)
    await site.start()
    try:
        yield site
        await until("every permit back", lambda: not any(carrier.outstanding for carrier in site.carriers))
    finally:
        await site.stop()
        await simulator.stop()
        await store.close()


async def until(what: str, ready: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Poll a condition."""
    try:
        async with asyncio.timeout(seconds):
            while not ready():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds} s") from None


def people(count: int) -> list[str]:
    """Some numbers."""
    return [f"138001380{n:02d}" if count <= 100 else f"13800{n:06d}" for n in range(count)]


DELIVERED = ("delivered", None)
UNKNOWN = ("undelivered", "outcome_unknown")

HARMLESS: list[tuple[str, Behaviour, dict[str, Any]]] = [
    ("answers late and out of order", Behaviour(answer_seconds=0.05, answer_jitter_seconds=0.2, reorder_answers=True), {}),
    ("receipts before answers", Behaviour(answer_seconds=0.3, receipt_seconds=0.0), {}),
    ("every receipt twice", Behaviour(receipt_duplicate_rate=1.0), {}),
    ("receipts late and out of order", Behaviour(receipt_seconds=0.05, receipt_jitter_seconds=0.5), {}),
    ("receipts only as parameters", Behaviour(receipt_as="tlv"), {}),
    ("ids in decimal, receipts in hex", Behaviour(id_form="decimal", receipt_id_form="hex"), {}),
    ("ids in hex, receipts in decimal", Behaviour(id_form="hex", receipt_id_form="decimal"), {}),
    ("ids padded with zeros in receipts", Behaviour(id_form="decimal", receipt_id_width=20), {}),
    ("ids that are UUIDs", Behaviour(id_form="uuid"), {}),
    ("long texts by SAR parameters", Behaviour(), {"long_text": "sar"}),
]


@pytest.mark.parametrize(("name", "behaviour", "connector"), HARMLESS, ids=[case[0] for case in HARMLESS])
async def test_a_carrier_with_odd_habits_delivers_everything_once(
    tmp_path: Path, name: str, behaviour: Behaviour, connector: dict[str, Any]
) -> None:
    async with running(tmp_path, behaviour, connector=connector) as site:
        await site.send(*people(60))
        await site.send(*people(20), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 80}
        assert set(site.taken().values()) == {1}
        assert len(site.taken()) == 60 + 20 * 4


async def test_long_messages_under_throttling_are_delivered_completely(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=15)) as site:
        await site.send(*people(8), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 8}
        assert set(site.taken().values()) == {1}
        assert len(site.taken()) == 8 * 4
        assert site.simulator.state()["totals"]["throttled"] > 0


async def test_throttled_short_messages_wait_in_the_queue_and_are_no_attempts(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=10)) as site:
        await site.send(*people(30))
        assert await site.ended() == {DELIVERED: 30}
        assert {message.attempts for message in await site.messages()} == {1}
        assert set(site.taken().values()) == {1}


async def test_a_carrier_whose_limit_is_respected_never_has_to_throttle(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=20), throughput=15) as site:
        await site.send(*people(45))
        assert await site.ended() == {DELIVERED: 45}
        assert site.simulator.state()["totals"]["throttled"] == 0


async def test_the_rest_of_a_long_message_is_written_over_the_next_connection(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=1)) as site:
        await site.send(*people(1), text=LONG_TEXT)
        await until("some segments to be throttled", lambda: 0 < len(site.taken()) < 4 and site.carriers[0].state is LinkState.THROTTLED)
        site.misbehave(throttle_per_second=0)
        site.simulator.drop_links()
        assert await site.ended() == {DELIVERED: 1}
        assert set(site.taken().values()) == {1}
        assert len(site.taken()) == 4


async def test_a_stop_in_the_middle_of_a_long_message_writes_its_rest(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(throttle_per_second=1)) as site:
        await site.send(*people(1), text=LONG_TEXT)
        await until("some segments to be throttled", lambda: 0 < len(site.taken()) < 4 and site.carriers[0].state is LinkState.THROTTLED)
        await site.fleet.stop(10.0)
        await site.outcome.settled()
        assert len(site.taken()) == 4
        assert {message.status for message in await site.messages()} <= {Status.SUBMITTED, Status.PARTIALLY_DELIVERED, Status.DELIVERED}


async def test_a_carrier_that_drops_the_link_again_and_again_takes_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(drop_every=61)) as site:
        await site.send(*people(300))
        found = await site.ended(60)
        assert found.total() == 300
        assert set(found) <= {DELIVERED, UNKNOWN, ("delivered", "partial_receipts")}
        assert set(site.taken().values()) == {1}
        delivered = {m.recipient.lstrip("+") for m in await site.messages() if m.status is Status.DELIVERED}
        assert delivered == {number for number, *_ in site.taken()}
        # A drop costs at most what was on the wire.
        assert found[DELIVERED] >= 300 - WINDOW * site.simulator.state()["totals"]["cut"]


async def test_answers_that_never_come_are_unknown_and_resolved_by_receipts(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(answer_loss_rate=0.3, receipt_seconds=2.0)) as site:
        await site.send(*people(60))
        assert await site.ended() == {DELIVERED: 60}
        assert set(site.taken().values()) == {1}
        assert site.simulator.state()["totals"]["unanswered"] > 0


async def test_without_answer_and_receipt_nobody_knows_and_nothing_is_sent_again(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(answer_loss_rate=1.0, receipt_loss_rate=1.0)) as site:
        await site.send(*people(30))
        assert await site.ended() == {UNKNOWN: 30}
        assert set(site.taken().values()) == {1}
        assert not any(message.duplicates_possible for message in await site.messages())


async def test_an_otp_whose_owner_prefers_a_duplicate_is_sent_again_a_bounded_number_of_times_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(answer_loss_rate=1.0, receipt_loss_rate=1.0)) as site:
        await site.send(*people(1), lane=Lane.OTP, risk=Risk.BEST_EFFORT)
        await site.ended()
        (message,) = await site.messages()
        assert message.duplicates_possible
        assert [*site.taken().values()] == [message.attempts]
        assert 2 <= message.attempts <= 3


async def test_garbage_ends_the_connection_and_the_next_one_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(garbage_every=40)) as site:
        await site.send(*people(100))
        found = await site.ended(60)
        assert set(found) <= {DELIVERED, UNKNOWN}
        assert set(site.taken().values()) == {1}
        assert found[DELIVERED] >= 40


async def test_a_silent_link_is_noticed_and_replaced(tmp_path: Path) -> None:
    connector = {"enquire_link_seconds": 0.3}
    async with running(tmp_path, connector=connector) as site:
        site.misbehave(silent=True)
        await site.send(*people(30))
        await until("the link to be given up", lambda: site.carriers[0].state is not LinkState.UP)
        site.misbehave(silent=False)
        await until("a new link", lambda: site.carriers[0].state is LinkState.UP)
        await site.send("13900139000")
        found = await site.ended(60)
        assert found.total() == 31
        # What was on a silent wire is honestly unknown (a second one, on a slow machine, may be silent as well); all else arrived.
        assert set(found) <= {DELIVERED, UNKNOWN}
        assert max(site.taken().values()) == 1
        assert len(site.taken()) == found[DELIVERED] >= 1


async def test_a_carrier_that_fails_now_and_then_gets_a_bounded_number_of_tries(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(refuse_rate=0.5, refuse_code=0x08)) as site:
        await site.send(*people(60))
        found = await site.ended(60)
        assert set(found) <= {DELIVERED, ("failed", "connector_busy")}
        assert max(site.taken().values()) == 1
        assert max(message.attempts for message in await site.messages()) <= 4
        assert len(site.taken()) == found[DELIVERED]


RESTLESS: list[tuple[str, dict[str, Any]]] = [
    ("throttles nearly everything", {"throttle_per_second": 1}),
    ("drops the link at every submit", {"drop_every": 1}),
    ("writes garbage at every submit", {"garbage_every": 1}),
    ("answers nothing", {"answer_loss_rate": 1.0, "receipt_loss_rate": 1.0}),
]


@pytest.mark.parametrize(("name", "behaviour"), RESTLESS, ids=[case[0] for case in RESTLESS])
async def test_nothing_spins(tmp_path: Path, name: str, behaviour: dict[str, Any]) -> None:
    async with running(tmp_path) as site:
        site.misbehave(**behaviour)
        await site.send(*people(80))
        await until("the carrier to misbehave", lambda: site.simulator.state()["totals"]["submits"] > 0)
        cpu, end = time.process_time(), time.monotonic() + 2.0
        await until("two seconds to go by", lambda: time.monotonic() >= end)
        assert time.process_time() - cpu < 1.0
        site.misbehave(**dict.fromkeys(behaviour, 0))


STORY: list[tuple[str, str, str, str | None]] = [
    ("01", SHORT_TEXT, "delivered", None),
    ("02", SHORT_TEXT, "undelivered", "carrier_undeliverable"),
    ("03", SHORT_TEXT, "undelivered", "carrier_expired"),
    ("04", SHORT_TEXT, "undelivered", "carrier_rejected"),
    ("05", SHORT_TEXT, "undelivered", "no_receipt"),
    ("06", SHORT_TEXT, "delivered", None),
    ("07", SHORT_TEXT, "delivered", None),
    ("08", SHORT_TEXT, "delivered", None),
    ("09", "长" * 150, "delivered", "partial_receipts"),
    ("10", SHORT_TEXT, "delivered", None),
    ("11", SHORT_TEXT, "delivered", None),
    ("12", SHORT_TEXT, "delivered", None),
    ("13", SHORT_TEXT, "delivered", None),
    ("14", SHORT_TEXT, "delivered", None),
    ("15", SHORT_TEXT, "delivered", None),
    ("16", SHORT_TEXT, "delivered", None),
    ("17", SHORT_TEXT, "delivered", None),
    ("18", SHORT_TEXT, "undelivered", "no_receipt"),  # 6 min / 20 are longer than this test waits for receipts
    ("19", SHORT_TEXT, "delivered", None),
]


async def test_every_test_number_tells_its_story(tmp_path: Path) -> None:
    accounts = (Account(refuses_07=True), Account(system_id="second"))
    async with running(tmp_path, accounts=accounts, livemode=False) as site:
        idents = {(await site.send(f"+86100000000{number}", text=text))[0]: number for number, text, *_ in STORY}
        await site.ended()
        found = {idents[message.id]: message for message in await site.messages()}
        told = [(number, text, str(found[number].status), found[number].reason_code) for number, text, *_ in STORY]
        assert told == STORY
        assert (found["07"].connector_id, found["07"].attempts) == ("con_second", 2)
        assert set(site.taken().values()) == {1}
        replies = Counter((inbound.sender[-2:], inbound.text) for inbound in await site.inbounds())
        assert replies == {("12", "TD"): 1, ("13", "T"): 1, ("14", "1"): 1, ("15", "你好"): 1, ("19", "OK"): 1}
        assert all(not inbound.livemode and inbound.in_reply_to for inbound in await site.inbounds())
