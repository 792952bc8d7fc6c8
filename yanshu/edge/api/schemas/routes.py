"""Shapes of routes, and of the dry run of one message."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from yanshu.domain.connectors import Match, Member, Prefer, Route
from yanshu.domain.errors import Invalid
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator
from yanshu.edge.api.schemas.explanations import CandidateOut
from yanshu.edge.api.schemas.messages import Metadata, Phone
from yanshu.edge.api.schemas.money import Country, MoneyIO
from yanshu.edge.api.schemas.platform import DeletedOut, Name
from yanshu.rules.routing.gaps import GapKind

Beginning = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,14}$", examples=["+86138"])]
Signature = Annotated[str, Meta(min_length=2, max_length=12, pattern="^[^【】]*$", examples=["雁书"])]
Ident = Annotated[str, Meta(min_length=1, max_length=64)]
Rank = Annotated[int, Meta(ge=0, le=1_000_000)]


class MemberIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A connector in a pool. A lower `priority` is tried first (left out: its place in the list); one priority shares by `weight`."""

    connector: Ident
    priority: Annotated[int, Meta(ge=1, le=100)] | None = None
    weight: Annotated[int, Meta(ge=0, le=1000)] = 100


class MemberOut(Struct):
    """A connector in a pool."""

    connector: str
    priority: int
    weight: int


Pool = Annotated[list[Ident | MemberIn], Meta(min_length=1, max_length=50)]


class MatchIO(Struct, forbid_unknown_fields=True):
    """Conditions of a route; an empty list matches everything. `prefixes` are beginnings of numbers, `signatures` stand in 【】."""

    lanes: list[Lane] = []
    countries: Annotated[list[Country], Meta(max_length=250)] = []
    workspaces: Annotated[list[Ident], Meta(max_length=50)] = []
    operators: Annotated[list[Operator], Meta(max_length=4)] = []
    prefixes: Annotated[list[Beginning], Meta(max_length=1000)] = []
    signatures: Annotated[list[Signature], Meta(max_length=1000)] = []


class RouteIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new route; `connectors` are ids, best first, or ids with priority and weight; a lower rank is asked first."""

    name: Name
    rank: Rank = 100
    connectors: Pool
    prefer: Prefer = Prefer.WEIGHT
    match: MatchIO = field(default_factory=MatchIO)
    enabled: bool = True
    metadata: Metadata | None = None


class RoutePatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a route to change."""

    name: Name | UnsetType = UNSET
    rank: Rank | UnsetType = UNSET
    connectors: Pool | UnsetType = UNSET
    prefer: Prefer | UnsetType = UNSET
    match: MatchIO | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class RouteOut(Struct, kw_only=True):
    """A route."""

    id: str
    object: Literal["route"] = "route"
    created_at: datetime
    updated_at: datetime
    name: str
    rank: int
    connectors: list[MemberOut]
    prefer: Prefer
    match: MatchIO
    enabled: bool
    metadata: dict[str, Any]


class TrialQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """With `dry_run` nothing is changed: the answer says what it would be, and warns."""

    dry_run: bool = False


class WarningOut(Struct, kw_only=True):
    """What the routes leave out then: `unknown` among `operators` are numbers whose operator nobody knows."""

    code: GapKind
    message: str
    operators: list[str]
    lanes: list[Lane]
    routes: list[str]
    connectors: list[str]


class RouteSavedOut(RouteOut, kw_only=True):
    """A route as it was saved, or would be."""

    dry_run: bool
    warnings: list[WarningOut]


class RouteDeletedOut(DeletedOut, kw_only=True):
    """A route that was deleted, or would be."""

    dry_run: bool
    warnings: list[WarningOut]


class SimulationIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A message that is only thought of; `workspace` is the caller's own unless given, `signature` stands without 【】."""

    to: Phone
    lane: Lane = Lane.NOTICE
    workspace: Annotated[str, Meta(max_length=64)] | None = None
    signature: Signature | None = None
    segments: Annotated[int, Meta(ge=1, le=10)] = 1


class PassedOut(Struct):
    """A route that does not match: the condition that is not met, or `disabled`."""

    route: str
    name: str
    why: str


class SimulationOut(Struct, kw_only=True):
    """Where such a message would go now: `connectors` best first, and what the first one's carrier takes for all its segments."""

    object: Literal["simulation"] = "simulation"
    to: str
    workspace: str
    lane: Lane
    country: str
    operator: Operator | None
    operator_source: str | None
    signature: str | None
    segments: int
    connectors: list[str]
    price: MoneyIO | None
    candidates: list[CandidateOut]
    passed: list[PassedOut]
    sentences: list[str]


def show_route(r: Route) -> RouteOut:
    """Return the wire form of a route."""
    return RouteOut(**_route_fields(r))


def show_saved(r: Route, warnings: list[WarningOut], *, dry_run: bool) -> RouteSavedOut:
    """Return the wire form of a route that was saved, or would be."""
    return RouteSavedOut(**_route_fields(r), warnings=warnings, dry_run=dry_run)


def _route_fields(r: Route) -> dict[str, Any]:
    return {
        "id": r.id,
        "created_at": r.created_at,
        "updated_at": r.updated_at,
        "name": r.name,
        "rank": r.rank,
        "connectors": [MemberOut(member.connector_id, member.priority, member.weight) for member in r.pool],
        "prefer": r.prefer,
        "match": MatchIO(**{name: list(getattr(r.match, name)) for name in MatchIO.__struct_fields__}),
        "enabled": r.enabled,
        "metadata": r.metadata or {},
    }


def read_match(match: MatchIO) -> Match:
    """Return a route's conditions; those that no number could meet together are refused."""
    if match.operators and match.countries and "CN" not in match.countries:
        raise Invalid(
            "parameter_invalid", param="match.countries", fix="operators are those of the mainland: add CN, or leave countries out"
        )
    return Match(**{name: tuple(getattr(match, name)) for name in MatchIO.__struct_fields__})


def read_pool(given: list[str | MemberIn]) -> tuple[Member, ...]:
    """Return the pool of a route; an id alone is tried when those before it in the list could not. A connector stands there once."""
    pool: list[Member] = []
    for place, one in enumerate(given):
        member = MemberIn(connector=one) if isinstance(one, str) else one
        if any(member.connector == other.connector_id for other in pool):
            raise Invalid("parameter_invalid", param=f"connectors[{place}]", fix="name a connector once in a pool")
        pool.append(Member(member.connector, member.priority or place + 1, member.weight))
    return tuple(pool)
