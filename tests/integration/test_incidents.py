"""Two processes watch for incidents: each thing that is wrong is opened once, told once, and closed when it is over."""

from collections.abc import Callable
from typing import Any

import pytest

from yanshu.cli.examine import examine
from yanshu.domain.connectors import Connector, ConnectorState, LinkReport, LinkState
from yanshu.domain.health import Breaker, Cause, Condition
from yanshu.domain.incidents import Incident, IncidentKind
from yanshu.domain.numbers import Operator
from yanshu.pipeline.incidents import IncidentWatch
from yanshu.pipeline.route import Router
from yanshu.ports.filters import EventFilter, Page
from yanshu.ports.store import Store
from yanshu.runtime.metrics import Metrics
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed

A = "con_a"
UP, BLOCKED, TRYING, DOWN = LinkState.UP, LinkState.BLOCKED, LinkState.CONNECTING, LinkState.DOWN


class Watched:
    """A connector with two links, and two processes that watch it."""

    def __init__(self, store: Store, other: Store, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.connector: Connector = Samples(clock).connector(id=A, name="carrier", links=2)
        self.conditions: dict[Operator | None, Condition] = {}
        self.metrics = Metrics()
        self._processes = [(Router(each), each) for each in (store, other)]
        self.doubts: dict[str, int] = {}
        self._watches = [IncidentWatch(each, clock, router, self.metrics, lambda: dict(self.doubts)) for router, each in self._processes]

    async def define(self, **fields: Any) -> None:
        self.connector = changed(self.connector, **fields)
        async with self.store.write() as uow:
            await uow.definitions.save_connector(self.connector)
            await uow.records.set_value("default_workspace", "ws_one")
            await uow.commit()

    async def see(self, *states: LinkState, detail: str = "the carrier refuses the password", seconds: int = 5) -> list[Incident]:
        """Have links report these states, and both processes look; what is open then."""
        now = self.clock.advance(seconds)
        async with self.store.write() as uow:
            for slot, state in enumerate(states):
                report = LinkReport(connector_id=A, slot=slot, node_id="n", state=state, detail=detail, changed_at=now)
                await uow.records.report_link(report)
            await uow.commit()
        for router, _ in self._processes:
            await router.refresh()
        for watch in self._watches:
            await watch.step()
        async with self.store.read() as uow:
            return list(await uow.incidents.current())

    async def hold(self, breaker: Breaker, cause: Cause, operator: Operator | None = None) -> None:
        """Have health hold this."""
        version = self.conditions[operator].version + 1 if operator in self.conditions else 1
        kept = Condition(connector_id=A, operator=operator, breaker=breaker, cause=cause, version=version)
        self.conditions[operator] = kept
        async with self.store.write() as uow:
            assert await uow.health.move(kept)
            await uow.commit()

    async def told(self) -> list[tuple[str, int]]:
        async with self.store.read() as uow:
            events = await uow.events.page(EventFilter(workspace_id="ws_one"), Page(limit=50, descending=False))
        return [(event.type, event.data["count"]) for event in events]


@pytest.fixture
async def watched(store: Store, open_another: Callable[[], Store], clock: FakeClock) -> Watched:
    watched = Watched(store, open_another(), clock)
    await watched.define()
    assert await watched.see(UP, UP) == []
    return watched


async def test_a_blocked_link_is_one_incident_however_often_it_is_tried(watched: Watched) -> None:
    (opened,) = await watched.see(UP, BLOCKED)
    assert (opened.kind, opened.detail, opened.count) == (IncidentKind.LINK_BLOCKED, "the carrier refuses the password", 1)
    for _ in range(3):
        await watched.see(UP, TRYING)
        (same,) = await watched.see(UP, BLOCKED, detail="the account is closed")
    assert (same.id, same.count, same.detail) == (opened.id, 4, "the account is closed")
    assert await watched.see(UP, TRYING) == [same]
    assert await watched.see(UP, UP) == []
    assert await watched.told() == [("incident.opened", 1), ("incident.closed", 4)]


async def test_what_is_tried_again_at_once_by_another_process_counts_once(watched: Watched) -> None:
    await watched.see(UP, BLOCKED)
    await watched.see(UP, TRYING, seconds=1)
    (same,) = await watched.see(UP, BLOCKED, seconds=1)
    assert same.count == 1


async def test_no_link_is_told_unless_it_is_known_to_be_blocked(watched: Watched) -> None:
    await watched.hold(Breaker.OPEN, Cause.NO_LINK)
    (opened,) = await watched.see(DOWN, DOWN, detail="cannot connect")
    assert (opened.kind, opened.detail) == (IncidentKind.NO_LINK, "cannot connect")
    assert [incident.kind for incident in await watched.see(BLOCKED, DOWN)] == [IncidentKind.NO_LINK, IncidentKind.LINK_BLOCKED]
    assert [incident.kind for incident in await watched.see(UP, DOWN)] == [IncidentKind.LINK_BLOCKED]
    assert await watched.see(UP, UP) == []


async def test_a_blocked_link_that_is_tried_does_not_become_another_incident(watched: Watched) -> None:
    (opened,) = await watched.see(BLOCKED, BLOCKED)
    await watched.hold(Breaker.OPEN, Cause.NO_LINK)
    assert await watched.see(TRYING, TRYING) == [opened]


@pytest.mark.parametrize("operator", [None, Operator.CMCC])
async def test_an_open_breaker_is_an_incident_until_it_is_closed(watched: Watched, operator: Operator | None) -> None:
    await watched.hold(Breaker.OPEN, Cause.ANSWER_ERRORS, operator)
    (opened,) = await watched.see(UP, UP)
    assert (opened.kind, opened.operator, opened.detail) == (IncidentKind.BREAKER_OPEN, operator, "answer_errors")
    assert ("cmcc" in opened.sentence("carrier", "en")) is (operator is not None)
    await watched.hold(Breaker.HALF_OPEN, Cause.ANSWER_ERRORS, operator)
    assert await watched.see(UP, UP) == [opened]
    await watched.hold(Breaker.CLOSED, Cause.ANSWER_ERRORS, operator)
    assert await watched.see(UP, UP) == []
    assert await watched.told() == [("incident.opened", 1), ("incident.closed", 1)]


@pytest.mark.parametrize("way", ["drained", "deleted"])
async def test_a_person_who_takes_the_connector_out_ends_its_incidents(watched: Watched, way: str) -> None:
    await watched.see(UP, BLOCKED)
    if way == "drained":
        await watched.define(state=ConnectorState.DRAINED)
    else:
        async with watched.store.write() as uow:
            await uow.definitions.remove_connector(A)
            await uow.commit()
    assert await watched.see(DOWN, DOWN) == []
    assert [kind for kind, _ in await watched.told()] == ["incident.opened", "incident.closed"]


async def test_a_link_that_is_no_longer_wanted_is_not_waited_for(watched: Watched) -> None:
    await watched.see(UP, BLOCKED)
    await watched.define(links=1)
    assert await watched.see(UP, DOWN) == []


async def test_a_process_that_starts_finds_what_is_open(watched: Watched, store: Store) -> None:
    (opened,) = await watched.see(BLOCKED, UP)
    fresh = Watched(store, store, watched.clock)
    assert await fresh.see(BLOCKED, UP) == [opened]


async def test_the_doctor_and_the_metrics_tell_of_open_incidents(watched: Watched, store_settings: Settings) -> None:
    await watched.see(UP, BLOCKED)
    found = next(one for one in await examine(store_settings) if one.what == "incidents")
    assert not found.good
    assert "A link of connector carrier is blocked: the carrier refuses the password." in found.detail
    assert b'yanshu_open_incidents{kind="link_blocked"} 1.0' in watched.metrics.render()
    await watched.see(UP, UP)
    assert next(one for one in await examine(store_settings) if one.what == "incidents").good
    assert b"yanshu_open_incidents{" not in watched.metrics.render()


@pytest.mark.parametrize("simulated", [False, True], ids=["of a carrier", "of the simulator"])
async def test_receipts_that_are_too_good_are_an_incident_until_they_are_not(watched: Watched, simulated: bool) -> None:
    await watched.define(simulated=simulated)
    watched.doubts[A] = 812
    found = await watched.see(UP, UP, seconds=61)
    assert [(incident.kind, incident.detail) for incident in found] == ([] if simulated else [(IncidentKind.TOO_GOOD, "812")])
    assert not found or "812 in a quarter of an hour" in found[0].sentence("carrier", "en")
    watched.doubts.clear()
    assert len(await watched.see(UP, UP)) == len(found), "receipts are looked through once a minute"
    assert await watched.see(UP, UP, seconds=61) == []
