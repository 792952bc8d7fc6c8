"""The store for the length of a command, and for a process that must wait for it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from yanshu.adapters.stores import open_store
from yanshu.domain.errors import StoreBusy
from yanshu.ports.store import Store
from yanshu.runtime.clock import SystemClock
from yanshu.settings import Settings

T = TypeVar("T")

_STARTING_PATIENCE_SECONDS = 30.0
_STARTING_PAUSE_SECONDS = 1.0


async def migrate_store(settings: Settings, say: Callable[[str], object]) -> list[str]:
    """Apply schema changes; the names of the steps taken. `say` hears why we wait for a store that does not answer yet."""
    async with opened_store(settings) as store:
        return await migrated(store, settings, say)


async def migrated(store: Store, settings: Settings, say: Callable[[str], object]) -> list[str]:
    """Bring the schema up to date; a store that is still starting gets some time."""

    async def migrate() -> list[str]:
        if settings.database_url:
            async with store.read():  # says at once what `migrate` would wait for
                pass
        return await store.migrate()

    return await patiently(migrate, say)


async def patiently(step: Callable[[], Awaitable[T]], say: Callable[[str], object]) -> T:
    """Do a step against a store that may still be starting."""
    deadline = time.monotonic() + _STARTING_PATIENCE_SECONDS
    while True:
        try:
            return await step()
        except StoreBusy as error:
            if time.monotonic() > deadline:
                raise
            say(str(error))
            await asyncio.sleep(_STARTING_PAUSE_SECONDS)


async def backup_store(settings: Settings, target: str) -> None:
    """Write a consistent copy of the store to the path `target`."""
    async with opened_store(settings) as store:
        await store.backup(target)


@contextlib.asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """A store for the length of one command."""
    store = open_store(settings, SystemClock())
    try:
        yield store
    finally:
        await store.close()
