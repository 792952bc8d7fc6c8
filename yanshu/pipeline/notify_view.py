"""Notify, what is shown: the object an event is about, as it was right after that event."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.batches import Batch, BatchStatus
from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.messages import FINALS, Message, Status
from yanshu.ports.store import UnitOfWork

Subject = Message | Inbound | Batch | None

RenderObject = Callable[[Event, Subject], dict[str, Any]]
"""Makes `data.object` of an envelope. It gets the object as it was after the event, or None when there is none (any more)."""


async def load_subjects(uow: UnitOfWork, events: Iterable[Event]) -> dict[str, Subject]:
    """Read the objects these events are about, by id; what no longer exists is left out."""
    wanted = {event.object_id for event in events}
    found: dict[str, Subject] = {}
    messages = [ident for ident in wanted if ident.startswith(f"{ids.MESSAGE}_")]
    if messages:
        found.update((message.id, message) for message in await uow.messages.get(messages))
    for ident in wanted:
        if ident.startswith(f"{ids.INBOUND}_"):
            found[ident] = await uow.inbounds.get(ident)
        elif ident.startswith(f"{ids.BATCH}_"):
            found[ident] = await uow.batches.get(ident)
    return found


def as_of(subject: Subject, event: Event) -> Subject:
    """Return the object as it was after `event`: a call that is late tells what happened then, not what is so now."""
    if isinstance(subject, Batch):
        return _batch_as_of(subject, event)
    if not isinstance(subject, Message) or "status" not in event.data or subject.version == event.seq:
        return subject
    status = Status(event.data["status"])
    return replace(
        subject,
        status=status,
        version=event.seq,
        updated_at=event.created_at,
        connector_id=event.data.get("connector"),
        reason_code=event.data.get("reason"),
        reason_raw=None,
        done_at=event.created_at if status in FINALS else None,
        submitted_at=subject.submitted_at if subject.submitted_at and subject.submitted_at <= event.created_at else None,
    )


def _batch_as_of(batch: Batch, event: Event) -> Batch:
    """Return the batch with the status and totals of the event; its counters are those of now."""
    known = {name: event.data[name] for name in ("total", "invalid") if name in event.data}
    if batch.version == event.seq or "status" not in event.data:
        return batch
    status = BatchStatus(event.data["status"])
    is_done = status in (BatchStatus.COMPLETED, BatchStatus.CANCELED)
    done_at = batch.done_at if is_done else None
    return replace(batch, status=status, version=event.seq, updated_at=event.created_at, done_at=done_at, **known)
