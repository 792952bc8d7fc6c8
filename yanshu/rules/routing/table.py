"""The routing table: connectors and routes of one revision, and which connectors a message may use, best first."""

from collections import defaultdict
from itertools import chain

from msgspec import Struct

from yanshu.domain.connectors import Connector, ConnectorState, Route
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator


class Ask(Struct, frozen=True):
    """What routing looks at in a message. `operator` is empty when nobody knows it, `signature` when the text has none.

    `number` is the recipient's, or what `Table.beginning_of` says of it.
    """

    workspace_id: str
    lane: Lane
    country: str
    livemode: bool
    pool: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    operator: str = ""
    number: str = ""
    signature: str = ""


class Candidate(Struct, frozen=True):
    """One connector and why it may or may not be used (`refusal` None: it may)."""

    connector_id: str
    name: str
    route_id: str
    refusal: str | None


class Passed(Struct, frozen=True):
    """One route that is not for a message: the condition that is not met, by its name in `Match`, or `disabled`; and what it met."""

    route_id: str
    name: str
    condition: str
    value: str


# A list of values in a match, and the field of an ask that must be one of them.
_LISTS = (
    ("lanes", "lane"),
    ("countries", "country"),
    ("workspaces", "workspace_id"),
    ("operators", "operator"),
    ("signatures", "signature"),
)
_ASKED = dict(_LISTS) | {"prefixes": "number"}
_ANSWERS = 4096


class Rule:
    """A route made ready to be asked often: only the conditions it really has."""

    __slots__ = ("_lists", "_prefixes", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self._lists = tuple((listed, asked, values) for listed, asked in _LISTS if (values := getattr(route.match, listed)))
        self._prefixes = route.match.prefixes

    def unmet(self, ask: Ask) -> str | None:
        """Return the first condition that such messages do not meet, by its name in `Match`; None when the route is for them."""
        for listed, asked, values in self._lists:
            if getattr(ask, asked) not in values:
                return listed
        return "prefixes" if self._prefixes and not ask.number.startswith(self._prefixes) else None


class Table:
    """Answers `Ask`s; asks that no route tells apart are answered from memory, since a chunk asks the same thing again and again.

    `told_by` has every field of an ask that some route has a list for, with all values that are named; `beginnings` are the
    prefixes of all routes. Whatever stands in neither makes no difference.
    Budget: 5 µs a message over a chunk of 1,000 with 200 routes (`tests/bench/bench_routing.py`).
    """

    def __init__(self, revision: int, connectors: list[Connector], routes: list[Route]) -> None:
        self.revision = revision
        self.connectors = {connector.id: connector for connector in connectors}
        enabled = [route for route in routes if route.enabled]
        self._rules = tuple(map(Rule, enabled))
        self._disabled = tuple(route for route in routes if not route.enabled)
        named = ((asked, _named(enabled, listed)) for listed, asked in _LISTS)
        self.told_by = {asked: values for asked, values in named if values}
        self.beginnings = _named(enabled, "prefixes")
        self._lengths = tuple(sorted({len(prefix) for prefix in self.beginnings}, reverse=True))
        self._answers: dict[tuple[object, ...], tuple[str, ...]] = {}
        self._serves = _serving(enabled)

    def choose(self, ask: Ask) -> tuple[str, ...]:
        """Return the ids of the connectors that may carry it, best first; empty when none may."""
        sight = self._sight(ask)
        answer = self._answers.get(sight)
        if answer is None:
            if len(self._answers) >= _ANSWERS:
                self._answers.clear()
            usable = (c.connector_id for c in self.explain(ask) if c.refusal is None)
            answer = self._answers[sight] = tuple(dict.fromkeys(usable))
        return answer

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every connector of every matching route, in order, with the reason why it is left out, if it is."""
        return [
            Candidate(ident, self._name(ident), rule.route.id, self._refusal(ident, ask))
            for rule in self._rules
            if rule.unmet(ask) is None
            for ident in rule.route.connectors
        ]

    def passed_by(self, ask: Ask) -> list[Passed]:
        """Return every route that is not for such a message, and why; those that are switched off last."""
        unmet = [(rule.route, condition) for rule in self._rules if (condition := rule.unmet(ask)) is not None]
        passed = [Passed(route.id, route.name, condition, getattr(ask, _ASKED[condition])) for route, condition in unmet]
        return passed + [Passed(route.id, route.name, "disabled", "") for route in self._disabled]

    def serves(self, connector_id: str) -> Operator | None:
        """Return the one operator that a connector is for: the one that every route with it asks for; None when there are several."""
        return self._serves.get(connector_id)

    def beginning_of(self, number: str) -> str:
        """Return the longest prefix of any route that the number begins with, or "".

        It stands for the number: every other prefix that fits the number is a beginning of this one.
        """
        for length in self._lengths:
            if (start := number[:length]) in self.beginnings:
                return start
        return ""

    def _sight(self, ask: Ask) -> tuple[object, ...]:
        """Return what routes tell asks apart by; a value that no route names is as good as any other."""
        told = [value if (value := getattr(ask, asked)) in named else None for asked, named in self.told_by.items()]
        return (ask.livemode, ask.pool, ask.exclude, self.beginning_of(ask.number), *told)

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


def _named(routes: list[Route], listed: str) -> frozenset[str]:
    """Return every value that some route names in this list."""
    return frozenset(chain.from_iterable(getattr(route.match, listed) for route in routes))


def _serving(routes: list[Route]) -> dict[str, Operator]:
    """Return the connectors that all their routes use for one operator, and for which."""
    asked: dict[str, set[tuple[Operator, ...]]] = defaultdict(set)
    for route in routes:
        for ident in route.connectors:
            asked[ident].add(route.match.operators)
    only = {ident: next(iter(operators)) for ident, operators in asked.items() if len(operators) == 1}
    return {ident: operators[0] for ident, operators in only.items() if len(operators) == 1}
