"""The router follows the definitions, and never back in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from yanshu.domain.connectors import Connector, Match, Route
from yanshu.domain.lanes import Lane
from yanshu.pipeline.route import Router
from yanshu.ports.store import Store
from yanshu.rules.contacts.prefixes import shipped_prefixes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CONNECTOR = Connector(id="c", name="c", protocol="smpp", host="h", port=1, settings={}, secret="", created_at=NOW, updated_at=NOW)


class Snapshots:
    """A store of definitions alone, of which each read sees the revision that was current when it began, and can be held up."""

    def __init__(self) -> None:
        self.now = 1
        self.held: asyncio.Event | None = None
        self.woken: list[str] = []
        self.stored: list[Route] = []

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

    async def revision(self) -> int:
        return self._revision

    async def connectors(self) -> list[Connector]:
        if self._held is not None:
            await self._held.wait()
        return [CONNECTOR] if self._routes else []

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


TRAITS = [
    ("a mainland number", "+8613800138000", ("CN", "cmcc", "+86138", "雁书")),
    ("of nobody's range", "+8615412345678", ("CN", "", "+86", "雁书")),
    ("abroad", "+85261234567", ("HK", "", "", "雁书")),
]


@pytest.mark.parametrize(("number", "traits"), [row[1:] for row in TRAITS], ids=[row[0] for row in TRAITS])
async def test_a_number_is_known_by_what_routes_can_tell(number: str, traits: tuple[str, ...]) -> None:
    store = Snapshots()
    store.stored = [
        Route(id="r", name="r", rank=1, connectors=("c",), created_at=NOW, updated_at=NOW, match=Match(prefixes=("+86", "+86138")))
    ]
    router = Router(cast(Store, store), shipped_prefixes())
    await router.refresh()
    assert router.traits_of(number, "雁书") == traits
    assert router.choose(router.traits_of(number, "").ask("ws", Lane.OTP, True)) == (("c",) if number.startswith("+86") else ())


async def test_without_a_table_of_ranges_no_operator_is_known() -> None:
    assert Router(cast(Store, Snapshots())).traits_of("+8613800138000", "") == ("CN", "", "", "")


async def test_definitions_that_have_not_changed_are_not_read_again() -> None:
    router = Router(cast(Store, Snapshots()))
    assert [await router.refresh(), await router.refresh()] == [True, False]
