"""Two processes watch the same connectors: they count apart, judge together, and tell once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from yanshu.domain.connectors import ConnectorState, LinkReport, LinkState
from yanshu.domain.errors import StoreBusy
from yanshu.domain.events import Event
from yanshu.domain.health import HEALTHY, Admission, Breaker, Cause, Standing, Standings
from yanshu.domain.lanes import LANE_ORDER
from yanshu.domain.messages import Message, Status
from yanshu.domain.numbers import Operator
from yanshu.domain.submissions import AnswerResult, ReceiptState
from yanshu.pipeline.causes import Causes
from yanshu.pipeline.health import Health, Part
from yanshu.pipeline.health_counts import Counting
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.reroute import Rerouter
from yanshu.pipeline.route import Router
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.rules.routing.codes import shipped_codes
from yanshu.rules.routing.limits import Limits
from yanshu.runtime.metrics import Metrics
from yanshu.testing.carriers import ScriptedCarrier, always
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed

GOOD, BAD = AnswerResult.ACCEPTED, AnswerResult.BUSY
A, B = "con_a", "con_b"
CMCC, CUCC = "+86138", "+86130"


class Reachable:
    """A store that a process can be cut off from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_cut = False
        self.wake, self.wait, self.read = store.wake, store.wait, store.read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        if self.is_cut:
            raise StoreBusy("cut off")
        async with self._store.write() as uow:
            yield uow


class Process:
    """One process: links, intake, and its part in health."""

    def __init__(self, name: str, store: Store, clock: FakeClock, samples: Samples) -> None:
        self.store, self.clock, self.samples = Reachable(store), clock, samples
        self.router = Router(self.store)  # type: ignore[arg-type]
        self.outcome = Outcome(
            store, clock, InboundStage(clock, self.router), Metrics(), Waits(), Causes(shipped_codes, shipped_prefixes(), self.router)
        )
        counting = Counting(name, Limits(), shipped_prefixes())
        self.outcome.on_stored = counting.stored
        part = Part(is_judge=True, is_routing=True, limits=Limits(), patience_seconds=30)
        self.health = Health(self.store, clock, self.router, counting, part, Metrics())  # type: ignore[arg-type]
        self.probes: list[tuple[str, Operator | None]] = []
        self._intake = asyncio.create_task(self.outcome.run())

    @property
    def standings(self) -> Standings:
        return self.router.standings

    async def work(self, count: int, result: AnswerResult, connector: str = A, beginning: str = CMCC) -> list[Message]:
        """Have so many messages answered like this."""
        rows = [self.samples.message(connector_id=connector, candidates=(A, B)) for _ in range(count)]
        rows = [changed(row, recipient=beginning + row.recipient[6:]) for row in rows]
        now = self.clock.now()
        async with self.store.write() as uow:
            await uow.messages.add(rows)
            await uow.commit()
        carrier = ScriptedCarrier(connector, self.outcome, self.clock, always(result))
        async with self.store.write() as uow:
            claimed = await uow.claim(connector, LANE_ORDER, count, now, now + timedelta(seconds=30))
        self.outcome.expect(claimed)
        carrier.submit(claimed)
        await self.settled()
        return claimed

    async def report(self, messages: list[Message], state: ReceiptState = ReceiptState.DELIVERED) -> None:
        """Have receipts come for them."""
        carrier = ScriptedCarrier(A, self.outcome, self.clock)
        for message in messages:
            carrier.report(message, state)
        await self.settled()

    async def settled(self) -> None:
        """Wait until all is stored; should the intake have ended, for ever is too long."""
        stored = asyncio.create_task(self.outcome.settled())
        await asyncio.wait([stored, self._intake], return_when=asyncio.FIRST_COMPLETED)
        if self._intake.done():
            stored.cancel()
            self._intake.result()

    async def step(self) -> None:
        await self.router.refresh()
        before = self.standings
        await self.health.step()
        if self.standings is not before:
            self.probes += [key for key, standing in self.standings.items() if standing.admits is Admission.PROBE]

    async def end(self) -> None:
        self._intake.cancel()
        await asyncio.gather(self._intake, return_exceptions=True)


Open = Callable[[str], Awaitable[Process]]


