"""Which connectors a message may use."""

from datetime import UTC, datetime

import pytest

from yanshu.domain.connectors import Connector, ConnectorState, Match, Route
from yanshu.domain.lanes import Lane
from yanshu.rules.routing.table import Ask, Table

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def connector(ident: str, **fields: object) -> Connector:
    values: dict[str, object] = {"name": ident, "protocol": "smpp", "host": "h", "port": 1, "settings": {}, "secret": ""}
    return Connector(id=ident, created_at=NOW, updated_at=NOW, **{**values, **fields})  # type: ignore[arg-type]


def route(ident: str, *connectors: str, **fields: object) -> Route:
    return Route(id=ident, name=ident, rank=1, connectors=connectors, created_at=NOW, updated_at=NOW, **fields)  # type: ignore[arg-type]


TABLE = Table(
    1,
    [connector("a"), connector("b"), connector("s", simulated=True), connector("d", state=ConnectorState.DRAINED)],
    [
        route("otp", "b", "d", match=Match(lanes=(Lane.OTP,))),
        route("hk", "a", match=Match(countries=("HK",))),
        route("all", "a", "b", "s", "gone", match=Match()),
        route("off", "b", enabled=False),
    ],
)
CASES = [
    ("the first matching route comes first", {"lane": Lane.OTP}, ("b", "a")),
    ("other lanes pass it by", {}, ("a", "b")),
    ("test traffic uses simulated connectors only", {"livemode": False}, ("s",)),
    ("a pool narrows the choice", {"pool": ("b",)}, ("b",)),
    ("exclusion removes", {"exclude": ("a",)}, ("b",)),
    ("nothing may be left", {"pool": ("x",)}, ()),
]


@pytest.mark.parametrize(("fields", "chosen"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_candidates_are_ranked(fields: dict[str, object], chosen: tuple[str, ...]) -> None:
    values: dict[str, object] = {"workspace_id": "ws", "lane": Lane.NOTICE, "country": "CN", "livemode": True}
    assert TABLE.choose(Ask(**{**values, **fields})) == chosen  # type: ignore[arg-type]


def test_every_connector_left_out_has_a_reason() -> None:
    told = {c.connector_id: c.refusal for c in TABLE.explain(Ask("ws", Lane.OTP, "CN", livemode=True))}
    assert told == {"a": None, "b": None, "d": "connector_drained", "s": "connector_simulated", "gone": "connector_missing"}
