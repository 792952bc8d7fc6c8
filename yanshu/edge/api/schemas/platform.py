"""Shapes of keys, workspaces, webhooks, events and the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from yanshu.edge.api.paging import PageQuery
from yanshu.edge.api.schemas.messages import Metadata, Moment

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Url = Annotated[str, Meta(min_length=8, max_length=2000)]
Patterns = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=50)]


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
