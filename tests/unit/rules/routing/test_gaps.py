"""A set of routes that leaves somebody out is noticed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.domain.connectors import Connector, ConnectorState, Match, Member, Prefer, Price, Route
from yanshu.domain.lanes import Lane
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.gaps import GapKind, find_gaps, narrowing
from yanshu.testing.samples import in_turn

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ALL = (*Operator, None)
LANES = tuple(Lane)
CMCC, CUCC, CTCC, CBN = Operator.CMCC, Operator.CUCC, Operator.CTCC, Operator.CBN


def connector(ident: str, **fields: Any) -> Connector:
    values = {"name": ident, "protocol": "smpp", "host": "h", "port": 1, "settings": {}, "secret": "", "created_at": NOW, "updated_at": NOW}
    return Connector(id=ident, **{**values, **fields})


def route(ident: str = "r", *connectors: str, enabled: bool = True, **match: Any) -> Route:
    pool = in_turn(*(connectors or ("a",)))
    return Route(id=ident, name=ident, rank=1, pool=pool, created_at=NOW, updated_at=NOW, match=Match(**match), enabled=enabled)


A = connector("a")
SETS: list[tuple[str, list[Connector], list[Route], list[tuple[GapKind, Any, Any, Any]]]] = [
    ("one route for everything", [A], [route()], []),
    ("no route at all", [A], [], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    ("no live connector yet", [connector("s", simulated=True)], [], []),
    ("the only one is switched off", [A], [route(enabled=False)], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    ("its connector is drained", [connector("a", state=ConnectorState.DRAINED)], [route()], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    ("its connector is gone", [A], [route("r", "gone")], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    (
        "its connector carries test traffic",
        [A, connector("s", simulated=True)],
        [route("r", "s")],
        [(GapKind.NO_CONNECTOR, ALL, LANES, ())],
    ),
    ("one of its connectors is enough", [A], [route("r", "gone", "a")], []),
    ("one operator is left out", [A], [route(operators=(CMCC, CUCC, CTCC)), route("x", operators=())], []),
    ("unknown operators too", [A], [route(operators=tuple(Operator))], [(GapKind.NO_CONNECTOR, (None,), LANES, ())]),
    ("two operators", [A], [route(operators=(CMCC, CUCC))], [(GapKind.NO_CONNECTOR, (CTCC, CBN, None), LANES, ())]),
    ("a lane", [A], [route(lanes=(Lane.OTP, Lane.NOTICE))], [(GapKind.NO_CONNECTOR, ALL, (Lane.MARKETING,), ())]),
    (
        "a lane of one operator",
        [A],
        [route(operators=(CMCC,), lanes=(Lane.OTP,)), route("rest", operators=(CUCC, CTCC, CBN)), route("odd", lanes=(Lane.OTP,))],
        [(GapKind.NO_CONNECTOR, (CMCC, None), (Lane.NOTICE, Lane.MARKETING), ())],
    ),
    ("abroad only", [A], [route(countries=("HK",))], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    ("a prefix abroad", [A], [route(prefixes=("+852",))], [(GapKind.NO_CONNECTOR, ALL, LANES, ())]),
    ("the mainland by prefix", [A], [route(prefixes=("+86",))], []),
    ("some ranges", [A], [route(prefixes=("+86138",))], [(GapKind.ONLY_IN_PART, ALL, LANES, ("r",))]),
    ("one workspace", [A], [route(workspaces=("ws",))], [(GapKind.ONLY_IN_PART, ALL, LANES, ("r",))]),
    ("one workspace, then all", [A], [route(workspaces=("ws",)), route("all")], []),
    (
        "the worst comes first",
        [A],
        [route(operators=(CMCC,), signatures=("雁书",)), route("q", operators=(CUCC, CTCC))],
        [(GapKind.NO_CONNECTOR, (CBN, None), LANES, ()), (GapKind.ONLY_IN_PART, (CMCC,), LANES, ("r",))],
    ),
]


@pytest.mark.parametrize(("connectors", "routes", "gaps"), [row[1:] for row in SETS], ids=[row[0] for row in SETS])
def test_who_is_left_out_is_named(connectors: list[Connector], routes: list[Route], gaps: list[tuple[GapKind, Any, Any, Any]]) -> None:
    assert [(gap.kind, gap.operators, gap.lanes, gap.routes) for gap in find_gaps(connectors, routes)] == gaps


def priced(ident: str, *currencies: str) -> Connector:
    return connector(ident, prices=tuple(Price(per_segment=Money(currency, 1)) for currency in currencies))


PRICES = [
    ("all have one", [priced("a", "CNY"), priced("b", "CNY")], Prefer.COST, []),
    ("weights decide", [priced("a"), priced("b", "USD")], Prefer.WEIGHT, []),
    ("one has none", [priced("a", "CNY"), priced("b")], Prefer.COST, [(GapKind.PRICE_MISSING, ("b",))]),
    ("two currencies", [priced("a", "CNY"), priced("b", "USD")], Prefer.COST, [(GapKind.CURRENCIES_DIFFER, ())]),
]


@pytest.mark.parametrize(("connectors", "prefer", "gaps"), [row[1:] for row in PRICES], ids=[row[0] for row in PRICES])
def test_prices_that_cannot_decide_are_named(connectors: list[Connector], prefer: Prefer, gaps: list[tuple[GapKind, Any]]) -> None:
    shared = Route(id="r", name="r", rank=1, pool=(Member("a"), Member("b")), prefer=prefer, created_at=NOW, updated_at=NOW)
    assert [(gap.kind, gap.connectors) for gap in find_gaps(connectors, [shared])] == gaps


def test_what_narrows_a_route_is_named() -> None:
    match = Match(lanes=(Lane.OTP,), operators=(CMCC,), countries=("CN",), workspaces=("ws",), prefixes=("+86138",), signatures=("雁书",))
    assert narrowing(match) == ["workspaces", "prefixes", "signatures"]
