"""Schedule: taking back or moving a message that has not left yet."""

from collections.abc import Callable
from datetime import datetime

from yanshu.domain.errors import Conflict, Missing
from yanshu.domain.messages import Message, Status
from yanshu.pipeline.compose import check_send_at
from yanshu.pipeline.fold import events_of
from yanshu.pipeline.progress import Progress, Waits
from yanshu.ports.clock import Clock
from yanshu.ports.joining import Also
from yanshu.ports.store import Store, UnitOfWork

_TRIES = 5
WAITING = frozenset({Status.HELD, Status.SCHEDULED, Status.QUEUED})


class Schedule:
    """Cancels and reschedules single messages."""

    def __init__(self, store: Store, clock: Clock, waits: Waits) -> None:
        self._store = store
        self._clock = clock
        self._waits = waits

    async def cancel(self, workspace_id: str, message_id: str, also: Also[Message] | None = None) -> Message:
        """Take the message back; `Conflict` state_conflict once it is on its way or final."""

        def step(progress: Progress, now: datetime) -> bool:
            return progress.move(Status.CANCELED, now, reason_code="canceled_by_caller")

        return await self._change(workspace_id, message_id, step, also)

    async def reschedule(self, workspace_id: str, message_id: str, send_at: datetime, also: Also[Message] | None = None) -> Message:
        """Move the sending time; the validity keeps its length. Only for messages that are not on their way."""
        check_send_at(send_at, self._clock.now())

        def step(progress: Progress, now: datetime) -> bool:
            message = progress.message
            life = message.expires_at - (message.send_at or message.created_at)
            start = max(send_at, now)
            status = Status.SCHEDULED if start > now else Status.QUEUED
            due_at = start if status is Status.SCHEDULED else start + life
            return progress.move(status, now, note={"send_at": send_at}, send_at=send_at, expires_at=start + life, due_at=due_at)

        return await self._change(workspace_id, message_id, step, also)

    async def _change(
        self, workspace_id: str, message_id: str, step: Callable[[Progress, datetime], bool], also: Also[Message] | None
    ) -> Message:
        """Read, take the step, write guarded; read again when somebody else was faster."""
        for _ in range(_TRIES):
            now = self._clock.now()
            async with self._store.write() as uow:
                message = await find_message(uow, workspace_id, message_id)
                if message.status not in WAITING:
                    raise Conflict("state_conflict", param="status", status=message.status)
                progress = Progress(message, (), self._waits)
                step(progress, now)
                change = progress.change
                if change is not None and await uow.messages.move([change]):
                    await uow.events.add(events_of([progress], now))
                    if also is not None:
                        await also(uow, progress.message)
                    await uow.commit()
                    self._store.wake("events")
                    self._store.wake("queue")
                    return progress.message
        raise Conflict("state_conflict", param="status", status="changing")


async def find_message(uow: UnitOfWork, workspace_id: str, message_id: str) -> Message:
    """Return the message if it is of this workspace; another workspace's is as missing as none."""
    found = await uow.messages.get([message_id])
    if not found or found[0].workspace_id != workspace_id:
        raise Missing("message", message_id)
    return found[0]
