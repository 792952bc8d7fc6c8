"""Events: the append-only history that timelines, webhooks, the stream and reports read."""

from datetime import datetime
from typing import Any

from msgspec import Struct

# Types a customer may subscribe to (API.md §4). Types under `receipt.` and `submission.` stay in the timeline.
PUBLIC_TYPES: tuple[str, ...] = (
    "message.accepted",
    "message.held",
    "message.scheduled",
    "message.queued",
    "message.submitted",
    "message.unknown",
    "message.delivered",
    "message.partially_delivered",
    "message.undelivered",
    "message.failed",
    "message.expired",
    "message.rejected",
    "message.canceled",
    "message.corrected",
    "inbound.received",
    "batch.ready",
    "batch.scheduled",
    "batch.started",
    "batch.paused",
    "batch.completed",
    "batch.canceled",
    "connector.degraded",
    "connector.recovering",
    "connector.recovered",
    "connector.breaker_opened",
    "connector.breaker_half_opened",
    "connector.breaker_closed",
    "connector.drained",
    "connector.resumed",
    "incident.opened",
    "incident.closed",
    "webhook.disabled",
    "webhook.test",
)


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to `object_id`. `seq` is its place in that object's history (a message's version).

    `data` holds what changed, ready to be laid over the object: for messages ``status``, ``previous`` and whatever
    explains the step (``reason``, ``connector``, ``code``, …). `position` is the store's global order and `id` says the same
    in words; both are given by the store (ADR 0006).
    """

    workspace_id: str
    livemode: bool
    type: str
    object_id: str
    seq: int
    created_at: datetime
    data: dict[str, Any]
    callback_url: str | None = None
    id: str = ""
    position: int = 0
