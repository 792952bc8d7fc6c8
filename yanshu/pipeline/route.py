"""Route: the ordered candidates of a message, from a table that follows the stored definitions."""

import contextlib
from typing import NamedTuple

from yanshu.domain.connectors import Connector, ConnectorState
from yanshu.domain.errors import StoreBusy
from yanshu.domain.health import Admission, Standings, standing_of
from yanshu.domain.messages import Message
from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.ports.store import Store
from yanshu.rules.contacts.phones import country_of
from yanshu.rules.contacts.prefixes import MAINLAND, Prefixes
from yanshu.rules.routing.match import Ask, Passed, Sending
from yanshu.rules.routing.plan import Plan
from yanshu.rules.routing.stems import Stems
from yanshu.rules.routing.table import Candidate, Table

_POLL_SECONDS = 2.0
_MAINLAND_LENGTH = len("+8613800138000")
_STEMS = 65_536  # remembered at most; a table of ranges has some hundred


class Traits(NamedTuple):
    """What the routes of one revision can tell the messages of a sender apart by; "" is what no route asks for, or nobody knows.

    `beginning` is the longest prefix of any route: it stands for the number.
    """

    country: str
    operator: str
    beginning: str
    signature: str

    def ask(self, sending: Sending) -> Ask:
        """Return what a sender with such a message asks; good for the table that the traits are of."""
        return Ask(sending, *self)


def sending_of(message: Message) -> Sending:
    """Return what routing looked at when a message was accepted; wishes about connectors are not kept."""
    at = max(message.send_at or message.created_at, message.created_at)
    return Sending(workspace_id=message.workspace_id, lane=message.lane, livemode=message.livemode, at=at, metadata=message.metadata)


class Router:
    """Keeps the routing table fresh: a change is seen at once in its own process, within two seconds in others.

    Without `prefixes` nobody knows the operator of any number.
    """

    def __init__(self, store: Store, prefixes: Prefixes | None = None) -> None:
        self._store = store
        self._prefixes = prefixes or Prefixes({})
        self._ranges = Stems(self._prefixes.beginnings)
        self._standings: Standings = {}
        self._use(Table(-1, [], []))

    def _use(self, table: Table) -> None:
        """Answer from this table from now on. What it does not look at is not looked up for any message."""
        asked = table.told_by
        self._table = table
        self._asks_country, self._asks_operator, self._signatures = "countries" in asked, "operators" in asked, asked.get("signatures", ())
        self._stems = Stems(table.beginnings, self._ranges if self._asks_operator else None)
        self._known: dict[tuple[str, str], Traits] = {}

    @property
    def revision(self) -> int:
        """Revision of the table in use."""
        return self._table.revision

    @property
    def standings(self) -> Standings:
        """How connectors do of late; replaced whole when one of them moved."""
        return self._standings

    @standings.setter
    def standings(self, standings: Standings) -> None:
        self._standings = standings
        self._use(self._table.judged_by(standings))

    @property
    def connectors(self) -> dict[str, Connector]:
        """Connectors of the table in use, by id."""
        return self._table.connectors

    def traits_of(self, number: str, signature: str) -> Traits:
        """Return what the table in use can tell such a message by; those of equal traits go the same way (budget: 0.5 µs)."""
        named = signature if signature in self._signatures else ""
        if len(number) != _MAINLAND_LENGTH or not number.startswith(MAINLAND):
            return self._traits(number, named)
        key = (self._stems.of(number), named)
        traits = self._known.get(key)
        if traits is None:
            if len(self._known) >= _STEMS:
                self._known.clear()
            traits = self._known[key] = self._traits(number, named)
        return traits

    def traits_with(self, facts: NumberFacts, signature: str) -> Traits:
        """Return the same of a number about which something was learned."""
        traits = self.traits_of(facts.number, signature)
        return traits._replace(operator=facts.operator or "") if self._asks_operator else traits

    def _traits(self, number: str, signature: str) -> Traits:
        country = country_of(number) if self._asks_country else ""
        operator = self._prefixes.operator_of(number) if self._asks_operator else None
        return Traits(country, operator or "", self._table.beginning_of(number), signature)

    def serves(self, connector_id: str) -> Operator | None:
        """Return the one operator that a connector is for; None when it is for several, or nobody has said."""
        return self._table.serves(connector_id)

    def fitness(self, connector_id: str) -> int | None:
        """Return how well a connector may take what another has lost: 0, 1 while it is stopped, None when it is drained.

        One that this table does not know may be new or gone: 2.
        """
        connector = self.connectors.get(connector_id)
        if connector is None:
            return 2
        if connector.state is not ConnectorState.ACTIVE:
            return None
        return int(standing_of(self._standings, connector_id, None).admits is Admission.NONE)

    def plan(self, ask: Ask) -> Plan:
        """Return the connectors for such messages; the plan says in which order each of them tries them."""
        return self._table.plan(ask)

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every candidate and why it is or is not usable."""
        return self._table.explain(ask)

    def passed_by(self, ask: Ask) -> list[Passed]:
        """Return every route that is not for such a message, and why."""
        return self._table.passed_by(ask)

    async def refresh(self) -> bool:
        """Read the definitions if they changed; whether they did. Of two that read at once, the older one does not win."""
        async with self._store.read() as uow:
            revision = await uow.definitions.revision()
            if revision <= self._table.revision:
                return False
            connectors, routes = await uow.definitions.connectors(), await uow.definitions.routes()
        if revision > self._table.revision:
            self._use(Table(revision, connectors, routes, self._standings))
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
