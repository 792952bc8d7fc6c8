"""The whole pipeline against a simulated carrier over TCP, in one process: real carriers of any protocol, SQLite, short waits."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from tests.integration.serving import free_port
from yanshu.adapters.carriers.cmpp.dialect import cmpp_carrier
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.http.carrier import HttpCarrier, http_carrier
from yanshu.adapters.carriers.http.reader import HttpCallbackReader
from yanshu.adapters.carriers.sgip.dialect import sgip_carrier
from yanshu.adapters.carriers.smgp.dialect import smgp_carrier
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.adapters.stores import open_store
from yanshu.app.http import Listener
from yanshu.domain.commands import Recipient, Send
from yanshu.domain.connectors import Connector, LinkState, Route
from yanshu.domain.inbound import Inbound
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Risk
from yanshu.edge.callbacks.door import CallbackDoor, path_of
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.check import Checker
from yanshu.pipeline.compose import Composer
from yanshu.pipeline.dispatch import Dispatcher
from yanshu.pipeline.fleet import Fleet
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.reroute import Rerouter
from yanshu.pipeline.route import Router
from yanshu.pipeline.senders import Senders
from yanshu.pipeline.sweep import Sweeper
from yanshu.ports.callbacks import CallbackKind, CallbackUrls
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.rules.contacts.lessons import Policy
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Supervisor
from yanshu.settings import Settings
from yanshu.simulator import Account, Behaviour, Simulator, SimulatorSettings
from yanshu.simulator.behaviour import SimulatedProtocol
from yanshu.testing.causes import shipped_causes
from yanshu.testing.samples import in_turn

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


class Spoken(NamedTuple):
    """How a connector of a protocol is made: its carrier, the setting that names the account, others, and those of an impatient one.

    `cuts` tells whether we cut long texts, over a session, or the carrier does.
    """

    carrier: Callable[..., SessionCarrier | HttpCarrier]
    account: str
    impatient: dict[str, float]
    others: Callable[[Account], dict[str, Any]] = lambda _: {}
    cuts: bool = True

    def settings_of(self, account: Account) -> dict[str, Any]:
        """Return what makes a connector for an account."""
        return {self.account: account.system_id, **self.others(account)}


def _listening(account: Account) -> dict[str, Any]:
    """Where the carrier finds the client of an SGIP account, and who that is."""
    host, _, port = account.delivers_to.rpartition(":")
    own = {"corp_id": "01234", "area_code": "010"}
    return {**own, "listen_host": host, "listen_port": int(port)} if port else own


_GENERIC = {"provider": "generic_json", "tls": False, "connect_timeout_seconds": 1.0}
SPOKEN: dict[SimulatedProtocol, Spoken] = {
    "smpp": Spoken(smpp_carrier, "system_id", {"enquire_link_seconds": 0.3}),
    "cmpp": Spoken(cmpp_carrier, "sp_id", {"active_test_seconds": 0.3}),
    "sgip": Spoken(sgip_carrier, "login_name", {"idle_seconds": 1.0}, _listening),
    "smgp": Spoken(smgp_carrier, "client_id", {"active_test_seconds": 0.3}),
    "http": Spoken(
        http_carrier, "account", {"response_timeout_seconds": 0.2, "connect_timeout_seconds": 0.2}, lambda _: _GENERIC, cuts=False
    ),
}


@dataclass
class Site:
    """A pipeline and its simulated carrier."""

    protocol: SimulatedProtocol
    store: Store
    simulator: Simulator
    port: int
    settings: dict[str, Any]
    accounts: tuple[Account, ...]
    livemode: bool = True
    waits: Waits = WAITS
    throughput: int = 0
    clock: SystemClock = field(default_factory=SystemClock)
    carriers: list[SessionCarrier | HttpCarrier] = field(default_factory=list)
    door: Listener = field(default_factory=lambda: Listener(1))

    async def start(self) -> None:
        """Wire the stages; the links come up by themselves."""
        store, clock, metrics = self.store, self.clock, Metrics()
        self.router = Router(store)
        self.numbers = Numbers(store, clock, shipped_prefixes(), Policy(), metrics)
        self.accepter = Accepter(store, clock, Composer(clock, Checker(), self.router, self.numbers), metrics, 20_000)
        inbound = InboundStage(clock, self.router)
        self.outcome = Outcome(store, clock, inbound, metrics, self.waits, shipped_causes(self.router))
        self.dispatcher = Dispatcher(store, clock, self.outcome, Senders(self.router), metrics, 5)
        sweeper = Sweeper(store, clock, self.outcome, inbound, Rerouter(store, clock, self.router, self.waits, 30))
        self.supervisor = Supervisor(metrics)
        await self._define()
        self.supervisor.spawn("accept", self.accepter.run)
        self.supervisor.spawn("outcome", self.outcome.run)
        self.supervisor.spawn("sweep", lambda: sweeper.run(0.05))
        if self.protocol == "http":
            reader = HttpCallbackReader(clock, lambda _: "simulate", lambda _: "t0k3n")
            self.door.open("127.0.0.1", 0, "")
            self.door.offer(CallbackDoor(self.router, reader, self.outcome, metrics, lambda: self.door.url))
            self.supervisor.spawn("callbacks", self.door.serve)
        self.hold_links()

    def hold_links(self, node: str = "node_1") -> None:
        """Begin to hold links; another time after a stop, or as another process."""
        self.carriers.clear()
        self.fleet = Fleet(node, self.store, self.clock, self.router, self.dispatcher, self._carrier)
        self.fleet.attach(self.outcome)
        fleet = self.fleet
        self.supervisor.spawn("fleet", lambda: fleet.run(self.supervisor))

    @property
    def long_segments(self) -> int:
        """In how many submits a `LONG_TEXT` goes."""
        return 4 if SPOKEN[self.protocol].cuts else 1

    def is_up(self) -> bool:
        """Whether all links are up."""
        return len(self.carriers) == len(self.accounts) and all(carrier.state is LinkState.UP for carrier in self.carriers)

    async def stop(self) -> None:
        """Drain, then end."""
        await self.fleet.stop(5.0)
        await self.outcome.settled()
        await self.door.drain()
        await self.supervisor.stop()
        self.door.close()

    def _carrier(self, connector: Connector, slot: int) -> SessionCarrier | HttpCarrier:
        urls = CallbackUrls(*(self.door.url + path_of(connector.id, "t0k3n", kind) for kind in CallbackKind))
        place = urls if self.protocol == "http" else slot
        self.carriers.append(SPOKEN[self.protocol].carrier(connector, "simulate", self.outcome, self.clock, place))
        return self.carriers[-1]

    async def _define(self) -> None:
        now = self.clock.now()
        async with self.store.write() as uow:
            for account in self.accounts:
                spoken = SPOKEN[self.protocol]
                own = {"response_timeout_seconds": 1.0, **spoken.settings_of(account)}
                connector = Connector(
                    id=f"con_{account.system_id}",
                    name=account.system_id,
                    protocol=self.protocol,
                    host="127.0.0.1",
                    port=self.port,
                    settings={**own, **self.settings},
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
            await uow.definitions.save_route(
                Route(id="rte_1", name="all", rank=1, pool=in_turn(*connectors), created_at=now, updated_at=now)
            )
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

    async def inbounds(self, limit: int = 50) -> list[Inbound]:
        """What phones sent."""
        async with self.store.read() as uow:
            return await uow.inbounds.page(WS, sender=None, recipient=None, livemode=None, page=Page(limit=limit))

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
async def running(
    folder: Path, behaviour: Behaviour | None = None, protocol: SimulatedProtocol = "smpp", **fields: Any
) -> AsyncIterator[Site]:
    """A site; `up` waits for its links.

    `connector` are settings of the connectors, `accounts` those of the carrier, `carrier` more settings of it.
    """
    accounts = tuple(
        replace(account, delivers_to=f"127.0.0.1:{free_port()}") if account.delivers_to == Account().delivers_to else account
        for account in fields.pop("accounts", (Account(protocol=protocol),))
    )
    up = fields.pop("up", True)
    connector = fields.pop("connector", {})
    time_factor = fields.pop("time_factor", 20)
    settings = SimulatorSettings(
        accounts=accounts,
        behaviour=behaviour or Behaviour(),
        keep_ledger=True,
        seed=7,
        resend_seconds=1.0,
        time_factor=time_factor,
        **fields.pop("carrier", {}),
    )
    simulator = Simulator(settings, SystemClock())
    store = open_store(Settings(data_dir=str(folder)), SystemClock())
    await store.migrate()
    site = Site(protocol, store, simulator, await simulator.start(protocol=protocol), connector, accounts, **fields)
    await site.start()
    if up:
        await until("the links", site.is_up)
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
