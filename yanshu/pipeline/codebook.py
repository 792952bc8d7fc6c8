"""Codebook: the table of codes in force, which follows the overrides in the store."""

import contextlib

from yanshu.domain.errors import StoreBusy
from yanshu.ports.store import Store
from yanshu.rules.routing.codes import Codes

_POLL_SECONDS = 2.0


class Codebook:
    """Keeps the table fresh: an override is followed at once in its own process, within two seconds in others."""

    def __init__(self, store: Store, shipped: Codes) -> None:
        self._store = store
        self._revision = -1
        self.codes = shipped

    async def refresh(self) -> None:
        """Read the overrides if they changed. Of two that read at once, the older one does not win."""
        async with self._store.read() as uow:
            revision = await uow.codes.revision()
            if revision <= self._revision:
                return
            overrides = await uow.codes.all()
        if revision > self._revision:
            self._revision = revision
            self.codes = self.codes.overridden({(row.carrier, row.code): row.outcome for row in overrides})

    async def changed(self) -> None:
        """Follow a change made in this process before it is answered, and tell the others."""
        self._store.wake("codes")
        with contextlib.suppress(StoreBusy):  # the change is stored; `run` comes back to it
            await self.refresh()

    async def run(self) -> None:
        """Follow the overrides for ever."""
        while True:
            with contextlib.suppress(StoreBusy):  # the table in use serves until the store is back
                await self.refresh()
            await self._store.wait("codes", _POLL_SECONDS)
