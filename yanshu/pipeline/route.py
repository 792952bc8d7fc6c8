"""Route: the ordered candidates of a message, from a table that follows the stored definitions."""

import contextlib

from yanshu.domain.connectors import Connector
from yanshu.domain.errors import StoreBusy
from yanshu.ports.store import Store
from yanshu.rules.routing.table import Ask, Candidate, Table

_POLL_SECONDS = 2.0


class Router:
    """Keeps the routing table fresh: a change is seen at once in its own process, within two seconds in others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table = Table(-1, [], [])

    @property
    def revision(self) -> int:
        """Revision of the table in use."""
        return self._table.revision

    @property
    def connectors(self) -> dict[str, Connector]:
        """Connectors of the table in use, by id."""
        return self._table.connectors

    def choose(self, ask: Ask) -> tuple[str, ...]:
        """Return connector ids, best first."""
        return self._table.choose(ask)

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every candidate and why it is or is not usable."""
        return self._table.explain(ask)

    async def refresh(self) -> bool:
        """Read the definitions if they changed; whether they did. Of two that read at once, the older one does not win."""
        async with self._store.read() as uow:
            revision = await uow.definitions.revision()
            if revision <= self._table.revision:
                return False
            table = Table(revision, await uow.definitions.connectors(), await uow.definitions.routes())
        if revision > self._table.revision:
            self._table = table
        return True

    async def changed(self) -> None:
        """Follow a change made in this process before it is answered, and tell the others."""
        self._store.wake("definitions")
        with contextlib.suppress(StoreBusy):  # the change is stored; `run` comes back to it
            await self.refresh()

    async def run(self) -> None:
        """Follow the definitions for ever."""
        while True:
            with contextlib.suppress(StoreBusy):  # the table in use serves until the store is back
                await self.refresh()
            await self._store.wait("definitions", _POLL_SECONDS)
