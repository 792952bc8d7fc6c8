"""The object an event is about, as webhooks show it: the same shapes as the API's."""

from typing import Any

import msgspec

from yanshu.domain.batches import Batch
from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.messages import Message
from yanshu.edge.api.schemas.batches import show_batch
from yanshu.edge.api.schemas.messages import show_inbound, show_message


def show_object(event: Event, subject: Message | Inbound | Batch | None) -> dict[str, Any]:
    """Return `data.object` of an envelope; what no longer exists is shown as the event tells it."""
    shown: object
    if isinstance(subject, Message):
        shown = show_message(subject)
    elif isinstance(subject, Inbound):
        shown = show_inbound(subject)
    elif isinstance(subject, Batch):
        shown = show_batch(subject)
    else:
        shown = {"id": event.object_id, **event.data}
    found: dict[str, Any] = msgspec.to_builtins(shown)
    return found