class Cluster:
    """Processes over one database, all of the same time, with working links unless told otherwise."""

    def __init__(self, store: Store, open_store: Callable[[], Store], clock: FakeClock) -> None:
        self.store, self._open_store, self.clock = store, open_store, clock
        self.samples = Samples(clock)
        self.processes: list[Process] = []
        self.is_linked = True

    async def define(self) -> None:
        async with self.store.write() as uow:
            for ident in (A, B):
                await uow.definitions.save_connector(self.samples.connector(id=ident))
            await uow.records.set_value("default_workspace", "ws_one")
            await uow.commit()

    def start(self, name: str) -> Process:
        self.processes.append(Process(name, self._open_store(), self.clock, self.samples))
        return self.processes[-1]

    async def rounds(self, seconds: int, pause: int = 1) -> None:
        """Let time pass; every process does its round once in each pause."""
        for _ in range(0, seconds, pause):
            self.clock.advance(pause)
            state = LinkState.UP if self.is_linked else LinkState.DOWN
            async with self.store.write() as uow:
                for ident in (A, B):
                    await uow.records.report_link(
                        LinkReport(connector_id=ident, slot=0, node_id="n", state=state, detail="", changed_at=self.clock.now())
                    )
                await uow.commit()
            for process in self.processes:
                await process.step()

    async def events(self) -> list[Event]:
        async with self.store.read() as uow:
            return await uow.events.of_object("ws_one", A)

    async def told(self) -> list[str]:
        return [event.type.removeprefix("connector.") for event in await self.events()]


@pytest.fixture
async def cluster(store: Store, open_another: Callable[[], Store], clock: FakeClock) -> AsyncIterator[Cluster]:
    cluster = Cluster(store, open_another, clock)
    await cluster.define()
    yield cluster
    for process in cluster.processes:
        await process.end()


@pytest.fixture
async def two(cluster: Cluster) -> tuple[Process, Process]:
    one, other = cluster.start("node_1"), cluster.start("node_2")
    await cluster.rounds(1)
    return one, other


async def test_errors_that_no_process_would_notice_alone_are_noticed_together_and_told_once(
    cluster: Cluster, two: tuple[Process, Process]
) -> None:
    for process in two:
        await process.work(20, GOOD)
        await process.work(6, BAD)
    await cluster.rounds(2)
    (event,) = await cluster.events()
    assert (event.type, event.livemode) == ("connector.degraded", True)
    assert event.data | {"name": ""} == {
        "object": "connector_health",
        "name": "",
        "operator": None,
        "cause": "answer_errors",
        "weight_percent": 90,
        "weight_percent_before": 100,
        "breaker": "closed",
        "breaker_before": "closed",
        "window_seconds": 60,
        "sample": 52,
        "bad": 12,
        "percent": 23,
    }
    for process in two:
        assert process.standings == {(A, None): Standing(90)}


