"""The router follows the definitions, and never back in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from msgspec.structs import replace

from yanshu.domain.connectors import Connector, ConnectorState, Match, Route
from yanshu.domain.health import Admission, Standing
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.pipeline.route import Router, Traits
from yanshu.ports.store import Store
from yanshu.rules.contacts.prefixes import Prefixes, Range, shipped_prefixes
from yanshu.rules.routing.match import Sending
from yanshu.testing.samples import in_turn

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CONNECTOR = Connector(id="c", name="c", protocol="smpp", host="h", port=1, settings={}, secret="", created_at=NOW, updated_at=NOW)


class Snapshots:
    """A store of definitions alone, of which each read sees the revision that was current when it began, and can be held up."""

    def __init__(self) -> None:
        self.now = 1
        self.held: asyncio.Event | None = None
        self.woken: list[str] = []
        self.stored: list[Route] = []
        self.connector = CONNECTOR

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        yield _Snapshot(self)

    def wake(self, topic: str) -> None:
        self.woken.append(topic)


class _Snapshot:
    def __init__(self, store: Snapshots) -> None:
        self.definitions = self
        self._revision = store.now
        self._held = store.held
        self._routes = store.stored
        self._connector = store.connector

    async def revision(self) -> int:
        return self._revision

    async def connectors(self) -> list[Connector]:
        if self._held is not None:
            await self._held.wait()
        return [self._connector] if self._routes else []

    async def routes(self) -> list[Route]:
        return self._routes


async def test_a_slow_reading_of_old_definitions_does_not_replace_newer_ones() -> None:
    store = Snapshots()
    router = Router(cast(Store, store))
    store.held = asyncio.Event()
    slow = asyncio.create_task(router.refresh())
    await asyncio.sleep(0)
    held, store.held, store.now = store.held, None, 2
    await router.changed()
    assert (router.revision, store.woken) == (2, ["definitions"])
    held.set()
    await slow
    assert router.revision == 2


def route(**match: object) -> Route:
    return Route(id="r", name="r", rank=1, pool=in_turn("c"), created_at=NOW, updated_at=NOW, match=Match(**match))  # type: ignore[arg-type]


async def routed(*routes: Route, prefixes: Prefixes | None = None) -> Router:
    store = Snapshots()
    store.stored = list(routes)
    router = Router(cast(Store, store), prefixes)
    await router.refresh()
    return router


EVERYTHING = (
    route(countries=("CN", "HK")),
    route(operators=(Operator.CMCC,)),
    route(prefixes=("+86", "+86138", "+8613800138")),
    route(signatures=("雁书",)),
)
TRAITS = [
    ("a mainland number", EVERYTHING, "+8613811138000", "雁书", ("CN", "cmcc", "+86138", "雁书")),
    ("a longer prefix", EVERYTHING, "+8613800138000", "雁书", ("CN", "cmcc", "+8613800138", "雁书")),
    ("of a range of four digits", EVERYTHING, "+8613491234567", "雁书", ("CN", "ctcc", "+86", "雁书")),
    ("of nobody's range", EVERYTHING, "+8615412345678", "雁书", ("CN", "", "+86", "雁书")),
    ("a test number", EVERYTHING, "+8610000000001", "雁书", ("CN", "", "+86", "雁书")),
    ("abroad", EVERYTHING, "+85261234567", "雁书", ("HK", "", "", "雁书")),
    ("a signature that no route names", EVERYTHING, "+8613811138000", "别人", ("CN", "cmcc", "+86138", "")),
    ("nobody asks for anything", (route(),), "+8613811138000", "雁书", ("", "", "", "")),
    ("a route that is switched off asks for nothing", (replace(EVERYTHING[1], enabled=False),), "+8613811138000", "", ("", "", "", "")),
    ("only the operator is asked for", (EVERYTHING[1],), "+8613811138000", "雁书", ("", "cmcc", "", "")),
    ("only the prefix is asked for", (EVERYTHING[2],), "+8613811138000", "雁书", ("", "", "+86138", "")),
]


@pytest.mark.parametrize(("routes", "number", "signature", "traits"), [row[1:] for row in TRAITS], ids=[row[0] for row in TRAITS])
async def test_a_message_is_known_by_what_routes_can_tell(routes: list[Route], number: str, signature: str, traits: Traits) -> None:
    router = await routed(*routes, prefixes=shipped_prefixes())
    assert [router.traits_of(number, signature), router.traits_of(number, signature)] == [traits, traits]


async def test_what_is_remembered_of_a_range_is_true_of_every_number_in_it() -> None:
    prefixes = shipped_prefixes()
    router = await routed(*EVERYTHING, prefixes=prefixes)
    for head in range(130_000, 200_000, 7):
        number = f"+86{head}12345"
        assert router.traits_of(number, "").operator == (prefixes.facts_of(number).operator or "")


async def test_numbers_of_a_range_are_looked_up_once() -> None:
    looked: list[str] = []

    class Watched(Prefixes):
        def operator_of(self, number: str) -> Operator | None:
            looked.append(number)
            return super().operator_of(number)

    watched = Watched({"138": Range(Operator.CMCC, "mobile", 11)})
    router = await routed(EVERYTHING[1], prefixes=watched)
    assert {router.traits_of(f"+86138{tail:08}", "") for tail in range(1000)} == {("", "cmcc", "", "")}
    assert len(looked) == 1
    blind = await routed(route(), prefixes=watched)
    blind.traits_of("+8613800138000", "")
    assert len(looked) == 1


async def test_what_was_remembered_is_forgotten_with_its_table() -> None:
    store = Snapshots()
    store.stored = [route()]
    router = Router(cast(Store, store), shipped_prefixes())
    await router.refresh()
    before = router.traits_of("+8613800138000", "")
    store.stored, store.now = [EVERYTHING[1]], 2
    await router.refresh()
    assert (before.operator, router.traits_of("+8613800138000", "").operator) == ("", "cmcc")


async def test_without_a_table_of_ranges_no_operator_is_known() -> None:
    assert (await routed(EVERYTHING[1])).traits_of("+8613800138000", "").operator == ""


async def test_standings_hold_through_a_change_of_the_routes() -> None:
    store = Snapshots()
    store.stored = [replace(route(), pool=in_turn("c", "d"))]
    router = Router(cast(Store, store))
    await router.refresh()
    ask = router.traits_of("+8613800138000", "").ask(Sending(workspace_id="ws", lane=Lane.OTP, livemode=True, at=NOW))
    router.standings = {("c", None): Standing(40)}
    assert [candidate.health.weight_percent for candidate in router.explain(ask)] == [40, 100]
    store.now = 2
    await router.refresh()
    assert [candidate.health.weight_percent for candidate in router.explain(ask)] == [40, 100]
    router.standings = {}
    assert [candidate.health.weight_percent for candidate in router.explain(ask)] == [100, 100]


async def test_a_connector_may_take_what_another_has_lost_as_far_as_it_works() -> None:
    router = await routed(route())
    assert (router.fitness("c"), router.fitness("new_or_gone")) == (0, 2)
    router.standings = {("c", None): Standing(40, Admission.PROBE)}
    assert router.fitness("c") == 0
    router.standings = {("c", None): Standing(0, Admission.NONE)}
    assert router.fitness("c") == 1
    drained = Snapshots()
    drained.stored, drained.connector = [route()], replace(CONNECTOR, state=ConnectorState.DRAINED)
    router = Router(cast(Store, drained))
    await router.refresh()
    assert router.fitness("c") is None


async def test_standings_by_operator_make_the_router_look_for_the_operator() -> None:
    router = await routed(route(), prefixes=shipped_prefixes())
    assert router.traits_of("+8613800138000", "").operator == ""
    router.standings = {("c", Operator.CMCC): Standing(40)}
    assert router.traits_of("+8613800138000", "").operator == "cmcc"


async def test_definitions_that_have_not_changed_are_not_read_again() -> None:
    router = Router(cast(Store, Snapshots()))
    assert [await router.refresh(), await router.refresh()] == [True, False]


async def test_what_was_learned_of_a_number_overrules_its_range_where_routes_ask_for_operators() -> None:
    facts = NumberFacts(number="+8613800138000", country="CN", operator=Operator.CTCC, original_operator=Operator.CMCC)
    asking = await routed(route(operators=(Operator.CTCC,)), prefixes=shipped_prefixes())
    assert (asking.traits_of(facts.number, "").operator, asking.traits_with(facts, "").operator) == ("cmcc", "ctcc")
    indifferent = await routed(route(countries=("CN",)), prefixes=shipped_prefixes())
    assert indifferent.traits_with(facts, "") == indifferent.traits_of(facts.number, "")
