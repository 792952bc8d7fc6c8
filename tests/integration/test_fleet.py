"""Two processes and the links of one connector: never more than it may have, whatever dies, hangs or tells a wrong time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from yanshu.domain.connectors import Connector, Filing, FilingState, Price
from yanshu.domain.errors import Invalid, StoreBusy
from yanshu.domain.money import Money
from yanshu.pipeline.dispatch import Dispatcher
from yanshu.pipeline.fleet import Fleet
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.route import Router
from yanshu.pipeline.senders import Senders
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Supervisor
from yanshu.testing.carriers import ScriptedCarrier
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed

LEASE_ROUNDS = 7
HOUR = timedelta(hours=1)


class Reachable:
    """A store that one process can be cut off from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_cut = False
        self.wake, self.wait = store.wake, store.wait

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        if self.is_cut:
            raise StoreBusy("cut off")
        async with self._store.write() as uow:
            yield uow

    read = write


class Link(ScriptedCarrier):
    """A link that notes whether it is open."""

    is_open = False

    async def run(self) -> None:
        self.is_open = True
        try:
            await super().run()
        finally:
            self.is_open = False


class Process:
    """One dispatcher process with a clock and a connection to the store of its own."""

    def __init__(self, name: str, store: Store) -> None:
        self.clock = FakeClock()
        self.store = Reachable(store)
        self.links: list[Link] = []
        self.broken: set[str] = set()
        store = self.store  # type: ignore[assignment]
        router, metrics = Router(store), Metrics()
        self._outcome = Outcome(store, self.clock, InboundStage(self.clock, router), metrics, Waits(), shipped_causes(router))
        dispatcher = Dispatcher(store, self.clock, self._outcome, Senders(router), metrics, 30)
        self.fleet = Fleet(name, store, self.clock, router, dispatcher, self._link)
        self.supervisor = Supervisor(metrics)

    def _link(self, connector: Connector, slot: int) -> Link:
        del slot
        if connector.id in self.broken:
            raise Invalid("parameter_invalid", param="settings.system_id", fix="at most 15 characters")
        self.links.append(Link(connector.id, self._outcome, self.clock))
        return self.links[-1]

    @property
    def open_links(self) -> int:
        return sum(link.is_open for link in self.links)

    async def round(self) -> None:
        """A second passes, and a round is done."""
        self.clock.advance(1)
        await self.fleet.step(self.supervisor)
        for _ in range(5):
            await asyncio.sleep(0)

    async def die(self) -> None:
        """End as by a kill: nothing is given back."""
        await self.supervisor.stop()


@pytest.fixture
async def processes(store: Store) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes that want the one link of a connector; the first has it."""
    first, second = Process("node_1", store), Process("node_2", store)
    async with store.write() as uow:
        await uow.definitions.save_connector(Samples(first.clock).connector(links=1))
        await uow.commit()
    for _ in range(3):
        await first.round()
        await second.round()
    assert (first.open_links, second.open_links) == (1, 0)
    yield first, second
    for process in (first, second):
        await process.die()


async def rounds(first: Process, second: Process, count: int) -> tuple[int, int]:
    """Do rounds; after which the first let go, and after which the second took over (`count` if not)."""
    let_go = taken = count
    for number in range(count):
        await first.round()
        await second.round()
        assert first.open_links + second.open_links <= 1
        let_go = min(let_go, number) if not first.open_links else let_go
        taken = min(taken, number) if second.open_links else taken
    return let_go, taken


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
@pytest.mark.parametrize("who", ["holder", "other", "both"])
async def test_a_clock_that_jumps_moves_no_link(processes: tuple[Process, Process], jump: timedelta, who: str) -> None:
    first, second = processes
    for process in {"holder": [first], "other": [second], "both": [first, second]}[who]:
        process.clock.set(process.clock.now() + jump)
    assert await rounds(first, second, 15) == (15, 15)


@pytest.mark.parametrize("jump", [timedelta(0), HOUR, -HOUR], ids=["not", "forward", "back"])
async def test_the_link_of_a_dead_process_is_taken_over_in_time_whatever_the_clock_does(
    processes: tuple[Process, Process], jump: timedelta
) -> None:
    first, second = processes
    await first.die()
    second.clock.set(second.clock.now() + jump)
    for number in range(LEASE_ROUNDS + 2):
        await second.round()
        if second.open_links:
            assert number >= LEASE_ROUNDS - 2
            return
    raise AssertionError("not taken over")


async def test_a_process_that_is_cut_off_from_the_store_lets_go_before_another_takes_over(processes: tuple[Process, Process]) -> None:
    first, second = processes
    first.store.is_cut = True
    let_go, taken = await rounds(first, second, LEASE_ROUNDS + 3)
    assert LEASE_ROUNDS / 2 < let_go < taken < LEASE_ROUNDS + 3
    first.store.is_cut = False
    assert await rounds(second, first, 3) == (3, 3)


async def test_a_link_given_back_is_taken_at_once(processes: tuple[Process, Process]) -> None:
    first, second = processes
    await first.fleet.stop(1.0)
    await second.round()
    assert (first.open_links, second.open_links) == (0, 1)


async def test_a_connector_that_cannot_be_opened_harms_no_other(processes: tuple[Process, Process]) -> None:
    first, _ = processes
    first.broken = {"con_broken"}
    samples = Samples(first.clock)
    async with first.store.write() as uow:
        for ident in ("con_broken", "con_whole"):
            await uow.definitions.save_connector(changed(samples.connector(links=1), id=ident))
        await uow.commit()
    for _ in range(3):
        await first.round()
    assert first.open_links == 2
    first.broken = set()
    await first.round()
    assert first.open_links == 3


@pytest.mark.parametrize(
    ("change", "links"),
    [
        ({"name": "renamed"}, 1),
        ({"prices": (Price(per_segment=Money("CNY", 1)),)}, 1),
        ({"filings": (Filing("雁书", FilingState.FILED),), "requires_filing": True}, 1),
        ({"own_senders": False, "sender_length": 12}, 1),
        ({"metadata": {"contract": "2026"}}, 1),
        ({"sender": "10690001"}, 2),
        ({"window": 8}, 2),
        ({"settings": {"system_id": "another"}}, 2),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_links_are_opened_anew_only_for_what_they_are_made_of(
    processes: tuple[Process, Process], change: dict[str, object], links: int
) -> None:
    first, _ = processes
    async with first.store.write() as uow:
        [connector] = await uow.definitions.connectors()
        await uow.definitions.save_connector(changed(connector, version=connector.version + 1, **change))
        await uow.commit()
    for _ in range(3):
        await first.round()
    assert (len(first.links), first.open_links) == (links, 1)