async def test_a_breaker_opens_empties_the_queue_meters_probes_and_closes(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, other = two
    waiting = cluster.samples.message(connector_id=A, candidates=(A, B))
    await one.work(20, BAD)
    async with cluster.store.write() as uow:
        await uow.messages.add([waiting])
        await uow.commit()
    await cluster.rounds(2)
    assert await cluster.told() == ["breaker_opened"]
    for process in two:
        assert process.standings[A, None] == Standing(10, Admission.NONE)
        assert process.health.stopped == {A}

    rerouter = Rerouter(cluster.store, cluster.clock, one.router, Waits(), 30)
    rerouter.stopped = lambda: one.health.stopped
    assert await rerouter.step() == 1
    async with cluster.store.read() as uow:
        (moved,) = await uow.messages.get([waiting.id])
        history = await uow.events.of_object("ws_one", waiting.id)
    assert (moved.connector_id, moved.status, history[-1].data["because"]) == (B, Status.QUEUED, "breaker_open")

    assert await way_on(cluster, rerouter, (A, B, "con_c"), one, {A, B}) == "con_c"
    assert await way_on(cluster, rerouter, (A, B), one, {A, B}) == B

    await cluster.rounds(45)
    assert await cluster.told() == ["breaker_opened", "breaker_half_opened"]
    probed = len(one.probes) + len(other.probes)
    assert 1 <= probed <= 3
    await cluster.rounds(30)
    assert len(one.probes) + len(other.probes) == probed + 6

    await other.work(3, GOOD)
    await cluster.rounds(2)
    assert (await cluster.told())[-1] == "breaker_closed"
    assert {process.standings[A, None] for process in two} == {Standing(10)}

    await cluster.rounds(900 * 9 + 60, pause=20)
    assert await cluster.told() == ["breaker_opened", "breaker_half_opened", "breaker_closed", *["recovering"] * 8, "recovered"]
    assert [process.standings for process in two] == [{}, {}]
    events = await cluster.events()
    assert sorted({event.seq for event in events}) == [event.seq for event in events]


async def way_on(cluster: Cluster, rerouter: Rerouter, candidates: tuple[str, ...], one: Process, stopped: set[str]) -> str | None:
    """Where a message that waits for the first of its candidates goes when these are stopped."""
    waiting = cluster.samples.message(connector_id=candidates[0], candidates=candidates)
    async with cluster.store.write() as uow:
        await uow.messages.add([waiting])
        await uow.commit()
    rerouter.stopped = lambda: stopped
    await rerouter.step()
    async with one.store.read() as uow:
        return (await uow.messages.get([waiting.id]))[0].connector_id


async def test_a_failed_probe_opens_it_again_for_longer(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, other = two
    await one.work(20, BAD)
    await cluster.rounds(42)
    await other.work(1, BAD)
    await cluster.rounds(2)
    opened = [event.data["open_seconds"] for event in await cluster.events() if event.type == "connector.breaker_opened"]
    assert opened == [30, 60]


async def test_the_numbers_of_one_operator_are_steered_away_alone(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, other = two
    await one.work(30, GOOD, beginning=CUCC)
    await other.work(30, BAD, beginning=CMCC)
    await cluster.rounds(2)
    assert {frozenset(process.standings.items()) for process in two} == {
        frozenset({((A, Operator.CMCC), Standing(10, Admission.NONE))}),
    }
    (event,) = await cluster.events()
    assert (event.type, event.data["operator"]) == ("connector.breaker_opened", "cmcc")
    assert one.health.stopped == frozenset()


async def test_without_a_link_it_is_not_waited_for_and_with_one_it_is_tried(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, _ = two
    cluster.is_linked = False
    await cluster.rounds(29)
    assert await cluster.told() == []
    await cluster.rounds(3)
    assert await cluster.told() == ["breaker_opened"]
    assert one.health.conditions[A, None].cause is Cause.NO_LINK
    cluster.is_linked = True
    await cluster.rounds(2)
    await one.work(3, GOOD)
    await cluster.rounds(2)
    assert await cluster.told() == ["breaker_opened", "breaker_half_opened", "breaker_closed"]
    assert one.standings.get((A, None), HEALTHY) == HEALTHY


async def test_receipts_that_stop_coming_cost_weight(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, _ = two
    await one.report(await one.work(1, GOOD))
    await cluster.rounds(2)
    await one.work(60, GOOD)
    await cluster.rounds(330, pause=10)
    (event,) = await cluster.events()
    assert (event.type, event.data["cause"], event.data["bad"]) == ("connector.degraded", "slow_receipts", 60)


async def test_a_drained_connector_is_not_judged_and_a_resumed_one_not_at_once(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, _ = two
    cluster.is_linked = False
    drained = changed(one.router.connectors[A], state=ConnectorState.DRAINED)
    await save(cluster, drained)
    await cluster.rounds(60)
    await save(cluster, changed(drained, state=ConnectorState.ACTIVE))
    await cluster.rounds(20)
    assert await cluster.told() == []


async def save(cluster: Cluster, connector: object) -> None:
    async with cluster.store.write() as uow:
        await uow.definitions.save_connector(connector)  # type: ignore[arg-type]
        await uow.commit()


async def test_counts_survive_a_store_that_was_away_and_a_process_that_was_killed(cluster: Cluster) -> None:
    one = cluster.start("node_1")
    await cluster.rounds(1)
    await one.work(9, BAD)
    one.store.is_cut = True
    with pytest.raises(StoreBusy):
        await cluster.rounds(1)
    one.store.is_cut = False
    await cluster.rounds(1)
    await one.end()
    cluster.processes.clear()
    again = cluster.start("node_1")
    await again.work(11, BAD)
    await cluster.rounds(2)
    (event,) = await cluster.events()
    assert (event.type, event.data["sample"], event.data["bad"]) == ("connector.breaker_opened", 20, 20)
    await cluster.rounds(2)
    async with cluster.store.read() as uow:
        assert sum(bucket.tally.counts.busy for bucket in await uow.health.buckets({})) == 20


async def test_a_clock_that_was_set_back_stops_nothing(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, _ = two
    await one.work(20, BAD)
    await cluster.rounds(2)
    cluster.clock.set(cluster.clock.now() - timedelta(hours=6))
    await cluster.rounds(400, pause=5)
    assert await cluster.told() == ["breaker_opened", "breaker_half_opened"]
    await one.work(3, GOOD)
    await cluster.rounds(2)
    assert one.health.conditions[A, None].breaker is Breaker.CLOSED


async def test_nothing_is_kept_of_a_connector_that_is_gone(cluster: Cluster, two: tuple[Process, Process]) -> None:
    one, _ = two
    await one.work(20, BAD)
    await cluster.rounds(2)
    async with cluster.store.write() as uow:
        await uow.definitions.remove_connector(A)
        await uow.commit()
    await cluster.rounds(70, pause=10)
    async with cluster.store.read() as uow:
        assert await uow.health.conditions() == []
    assert one.standings == {}
