"""Batches: many messages by one request, and uploads of any size that become messages chunk by chunk.

A small batch is accepted like any send. A large one is stored as rows first; a runner then accepts them in chunks, and
the chunk's messages and the batch's progress are one transaction: a crash neither skips a row nor sends it twice.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.batches import Batch, BatchPreview, BatchRow, BatchStatus
from yanshu.domain.commands import Idempotency, Recipient, Saved, Send
from yanshu.domain.errors import Conflict, Missing, Overloaded, StoreBusy
from yanshu.domain.events import Event
from yanshu.domain.messages import FINALS
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.compose import Composed
from yanshu.ports.clock import Clock
from yanshu.ports.joining import Also
from yanshu.ports.store import Store, UnitOfWork

INLINE_AT_ONCE = 1000
_SAMPLE = 20
RenderBatch = Callable[[Batch], Saved]

# What a caller may do with a batch in which status, and what it becomes; RUNNING means SCHEDULED before the sending time.
_STEPS: dict[str, tuple[frozenset[BatchStatus], BatchStatus]] = {
    "start": (frozenset({BatchStatus.READY}), BatchStatus.RUNNING),
    "pause": (frozenset({BatchStatus.RUNNING, BatchStatus.SCHEDULED}), BatchStatus.PAUSED),
    "resume": (frozenset({BatchStatus.PAUSED}), BatchStatus.RUNNING),
    "cancel": (
        frozenset({BatchStatus.DRAFT, BatchStatus.READY, BatchStatus.SCHEDULED, BatchStatus.RUNNING, BatchStatus.PAUSED}),
        BatchStatus.CANCELED,
    ),
}
_EVENT_OF = {
    BatchStatus.READY: "batch.ready",
    BatchStatus.SCHEDULED: "batch.scheduled",
    BatchStatus.RUNNING: "batch.started",
    BatchStatus.PAUSED: "batch.paused",
    BatchStatus.COMPLETED: "batch.completed",
    BatchStatus.CANCELED: "batch.canceled",
}


class Batches:
    """Creates, feeds and steers batches."""

    def __init__(self, store: Store, clock: Clock, accepter: Accepter) -> None:
        self._store = store
        self._clock = clock
        self._accepter = accepter

    async def create(
        self,
        send: Send,
        *,
        start: bool,
        metadata: dict[str, Any] | None = None,
        idempotency: Idempotency | None = None,
        render: RenderBatch | None = None,
    ) -> tuple[Batch, Saved | None]:
        """Make a batch of `send`; its recipients become rows, accepted at once if `start`. Returns it, or the saved answer."""
        now = self._clock.now()
        ident = ids.make_id(ids.BATCH, now, self._clock.entropy(ids.ENTROPY_BYTES))
        send = replace(send, batch_id=ident)
        at_once = start and 0 < len(send.recipients) <= INLINE_AT_ONCE
        going = _going(send.send_at, now) if start else BatchStatus.READY if send.recipients else BatchStatus.DRAFT
        batch = Batch(
            id=ident,
            workspace_id=send.workspace_id,
            livemode=send.livemode,
            status=going,
            send=msgspec.msgpack.encode(replace(send, recipients=())),
            created_at=now,
            updated_at=now,
            send_at=send.send_at,
            total=len(send.recipients),
            expanded=len(send.recipients) if at_once else 0,
            started_at=now if going is BatchStatus.RUNNING else None,
            metadata=metadata,
        )
        # A replay comes before any judgement: a scheduled batch is repeated even when its time has come meanwhile.
        if idempotency is not None and (replay := await self._recall(idempotency)):
            return batch, replay
        # Without recipients only what is wrong with the send as a whole is found: better now than when rows are expanded.
        composed = await self._accepter.compose(send if at_once else replace(send, recipients=()))
        if at_once:
            batch = replace(batch, counts=dict(Counter(message.status for message in composed.messages)))
        try:
            saved = await self._store_new(batch, send, composed, idempotency, render)
        except StoreBusy as error:
            raise Overloaded("overloaded", retry_after=1) from error
        self._store.wake("queue" if at_once else "batches")
        return batch, saved

    async def _recall(self, idempotency: Idempotency) -> Saved | None:
        """Return the answer given before under this key."""
        async with self._store.read() as uow:
            return await uow.records.recall(idempotency)

    async def _store_new(
        self, batch: Batch, send: Send, composed: Composed, idempotency: Idempotency | None, render: RenderBatch | None
    ) -> Saved | None:
        """Store the batch with its messages (if composed) or its rows, and the answer, in one transaction."""
        async with self._store.write() as uow:
            await uow.batches.add(batch)
            if batch.status is not BatchStatus.DRAFT:
                await self._event(uow, batch)
            if composed.messages:
                await self._accepter.store(uow, composed)
            elif send.recipients:
                await uow.batches.add_rows([_row(batch.id, line, r) for line, r in enumerate(send.recipients, 1)])
            if idempotency is not None:
                answer = render(batch) if render else Saved(202, b"")
                if saved := await uow.records.remember(idempotency, answer):
                    return saved
            await uow.commit()
        self._store.wake("events")
        return None

    async def get(self, workspace_id: str, batch_id: str) -> Batch:
        """Return a batch of this workspace with its counters."""
        async with self._store.read() as uow:
            return await _find(uow, workspace_id, batch_id)

    async def upload(self, workspace_id: str, batch_id: str, rows: AsyncIterator[list[BatchRow]]) -> Batch:
        """Take the rows of a file, chunk by chunk, in place of any earlier upload; the batch is `ready` after the last.

        An upload that breaks off leaves the batch in `validating`; a new upload starts over, and ends one that still runs.
        """
        begun = await self._begin_upload(workspace_id, batch_id)
        total = invalid = 0
        async for chunk in rows:
            async with self._store.write() as uow:
                await _unchanged(uow, begun)
                await uow.batches.add_rows(chunk)
                await uow.commit()
            total += len(chunk)
            invalid += sum(row.code is not None for row in chunk)
        async with self._store.write() as uow:
            batch = await _unchanged(uow, begun)
            batch = await self._save(uow, replace(batch, status=BatchStatus.READY, total=total, invalid=invalid))
            await self._event(uow, batch)
            await uow.commit()
        return batch

    async def _begin_upload(self, workspace_id: str, batch_id: str) -> Batch:
        """Forget an earlier upload; only before the batch has started."""
        async with self._store.write() as uow:
            batch = await _find(uow, workspace_id, batch_id)
            if batch.status not in (BatchStatus.DRAFT, BatchStatus.VALIDATING, BatchStatus.READY):
                raise Conflict("state_conflict", param="status", status=batch.status)
            await uow.batches.clear_rows(batch_id)
            empty = replace(batch, status=BatchStatus.VALIDATING, total=0, invalid=0, expanded=0, last_line=0)
            begun = await self._save(uow, empty)
            await uow.commit()
        return begun

    async def preview(self, workspace_id: str, batch_id: str) -> BatchPreview:
        """Return what the first rows would become, the first unreadable rows, and the totals."""
        async with self._store.read() as uow:
            batch = await _find(uow, workspace_id, batch_id)
            good = await uow.batches.rows(batch_id, 0, _SAMPLE, good=True)
            bad = await uow.batches.rows(batch_id, 0, _SAMPLE, good=False)
        composed = await self._accepter.compose(_send_of(batch, good, self._clock.now()))
        sample = tuple((row.line, message) for row, message in zip(good, composed.messages, strict=True))
        return BatchPreview(total=batch.total, invalid=batch.invalid, sample=sample, bad=tuple(bad))

    async def start(self, workspace_id: str, batch_id: str, also: Also[Batch] | None = None) -> Batch:
        """Begin to send."""
        return await self._steer(workspace_id, batch_id, "start", also)

    async def pause(self, workspace_id: str, batch_id: str, also: Also[Batch] | None = None) -> Batch:
        """Hold what has not left yet."""
        return await self._steer(workspace_id, batch_id, "pause", also)

    async def resume(self, workspace_id: str, batch_id: str, also: Also[Batch] | None = None) -> Batch:
        """Go on where it was paused."""
        return await self._steer(workspace_id, batch_id, "resume", also)

    async def cancel(self, workspace_id: str, batch_id: str, also: Also[Batch] | None = None) -> Batch:
        """Take back what has not left yet."""
        return await self._steer(workspace_id, batch_id, "cancel", also)

    async def _steer(self, workspace_id: str, batch_id: str, step: str, also: Also[Batch] | None) -> Batch:
        """Take a step of the batch's own state table; its messages follow in chunks (see `BatchRunner`)."""
        allowed, status = _STEPS[step]
        now = self._clock.now()
        async with self._store.write() as uow:
            batch = await _find(uow, workspace_id, batch_id)
            if batch.status not in allowed:
                raise Conflict("state_conflict", param="status", status=batch.status)
            batch = await self._enter(uow, batch, _going(batch.send_at, now) if status is BatchStatus.RUNNING else status)
            if also is not None:
                await also(uow, batch)
            await uow.commit()
        self._store.wake("batches")
        self._store.wake("events")
        return batch

    async def expand(self, uow: UnitOfWork, batch: Batch, limit: int) -> Batch:
        """Accept the next rows of a running batch within the caller's transaction; completes it after the last one."""
        good = batch.total - batch.invalid
        if batch.expanded >= good:
            return await self._finish(uow, batch)
        rows = await uow.batches.rows(batch.id, batch.last_line, limit, good=True)
        if not rows:
            return await self._save(uow, replace(batch, expanded=good))
        await self._accepter.store(uow, await self._accepter.compose(_send_of(batch, rows, self._clock.now()), uow))
        return await self._save(uow, replace(batch, expanded=batch.expanded + len(rows), last_line=rows[-1].line))

    async def _finish(self, uow: UnitOfWork, batch: Batch) -> Batch:
        """Complete a batch whose rows are all messages and whose messages are all final."""
        if any(count for status, count in batch.counts.items() if status not in FINALS):
            return batch
        done = await self.close(uow, replace(batch, status=BatchStatus.COMPLETED))
        await self._event(uow, done)
        return done

    async def begin(self, uow: UnitOfWork, batch: Batch) -> Batch:
        """Let a scheduled batch run once its sending time has come."""
        return await self._enter(uow, batch, _going(batch.send_at, self._clock.now()))

    async def _enter(self, uow: UnitOfWork, batch: Batch, status: BatchStatus) -> Batch:
        """Save the batch in its new status, with the event of that; unchanged when it has the status already."""
        if status is batch.status:
            return batch
        started_at = batch.started_at or (self._clock.now() if status is BatchStatus.RUNNING else None)
        batch = await self._save(uow, replace(batch, status=status, started_at=started_at))
        await self._event(uow, batch)
        return batch

    async def close(self, uow: UnitOfWork, batch: Batch) -> Batch:
        """Mark a batch as done: nothing of it will change any more."""
        return await self._save(uow, replace(batch, done_at=self._clock.now()))

    async def _save(self, uow: UnitOfWork, batch: Batch) -> Batch:
        """Write with the version guard."""
        batch = replace(batch, version=batch.version + 1, updated_at=self._clock.now())
        if not await uow.batches.update(batch):
            raise Conflict("state_conflict", param="status", status="changing")
        return batch

    async def _event(self, uow: UnitOfWork, batch: Batch) -> None:
        """Tell that the batch is in the status it has now."""
        now: datetime = self._clock.now()
        event = Event(
            workspace_id=batch.workspace_id,
            livemode=batch.livemode,
            type=_EVENT_OF[batch.status],
            object_id=batch.id,
            seq=batch.version,
            created_at=now,
            data={"status": batch.status, "total": batch.total, "invalid": batch.invalid},
        )
        await uow.events.add([event])


