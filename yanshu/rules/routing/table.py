"""The routing table: connectors and routes of one revision, and which connectors a message may use, best first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from yanshu.domain.connectors import Connector, Prefer, Route
from yanshu.domain.health import HEALTHY, Admission, Standing, Standings, standing_of
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.accounts import Account
from yanshu.rules.routing.match import LISTS, Ask, Passed, Rule
from yanshu.rules.routing.plan import LONGEST, Place, Plan, Probe, bounds_of
from yanshu.rules.routing.ranking import Entry, places_of

_REMEMBERED = 4096
ALL_HEALTHY: Standings = {}


class Candidate(Struct, frozen=True, kw_only=True):
    """A connector in the pool of a route that is for a message: why it may not be used (`refusal`), or where it stands.

    `place` counts from 1; candidates of one place share by `weight`. `draws` are those of 1,000 that fall to it: from, and up to
    but without. `price` is for a segment, None when the connector has none that fits. `health` has lowered the weight already.
    """

    connector_id: str
    name: str
    route_id: str
    route_name: str
    prefer: Prefer
    priority: int
    weight: int
    price: Money | None
    health: Standing
    refusal: str | None
    place: int | None
    draws: tuple[int, int] | None


class Table:
    """Answers `Ask`s; asks that no route tells apart are answered from memory, since a chunk asks the same thing again and again.

    `told_by` has every list of `LISTS` that makes a difference, with all values that are named; `beginnings` are the prefixes of all
    routes. Whatever stands in neither makes no difference.
    Budget: 5 µs a message over a chunk of 1,000 with 200 routes (`tests/bench/bench_routing.py`).
    """

    def __init__(self, revision: int, connectors: list[Connector], routes: list[Route], standings: Standings = ALL_HEALTHY) -> None:
        self.revision = revision
        self._definitions = (connectors, routes)
        self._standings = standings
        self._probes: set[object] = {key for key, standing in standings.items() if standing.admits is Admission.PROBE}
        self.connectors = {connector.id: connector for connector in connectors}
        self._accounts = {connector.id: Account(connector) for connector in connectors}
        self._rules = tuple(Rule(route) for route in routes if route.enabled)
        self._disabled = tuple(route for route in routes if not route.enabled)
        self.told_by = {listed: named for listed in LISTS if (named := self._named(listed))}
        self._timed = tuple(rule for rule in self._rules if rule.route.match.hours)
        self._keys = self._metadata()
        self._judges_senders = any(account.judges_senders for account in self._accounts.values())
        self.beginnings = self._listed("prefixes")
        self._lengths = tuple(sorted({len(prefix) for prefix in self.beginnings}, reverse=True))
        self._serves = _serving(self._rules)
        self._by_lists: dict[tuple[object, ...], list[Rule]] = {}
        self._plans: dict[tuple[object, ...], Plan] = {}

    def judged_by(self, standings: Standings) -> "Table":
        """Return the same table for connectors that do otherwise now."""
        return Table(self.revision, *self._definitions, standings)

    def plan(self, ask: Ask) -> Plan:
        """Return the connectors that may carry such messages; an empty plan when none may."""
        told = self._told(ask)
        sending = ask.sending
        sender = (sending.sender, sending.extension) if self._judges_senders else None
        sight = (sending.livemode, sending.pool, sending.exclude, sender, self.beginning_of(ask.number), told)
        plan = self._plans.get(sight)
        if plan is None:
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            probing = self._probing(ask, told) if self._probes else []
            plan = self._plans[sight] = Plan(_enough(places_of(self._entries(ask, told), ask)), probing, self._probes)
        return plan

    def explain(self, ask: Ask) -> list[Candidate]:
        """Return every connector of every matching route, in order, with its place or the reason why it has none."""
        entries = list(self._entries(ask, self._told(ask)))
        places = list(places_of(iter(entries), ask))
        tried = Plan(places).usual
        stands = {
            share.connector_id: (number, bounds)
            for number, place in enumerate(places, 1)
            for share, bounds in zip(place, bounds_of(place), strict=True)
            if share.connector_id in tried
        }
        return [_candidate(entry, ask, stands) for entry in entries]

    def passed_by(self, ask: Ask) -> list[Passed]:
        """Return every route that is not for such a message, and why; those that are switched off last."""
        passed = [passed for rule in self._rules if (passed := rule.passed(ask)) is not None]
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

    def _told(self, ask: Ask) -> tuple[object, ...]:
        """Return what all but prefixes tell asks apart by; a value that no route names is as good as any other."""
        told: list[object] = [value if (value := LISTS[listed](ask)) in named else None for listed, named in self.told_by.items()]
        if self._timed:
            told += [rule.is_open(ask.sending.at) for rule in self._timed]
        if self._keys:
            given = ask.sending.metadata or {}
            told += [found if (found := given.get(key, "")) in named else None for key, named in self._keys.items()]
        return tuple(told)

    def _matching(self, ask: Ask, told: tuple[object, ...]) -> Iterator[Rule]:
        """Yield the routes that are for such messages, in their order."""
        listed = self._by_lists.get(told)
        if listed is None:
            if len(self._by_lists) >= _REMEMBERED:
                self._by_lists.clear()
            listed = self._by_lists[told] = [rule for rule in self._rules if rule.unmet_but_prefixes(ask) is None]
        return (rule for rule in listed if rule.begins(ask.number))

    def _named(self, listed: str) -> frozenset[str]:
        """Return every value of this list that makes a difference: to a route, a price, a standing, or a connector's own rules."""
        named = self._listed(listed) | self._priced(listed) | self._judged(listed)
        if listed in _OWN_RULES:
            return named.union(*(getattr(account, listed) for account in self._accounts.values()))
        return named

    def _listed(self, listed: str) -> frozenset[str]:
        """Return every value that some route names in this list."""
        return frozenset(chain.from_iterable(getattr(rule.route.match, listed) for rule in self._rules))

    def _priced(self, listed: str) -> frozenset[str]:
        """Return every value of this list that a price is for, where prices decide."""
        field = _PRICED.get(listed)
        if field is None:
            return frozenset()
        deciding = {ident for rule in self._rules if rule.route.prefer is Prefer.COST for ident in rule.route.connectors}
        prices = chain.from_iterable(self.connectors[ident].prices for ident in deciding if ident in self.connectors)
        return frozenset(value for price in prices if (value := getattr(price, field)) is not None)

    def _judged(self, listed: str) -> frozenset[str]:
        """Return the operators for whose numbers a connector has a standing of its own."""
        return frozenset(operator for _, operator in self._standings if operator) if listed == "operators" else frozenset()

    def _metadata(self) -> dict[str, set[str]]:
        """Return every key of metadata that some route asks for, with all values that are named."""
        keys: dict[str, set[str]] = defaultdict(set)
        for rule in self._rules:
            for key, values in rule.route.match.metadata.items():
                keys[key].update(values)
        return keys

    def _entries(self, ask: Ask, told: tuple[object, ...]) -> Iterator[Entry]:
        """Yield the pools of all matching routes, one after the other; a connector that comes again is refused there."""
        seen: set[str] = set()
        operator = _operator(ask)
        for rule in self._matching(ask, told):
            for member in rule.members:
                ident = member.connector_id
                account = self._accounts.get(ident)
                refusal = "listed_before" if ident in seen else account.refusal(ask) if account else "connector_missing"
                standing = standing_of(self._standings, ident, operator) if self._standings else HEALTHY
                yield Entry(rule.route, member, account, standing, refusal)
                seen.add(ident)

    def _probing(self, ask: Ask, told: tuple[object, ...]) -> list[Probe]:
        """Return the connectors of which one message is to show whether they work again."""
        probing: list[Probe] = []
        for entry in self._entries(ask, told):
            if entry.refusal is None and entry.standing.admits is Admission.PROBE:
                ident = entry.member.connector_id
                keys = ((ident, None), (ident, _operator(ask)))
                probing.append(Probe(next(key for key in keys if key in self._standings), ident))
        return probing


