"""The router follows the definitions, and never back in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from yanshu.domain.connectors import Connector, Route
from yanshu.pipeline.route import Router
from yanshu.ports.store import Store


class Snapshots:
    """A store of definitions alone, of which each read sees the revision that was current when it began, and can be held up."""

    def __init__(self) -> None:
        self.now = 1
        self.held: asyncio.Event | None = None
        self.woken: list[str] = []

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        yield _Snapshot(self.now, self.held)

    def wake(self, topic: str) -> None:
        self.woken.append(topic)


class _Snapshot:
    def __init__(self, revision: int, held: asyncio.Event | None) -> None:
        self.definitions = self
        self._revision = revision
        self._held = held

    async def revision(self) -> int:
        return self._revision

    async def connectors(self) -> list[Connector]:
        if self._held is not None:
            await self._held.wait()
        return []

    async def routes(self) -> list[Route]:
        return []


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


async def test_definitions_that_have_not_changed_are_not_read_again() -> None:
    router = Router(cast(Store, Snapshots()))
    assert [await router.refresh(), await router.refresh()] == [True, False]
