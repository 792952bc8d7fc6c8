"""Shapes of routes, and of the dry run of one message."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from yanshu.domain.connectors import MAINLAND_ZONE, Hours, Match, Member, Prefer, Route
from yanshu.domain.errors import Invalid
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator
from yanshu.edge.api.schemas.carriers import Signature
from yanshu.edge.api.schemas.explanations import CandidateOut
from yanshu.edge.api.schemas.messages import Digits, Metadata, Moment, OwnSender, Phone
from yanshu.edge.api.schemas.money import Country, MoneyIO
from yanshu.edge.api.schemas.platform import DeletedOut, Name
from yanshu.edge.api.trials import WarningOut
from yanshu.rules.routing.hours import find_zone

Beginning = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,14}$", examples=["+86138"])]
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


_PLAIN_LISTS = ("lanes", "countries", "workspaces", "operators", "prefixes", "signatures")
Pool = Annotated[list[Ident | MemberIn], Meta(min_length=1, max_length=50)]


class HoursIO(Struct, forbid_unknown_fields=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """Hours of a day, `to` not included; with `to` before `from` they last over midnight. `days` are 1 (Monday) to 7, none means all."""

    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])]
    end: Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["21:00"])]
    days: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []
    zone: Annotated[str, Meta(max_length=64)] = MAINLAND_ZONE


MetadataValues = Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(min_length=1, max_length=100)]


class MatchIO(Struct, forbid_unknown_fields=True):
    """Conditions of a route; an empty list matches everything. `prefixes` are beginnings of numbers, `signatures` stand in 【】."""

    lanes: list[Lane] = []
    countries: Annotated[list[Country], Meta(max_length=250)] = []
    workspaces: Annotated[list[Ident], Meta(max_length=50)] = []
    operators: Annotated[list[Operator], Meta(max_length=4)] = []
    prefixes: Annotated[list[Beginning], Meta(max_length=1000)] = []
    signatures: Annotated[list[Signature], Meta(max_length=1000)] = []
    hours: Annotated[list[HoursIO], Meta(max_length=20)] = []
    metadata: Annotated[dict[Annotated[str, Meta(max_length=64)], MetadataValues], Meta(max_length=10)] = {}


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


class RouteSavedOut(RouteOut, kw_only=True):
    """A route as it was saved, or would be."""

    dry_run: bool
    warnings: list[WarningOut]


class RouteDeletedOut(DeletedOut, kw_only=True):
    """A route that was deleted, or would be."""

    dry_run: bool
    warnings: list[WarningOut]


class SimulationIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A message that is only thought of; `workspace` is the caller's own and `send_at` now unless given, `signature` without 【】."""

    to: Phone
    lane: Lane = Lane.NOTICE
    workspace: Annotated[str, Meta(max_length=64)] | None = None
    signature: Signature | None = None
    send_at: Moment | None = None
    metadata: Metadata | None = None
    sender: OwnSender | None = None
    extension: Digits | None = None
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
    send_at: datetime
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
        "match": _show_match(r.match),
        "enabled": r.enabled,
        "metadata": r.metadata or {},
    }


def read_match(match: MatchIO) -> Match:
    """Return a route's conditions; those that no number could meet together, and hours that are none, are refused."""
    if match.operators and match.countries and "CN" not in match.countries:
        raise Invalid(
            "parameter_invalid", param="match.countries", fix="operators are those of the mainland: add CN, or leave countries out"
        )
    return Match(
        **{name: tuple(getattr(match, name)) for name in _PLAIN_LISTS},
        hours=tuple(_read_hours(hours, f"match.hours[{place}]") for place, hours in enumerate(match.hours)),
        metadata={key: tuple(values) for key, values in match.metadata.items()},
    )


def _read_hours(hours: HoursIO, param: str) -> Hours:
    if hours.start == hours.end:
        raise Invalid("parameter_invalid", param=f"{param}.to", fix="another time than from; the whole day is 00:00 to 24:00")
    if find_zone(hours.zone) is None:
        raise Invalid("parameter_invalid", param=f"{param}.zone", fix="a time zone such as Asia/Shanghai")
    return Hours(start=_minutes(hours.start), end=_minutes(hours.end), days=tuple(sorted(set(hours.days))), zone=hours.zone)


def _minutes(written: str) -> int:
    hour, minute = written.split(":")
    return int(hour) * 60 + int(minute)


def _written(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _show_match(match: Match) -> MatchIO:
    return MatchIO(
        **{name: list(getattr(match, name)) for name in _PLAIN_LISTS},
        hours=[HoursIO(start=_written(h.start), end=_written(h.end), days=list(h.days), zone=h.zone) for h in match.hours],
        metadata={key: list(values) for key, values in match.metadata.items()},
    )


def read_pool(given: list[str | MemberIn]) -> tuple[Member, ...]:
    """Return the pool of a route; an id alone is tried when those before it in the list could not. A connector stands there once."""
    pool: list[Member] = []
    for place, one in enumerate(given):
        member = MemberIn(connector=one) if isinstance(one, str) else one
        if any(member.connector == other.connector_id for other in pool):
            raise Invalid("parameter_invalid", param=f"connectors[{place}]", fix="name a connector once in a pool")
        pool.append(Member(member.connector, member.priority or place + 1, member.weight))
    return tuple(pool)
