"""Route: the ordered candidates of a message, from a table that follows the stored definitions."""

import contextlib
from typing import NamedTuple

from yanshu.domain.connectors import Connector
from yanshu.domain.errors import StoreBusy
from yanshu.domain.lanes import Lane
from yanshu.ports.store import Store
from yanshu.rules.contacts.prefixes import Prefixes
from yanshu.rules.routing.table import Ask, Candidate, Passed, Table

_POLL_SECONDS = 2.0


class Traits(NamedTuple):
    """What routes can tell the messages of a sender apart by. `beginning` is the longest prefix of any route: it stands for the number."""

    country: str
    operator: str
    beginning: str
    signature: str

    def ask(self, workspace_id: str, lane: Lane, livemode: bool, pool: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Ask:
        """Return what a sender with such a message asks; good for the table that the traits are of."""
        country, operator, beginning, signature = self
        return Ask(workspace_id, lane, country, livemode, pool, exclude, operator, beginning, signature)


class Router:
    """Keeps the routing table fresh: a change is seen at once in its own process, within two seconds in others.

    Without `prefixes` nobody knows the operator of any number.
    """

    def __init__(self, store: Store, prefixes: Prefixes | None = None) -> None:
        self._store = store
        self._prefixes = prefixes or Prefixes({})
        self._table = Table(-1, [], [])

    @property
    def revision(self) -> int:
        """Revision of the table in use."""
        return self._table.revision

    @property
    def connectors(self) -> dict[str, Connector]:
        """Connectors of the table in use, by id."""
        return self._table.connectors

    def traits_of(self, number: str, signature: str) -> Traits:
        """Return what the table in use can tell such a message by; those of equal traits go the same way."""
        facts = self._prefixes.facts_of(number)
        return Traits(facts.country, facts.operator or "", self._table.beginning_of(number), signature)

    def choose(self, ask: Ask) -> tuple[str, ...]:
        """Return connector ids, best first."""
        return self._table.choose(ask)

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every candidate and why it is or is not usable."""
        return self._table.explain(ask)

    def passed_by(self, ask: Ask) -> list[Passed]:
        """Return every route that is not for it, and why."""
        return self._table.passed_by(ask)

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
