"""Shapes of connectors, routes, keys, workspaces, webhooks, events and the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from yanshu.domain.connectors import LinkState
from yanshu.domain.lanes import Lane
from yanshu.edge.api.paging import PageQuery
from yanshu.edge.api.schemas.messages import Metadata, Moment

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Host = Annotated[str, Meta(min_length=1, max_length=253)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Window = Annotated[int, Meta(ge=1, le=10_000)]
Throughput = Annotated[int, Meta(ge=0, le=100_000, description="Segments a second over all links; 0: no limit.")]
Links = Annotated[int, Meta(ge=1, le=32)]
Password = Annotated[str, Meta(max_length=64)]
Sender = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{0,20}$")]
Url = Annotated[str, Meta(min_length=8, max_length=2000)]
Patterns = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=50)]
Ids = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)]


class ConnectorIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new connector; `settings` are the protocol's own."""

    name: Name
    protocol: Literal["smpp"]
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


class MatchIO(Struct, forbid_unknown_fields=True):
    """Conditions of a route; an empty list matches everything."""

    lanes: list[Lane] = []
    countries: Annotated[list[Annotated[str, Meta(pattern="^[A-Z]{2}$")]], Meta(max_length=250)] = []
    workspaces: Ids = []


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


class WorkspaceIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new workspace."""

    name: Name
    metadata: Metadata | None = None


class WorkspaceOut(Struct, kw_only=True):
    """A workspace; `secret`, which signs the calls to a message's `callback_url`, is shown once, when it is rotated."""

    id: str
    object: Literal["workspace"] = "workspace"
    created_at: datetime
    updated_at: datetime
    name: str
    secret: str | None = None
    metadata: dict[str, Any]


class ApiKeyIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new key; only an admin may name another workspace."""

    name: Name
    scopes: Annotated[list[str], Meta(min_length=1, max_length=50)]
    livemode: bool = True
    workspace: str | None = None
    cidrs: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)] = []
    requests_per_second: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    messages_per_second: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    expires_at: Moment | None = None
    metadata: Metadata | None = None


class RotateIn(Struct, forbid_unknown_fields=True):
    """How long the old secret stays valid."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] = 86_400


class ApiKeyOut(Struct, kw_only=True):
    """A key; `secret` is shown once, when it is made or rotated."""

    id: str
    object: Literal["api_key"] = "api_key"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    workspace: str
    name: str
    hint: str
    scopes: list[str]
    cidrs: list[str]
    requests_per_second: int
    messages_per_second: int
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    secret: str | None = None
    metadata: dict[str, Any]


class BatchingIO(Struct, forbid_unknown_fields=True):
    """Up to `max` events in one call, none of them waiting for more than `ms` milliseconds."""

    max: Annotated[int, Meta(ge=1, le=1000)] = 1
    ms: Annotated[int, Meta(ge=0, le=60_000)] = 0


class WebhookIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new webhook endpoint; `events` are types or patterns such as message.*."""

    url: Url
    events: Patterns
    batch: BatchingIO = field(default_factory=BatchingIO)
    metadata: Metadata | None = None


class WebhookPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a webhook endpoint to change."""

    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    batch: BatchingIO | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class WebhookOut(Struct, kw_only=True):
    """A webhook endpoint; `secret` is shown once, when it is made or rotated."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    url: str
    events: list[str]
    status: str
    batch: BatchingIO
    failing_since: datetime | None
    secret: str | None = None
    metadata: dict[str, Any]


class ReplayIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """What to deliver again: `events`, or the events of a `delivery`, or those of a range: any of `since`, `until` and `types`."""

    events: Annotated[list[str], Meta(max_length=1000)] = []
    delivery: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    types: Annotated[list[str], Meta(max_length=50)] = []


class ReplayOut(Struct, kw_only=True):
    """How many events will be delivered again."""

    object: Literal["replay"] = "replay"
    events: int


class DeliveriesQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filter of the deliveries."""

    status: Literal["pending", "delivered", "failed"] | None = None


class DeliveryOut(Struct, kw_only=True):
    """One webhook call."""

    id: str
    object: Literal["delivery"] = "delivery"
    created_at: datetime
    updated_at: datetime
    endpoint: str | None
    url: str
    events: list[str]
    status: str
    attempts: int
    next_at: datetime | None
    response_status: int | None
    error: str | None
    took_ms: int | None


Types = Annotated[str, Meta(max_length=500, description="A comma list of event types, or of families such as message.*")]


class StreamQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Filter of the stream."""

    types: Types = ""


class EventsQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filters of the event list."""

    types: Types = ""
    object_id: str | None = field(default=None, name="object")


class PreviousOut(Struct):
    """What the object was before."""

    status: str


class EventDataOut(Struct):
    """The object as it was right after the event, in the shape of its resource."""

    object: dict[str, Any]
    previous: PreviousOut | UnsetType = UNSET


class EventOut(Struct, kw_only=True):
    """An event, as webhooks carry it; `about` is the id of its object."""

    id: str
    object: Literal["event"] = "event"
    livemode: bool
    created_at: datetime
    type: str
    workspace: str
    about: str
    seq: int
    data: EventDataOut


class AuditOut(Struct, kw_only=True):
    """An entry of the audit trail."""

    id: str
    object: Literal["audit_entry"] = "audit_entry"
    created_at: datetime
    workspace: str | None
    actor: str
    action: str
    about: str | None
    address: str
    detail: dict[str, Any]


class DeletedOut(Struct, kw_only=True):
    """What was deleted."""

    id: str
    object: str
    deleted: bool = True


class EmptyIn(Struct, forbid_unknown_fields=True):
    """An action that needs no fields."""