# What the rules of connectors themselves look at, and what a price may be for.
_OWN_RULES = frozenset({"signatures", "countries"})
_PRICED = {"countries": "country", "operators": "operator", "lanes": "lane"}


def _enough(places: Iterator[Place]) -> list[Place]:
    """Return the first places, as many as a plan can use."""
    taken: list[Place] = []
    left = LONGEST
    while left > 0 and (place := next(places, None)) is not None:
        taken.append(place)
        left -= len(place)
    return taken


def _operator(ask: Ask) -> Operator | None:
    return Operator(ask.operator) if ask.operator else None


def _candidate(entry: Entry, ask: Ask, stands: dict[str, tuple[int, tuple[int, int] | None]]) -> Candidate:
    route, member, account, standing, refusal = entry
    place, draws = stands.get(member.connector_id, (None, None)) if refusal is None else (None, None)
    return Candidate(
        connector_id=member.connector_id,
        name=account.connector.name if account else member.connector_id,
        route_id=route.id,
        route_name=route.name,
        prefer=route.prefer,
        priority=member.priority,
        weight=member.weight,
        price=account.price(ask) if account else None,
        health=standing,
        refusal=refusal or (None if place else "too_many_before"),
        place=place,
        draws=draws,
    )


def _serving(rules: Iterable[Rule]) -> dict[str, Operator]:
    """Return the connectors that all their routes use for one operator, and for which."""
    asked: dict[str, set[tuple[Operator, ...]]] = defaultdict(set)
    for rule in rules:
        for ident in rule.route.connectors:
            asked[ident].add(rule.route.match.operators)
    only = {ident: next(iter(operators)) for ident, operators in asked.items() if len(operators) == 1}
    return {ident: operators[0] for ident, operators in only.items() if len(operators) == 1}
