"""Webhook endpoints and the deliveries made to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class EndpointStatus(StrEnum):
    """Whether an endpoint gets events."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class WebhookEndpoint(Struct, frozen=True, kw_only=True):
    """Where a workspace wants its events. `secrets` are sealed, newest first; the older one dies at `rotated_until`.

    `position` is the last event position turned into deliveries; `failing_since` the start of an unbroken run of failures.
    """

    id: str
    workspace_id: str
    url: str
    events: tuple[str, ...]
    secrets: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    livemode: bool = True
    status: EndpointStatus = EndpointStatus.ENABLED
    batch_max: int = 1
    batch_ms: int = 0
    rotated_until: datetime | None = None
    failing_since: datetime | None = None
    position: int = 0
    metadata: dict[str, Any] | None = None


class DeliveryStatus(StrEnum):
    """State of one delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(Struct, frozen=True, kw_only=True):
    """One HTTP call to be made: `events` are event ids in order, `objects` the ids they are about.

    `endpoint_id` is None for a per-message callback; then `url` is the callback itself.
    """

    id: str
    workspace_id: str
    endpoint_id: str | None
    url: str
    events: tuple[str, ...]
    objects: tuple[str, ...]
    status: DeliveryStatus
    created_at: datetime
    updated_at: datetime
    next_at: datetime | None
    attempts: int = 0
    response_status: int | None = None
    error: str | None = None
    took_ms: int | None = None
