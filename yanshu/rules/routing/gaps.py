"""Gaps: what a set of connectors and routes leaves out, found before it is put in force.

Only live traffic to the mainland is looked at: whom nobody sends to abroad is not known here, and test traffic harms nobody.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.connectors import Connector, ConnectorState, Match, Prefer, Route
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator

_MAINLAND = "+86"
# Conditions that hold for all numbers of an operator, or for none; every other one lets some messages through.
_WHOLE = frozenset({"lanes", "countries", "operators"})


class GapKind(StrEnum):
    """What is wrong with a set of routes."""

    NO_CONNECTOR = "no_connector"  # nobody carries such messages
    ONLY_IN_PART = "only_in_part"  # only those that meet one more condition
    PRICE_MISSING = "price_missing"  # the cheapest is to come first, and one has no price
    CURRENCIES_DIFFER = "currencies_differ"  # the cheapest is to come first, and nobody can tell which it is


class Gap(Struct, frozen=True, kw_only=True):
    """One thing that a set leaves out. Of `operators`, None stands for numbers whose operator nobody knows; `routes` are concerned."""

    kind: GapKind
    operators: tuple[Operator | None, ...] = ()
    lanes: tuple[Lane, ...] = ()
    routes: tuple[str, ...] = ()
    connectors: tuple[str, ...] = ()


def find_gaps(connectors: Sequence[Connector], routes: Sequence[Route]) -> list[Gap]:
    """Return what a set leaves out, the worst first; nothing while there is no live connector at all."""
    known = {connector.id: connector for connector in connectors}
    live = {connector.id for connector in connectors if not connector.simulated}
    if not live:
        return []
    carrying = {ident for ident in live if known[ident].state is ConnectorState.ACTIVE}
    return _unserved([route for route in routes if route.enabled and route.connectors & carrying]) + _unpriced(routes, known)


def narrowing(match: Match) -> list[str]:
    """Return the conditions of a route that let only some of an operator's messages through, by their names in `Match`."""
    names = [name for name in Match.__struct_fields__ if name not in _WHOLE and getattr(match, name)]
    if any(_MAINLAND.startswith(prefix) for prefix in match.prefixes):
        names.remove("prefixes")
    return names


def _unserved(routes: Sequence[Route]) -> list[Gap]:
    """Go through every operator and lane, and put together what has the same fault."""
    lanes_of: dict[tuple[Operator | None, GapKind, tuple[str, ...]], list[Lane]] = defaultdict(list)
    for operator in (*Operator, None):
        for lane in Lane:
            serving = [route for route in routes if _serves(route.match, operator, lane)]
            if not serving:
                lanes_of[operator, GapKind.NO_CONNECTOR, ()].append(lane)
            elif all(narrowing(route.match) for route in serving):
                lanes_of[operator, GapKind.ONLY_IN_PART, tuple(route.id for route in serving)].append(lane)
    operators_of: dict[tuple[GapKind, tuple[Lane, ...], tuple[str, ...]], list[Operator | None]] = defaultdict(list)
    for (operator, kind, concerned), lanes in lanes_of.items():
        operators_of[kind, tuple(lanes), concerned].append(operator)
    gaps = [
        Gap(kind=kind, operators=tuple(operators), lanes=lanes, routes=concerned)
        for (kind, lanes, concerned), operators in operators_of.items()
    ]
    return sorted(gaps, key=lambda gap: list(GapKind).index(gap.kind))


def _serves(match: Match, operator: Operator | None, lane: Lane) -> bool:
    """Whether a route may be for messages to an operator's numbers in a lane."""
    begins = not match.prefixes or any(p.startswith(_MAINLAND) or _MAINLAND.startswith(p) for p in match.prefixes)
    return (
        begins
        and (not match.countries or "CN" in match.countries)
        and (not match.lanes or lane in match.lanes)
        and (not match.operators or operator in match.operators)
    )


def _unpriced(routes: Sequence[Route], known: Mapping[str, Connector]) -> list[Gap]:
    """Return what is wrong with the prices of routes that prefer cost."""
    gaps = []
    for route in routes:
        pool = [known[member.connector_id] for member in route.pool if member.connector_id in known]
        if route.prefer is not Prefer.COST or not route.enabled:
            continue
        if missing := [connector.id for connector in pool if not connector.prices]:
            gaps.append(Gap(kind=GapKind.PRICE_MISSING, routes=(route.id,), connectors=tuple(missing)))
        if len({price.per_segment.currency for connector in pool for price in connector.prices}) > 1:
            gaps.append(Gap(kind=GapKind.CURRENCIES_DIFFER, routes=(route.id,)))
    return gaps