def _going(send_at: datetime | None, now: datetime) -> BatchStatus:
    """Return the status of a batch that may be sent: it is scheduled until its sending time."""
    return BatchStatus.SCHEDULED if send_at is not None and send_at > now else BatchStatus.RUNNING


def _row(batch_id: str, line: int, recipient: Recipient) -> BatchRow:
    return BatchRow(batch_id=batch_id, line=line, to=recipient.to, params=recipient.params, client_reference=recipient.client_reference)


def _send_of(batch: Batch, rows: Sequence[BatchRow], now: datetime) -> Send:
    """Return the batch's send for some of its rows; a sending time that has passed meanwhile means now."""
    send = msgspec.msgpack.decode(batch.send, type=Send)
    later = send.send_at is not None and send.send_at > now
    return replace(
        send, send_at=send.send_at if later else None, recipients=tuple(Recipient(row.to, row.params, row.client_reference) for row in rows)
    )


async def _find(uow: UnitOfWork, workspace_id: str, batch_id: str) -> Batch:
    batch = await uow.batches.get(batch_id)
    if batch is None or batch.workspace_id != workspace_id:
        raise Missing("batch", batch_id)
    return batch


async def _unchanged(uow: UnitOfWork, batch: Batch) -> Batch:
    """Return the batch as it is stored; `Conflict` when it has moved on, as when another upload began."""
    found = await _find(uow, batch.workspace_id, batch.id)
    if found.version != batch.version:
        raise Conflict("state_conflict", param="status", status=found.status)
    return found
