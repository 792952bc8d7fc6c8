"""Ranking: in which order the connectors of matching routes are tried: routes, priority, cost or weight, and live health."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from yanshu.domain.connectors import Member, Prefer, Route
from yanshu.domain.health import Admission, Standing
from yanshu.rules.routing.accounts import Account
from yanshu.rules.routing.match import Ask
from yanshu.rules.routing.plan import Place, Share, shared


class Entry(NamedTuple):
    """A member of a matching route's pool, how it does of late, and why it may not be used (`refusal` None: it may)."""

    route: Route
    member: Member
    account: Account | None
    standing: Standing
    refusal: str | None


def places_of(entries: Iterator[Entry], ask: Ask) -> Iterator[Place]:
    """Yield those that may be used in the order of trying: who stands at one place shares it.

    Health lowers the weight of a connector beside those of its priority. One that admits nothing, or a probe only, comes after all
    others: it is not refused, since it may be back before the others have failed.
    """
    behind: list[Entry] = []
    group: list[Entry] = []
    for entry in entries:
        if group and (entry.route is not group[0].route or entry.member.priority != group[0].member.priority):
            yield from _split(group, ask)
            group = []
        if entry.refusal is None:
            (group if entry.standing.admits is Admission.ALL else behind).append(entry)
    yield from _split(group, ask) if group else ()
    yield from ([Share(entry.member.connector_id, entry.member.weight)] for entry in behind)


def _split(group: list[Entry], ask: Ask) -> list[Place]:
    """Return the places of one priority: one, or as many as there are prices where those decide."""
    if group[0].route.prefer is Prefer.COST and len(group) > 1:
        return [_place(same) for same in _by_cost(group, ask)]
    return [_place(group)]


def _place(entries: list[Entry]) -> Place:
    return shared([Share(entry.member.connector_id, entry.member.weight * entry.standing.weight_percent) for entry in entries])


def _by_cost(entries: list[Entry], ask: Ask) -> list[list[Entry]]:
    """Return the cheapest first and those without a price last; amounts of several currencies cannot be compared and stay together."""
    prices = [entry.account.price(ask) if entry.account else None for entry in entries]
    if len({price.currency for price in prices if price}) != 1:
        return [entries]
    amounts = [(price is None, price.micros if price else 0) for price in prices]
    ranked = sorted(zip(amounts, entries, strict=True), key=itemgetter(0))
    return [[entry for _, entry in same] for _, same in groupby(ranked, key=itemgetter(0))]
