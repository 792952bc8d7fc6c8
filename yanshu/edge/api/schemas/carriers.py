"""Shapes of connectors and routes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from yanshu.domain.connectors import LinkState
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator
from yanshu.edge.api.schemas.messages import Metadata, Phone
from yanshu.edge.api.schemas.platform import Name

Host = Annotated[str, Meta(min_length=1, max_length=253)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Window = Annotated[int, Meta(ge=1, le=10_000)]
Throughput = Annotated[int, Meta(ge=0, le=100_000, description="Segments a second over all links; 0: no limit.")]
Links = Annotated[int, Meta(ge=1, le=32)]
Password = Annotated[str, Meta(max_length=512)]
Sender = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{0,20}$")]
Beginning = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,14}$", examples=["+86138"])]
Signature = Annotated[str, Meta(min_length=2, max_length=12, pattern="^[^【】]*$", examples=["雁书"])]
Ids = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)]


class ConnectorIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new connector; `settings` are the protocol's own."""

    name: Name
    protocol: Literal["smpp", "cmpp", "sgip", "smgp", "http"]
    host: Host
    port: Port
    settings: dict[str, Any] = {}
    password: Password = ""
    window: Window = 16
    throughput: Throughput = 0
    links: Links = 1
    sender: Sender = ""
    simulated: bool = False
    metadata: Metadata | None = None


class ConnectorPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a connector to change."""

    name: Name | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    window: Window | UnsetType = UNSET
    throughput: Throughput | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    sender: Sender | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class ConnectorOut(Struct, kw_only=True):
    """A connector; the password is never shown."""

    id: str
    object: Literal["connector"] = "connector"
    created_at: datetime
    updated_at: datetime
    name: str
    protocol: str
    host: str
    port: int
    settings: dict[str, Any]
    window: int
    throughput: int
    links: int
    sender: str
    simulated: bool
    state: str
    metadata: dict[str, Any]


class LinkOut(Struct):
    """One link as its owner last reported it."""

    slot: int
    node: str
    state: LinkState
    detail: str
    at: datetime


class HealthOut(Struct, kw_only=True):
    """Links of a connector and what waits for it; `state` is the best of its links'."""

    object: Literal["connector_health"] = "connector_health"
    connector: str
    state: LinkState
    links: list[LinkOut]
    queued: dict[str, int]


class CallbacksOut(Struct, kw_only=True):
    """What the carrier of a connector shall call. The URLs are secret: who knows them can report receipts. A replay does not show them."""

    object: Literal["connector_callbacks"] = "connector_callbacks"
    connector: str
    receipts_url: str | None
    inbound_url: str | None


class MatchIO(Struct, forbid_unknown_fields=True):
    """Conditions of a route; an empty list matches everything. `prefixes` are beginnings of numbers, `signatures` stand in 【】."""

    lanes: list[Lane] = []
    countries: Annotated[list[Annotated[str, Meta(pattern="^[A-Z]{2}$")]], Meta(max_length=250)] = []
    workspaces: Ids = []
    operators: Annotated[list[Operator], Meta(max_length=4)] = []
    prefixes: Annotated[list[Beginning], Meta(max_length=1000)] = []
    signatures: Annotated[list[Signature], Meta(max_length=1000)] = []


class RouteIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new route; `connectors` are ids, best first; a lower rank is asked first."""

    name: Name
    rank: Annotated[int, Meta(ge=0, le=1_000_000)] = 100
    connectors: Annotated[list[str], Meta(min_length=1, max_length=50)]
    match: MatchIO = field(default_factory=MatchIO)
    enabled: bool = True
    metadata: Metadata | None = None


class RoutePatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a route to change."""

    name: Name | UnsetType = UNSET
    rank: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    connectors: Annotated[list[str], Meta(min_length=1, max_length=50)] | UnsetType = UNSET
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
    connectors: list[str]
    match: MatchIO
    enabled: bool
    metadata: dict[str, Any]


class SimulationIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A message that is only thought of; `workspace` is the caller's own unless given, `signature` stands without 【】."""

    to: Phone
    lane: Lane = Lane.NOTICE
    workspace: Annotated[str, Meta(max_length=64)] | None = None
    signature: Signature | None = None


class SimulatedOut(Struct, kw_only=True):
    """A connector of a route that matches, and why it may not be used."""

    connector: str
    name: str
    route: str
    usable: bool
    why: str | None


class PassedOut(Struct):
    """A route that does not match: the condition that is not met, or `disabled`."""

    route: str
    name: str
    why: str


class SimulationOut(Struct, kw_only=True):
    """Where such a message would go now: `connectors` best first; the story in sentences, then the data."""

    object: Literal["simulation"] = "simulation"
    to: str
    workspace: str
    lane: Lane
    country: str
    operator: Operator | None
    signature: str | None
    connectors: list[str]
    candidates: list[SimulatedOut]
    passed: list[PassedOut]
    sentences: list[str]
