"""The routing table: connectors and routes of one revision, and which connectors a message may use, best first."""

from msgspec import Struct

from yanshu.domain.connectors import Connector, ConnectorState, Match, Route
from yanshu.domain.lanes import Lane


class Ask(Struct, frozen=True):
    """What routing looks at in a message."""

    workspace_id: str
    lane: Lane
    country: str
    livemode: bool
    pool: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Candidate(Struct, frozen=True):
    """One connector and why it may or may not be used (`refusal` None: it may)."""

    connector_id: str
    name: str
    route_id: str
    refusal: str | None


class Table:
    """Answers `Ask`s; equal asks are answered from memory, since a chunk asks the same thing again and again."""

    def __init__(self, revision: int, connectors: list[Connector], routes: list[Route]) -> None:
        self.revision = revision
        self.connectors = {connector.id: connector for connector in connectors}
        self._routes = tuple(route for route in routes if route.enabled)
        self._answers: dict[Ask, tuple[str, ...]] = {}

    def choose(self, ask: Ask) -> tuple[str, ...]:
        """Return the ids of the connectors that may carry it, best first; empty when none may."""
        answer = self._answers.get(ask)
        if answer is None:
            if len(self._answers) >= 4096:
                self._answers.clear()
            usable = (c.connector_id for c in self.explain(ask) if c.refusal is None)
            answer = self._answers[ask] = tuple(dict.fromkeys(usable))
        return answer

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every connector of every matching route, in order, with the reason why it is left out, if it is."""
        return [
            Candidate(ident, self._name(ident), route.id, self._refusal(ident, ask))
            for route in self._routes
            if matches(route.match, ask)
            for ident in route.connectors
        ]

    def _name(self, ident: str) -> str:
        connector = self.connectors.get(ident)
        return connector.name if connector else ident

    def _refusal(self, ident: str, ask: Ask) -> str | None:
        connector = self.connectors.get(ident)
        if connector is None:
            return "connector_missing"
        if connector.state is not ConnectorState.ACTIVE:
            return "connector_drained"
        if connector.simulated is ask.livemode:
            return "connector_simulated" if connector.simulated else "connector_live"
        if ask.pool and ident not in ask.pool:
            return "not_in_pool"
        return "excluded" if ident in ask.exclude else None


def matches(match: Match, ask: Ask) -> bool:
    """Whether a route is for such messages; an empty condition accepts everything."""
    return (
        (not match.lanes or ask.lane in match.lanes)
        and (not match.countries or ask.country in match.countries)
        and (not match.workspaces or ask.workspace_id in match.workspaces)
    )
