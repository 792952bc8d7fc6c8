"""Batch runner: turns rows into messages, and lets the messages of paused, resumed and canceled batches follow."""

from datetime import datetime

from yanshu.domain.batches import Batch, BatchStatus
from yanshu.domain.errors import CallerError, StoreBusy
from yanshu.domain.messages import FINALS, Status
from yanshu.pipeline.batches import Batches
from yanshu.pipeline.fold import events_of
from yanshu.pipeline.progress import Progress, Waits
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork

_ROWS = 1000
_BATCHES = 200
_POLL_SECONDS = 1.0
_WORKED_ON = (BatchStatus.RUNNING, BatchStatus.SCHEDULED, BatchStatus.PAUSED, BatchStatus.CANCELED)
_NOT_LEFT = (Status.SCHEDULED, Status.QUEUED)


class BatchRunner:
    """Works on the active batches, one chunk a transaction; several processes take different batches."""

    def __init__(self, store: Store, clock: Clock, batches: Batches, waits: Waits) -> None:
        self._store = store
        self._clock = clock
        self._batches = batches
        self._waits = waits
        # Where the last look ended, so that many idle batches do not hide the others.
        self._seen: dict[BatchStatus, str | None] = {}

    async def run(self) -> None:
        """Run for ever."""
        while True:
            try:
                busy = await self.step()
            except (StoreBusy, CallerError):
                busy = False  # a conflict with a steering call or a passing fault: look again
            if not busy:
                await self._store.wait("batches", _POLL_SECONDS)

    async def step(self) -> bool:
        """Do one chunk of one batch of each status; whether there was something to do."""
        worked = [await self._one(status) for status in _WORKED_ON]
        return any(worked)

    async def _one(self, status: BatchStatus) -> bool:
        now = self._clock.now()
        async with self._store.write() as uow:
            moved = False
            batches = await uow.batches.active([status], self._seen.get(status), _BATCHES)
            self._seen[status] = batches[-1].id if len(batches) == _BATCHES else None
            for batch in batches:
                moved = await self._work(uow, batch, now) or moved
                if moved:
                    self._seen[status] = None
                    break
            if not moved:
                return False
            await uow.commit()
        self._store.wake("queue")
        self._store.wake("events")
        return True

    async def _work(self, uow: UnitOfWork, batch: Batch, now: datetime) -> bool:
        """Advance one batch by one chunk; whether anything changed."""
        if batch.status is BatchStatus.PAUSED:
            return await self._follow(uow, batch, now, _NOT_LEFT, Status.HELD)
        if batch.status is BatchStatus.CANCELED:
            return await self._take_back(uow, batch, now)
        if batch.status is BatchStatus.SCHEDULED and (await self._batches.begin(uow, batch)).version != batch.version:
            return True
        if batch.counts.get(Status.HELD) and await self._follow(uow, batch, now, (Status.HELD,), Status.QUEUED):
            return True
        return (await self._batches.expand(uow, batch, _ROWS)).version != batch.version

    async def _take_back(self, uow: UnitOfWork, batch: Batch, now: datetime) -> bool:
        """Cancel what waits, then close the batch; not while messages are on their way: they may come back to be sent again."""
        if await self._follow(uow, batch, now, (*_NOT_LEFT, Status.HELD), Status.CANCELED):
            return True
        if not FINALS.issuperset(batch.counts):
            return False
        return (await self._batches.close(uow, batch)).version != batch.version

    async def _follow(self, uow: UnitOfWork, batch: Batch, now: datetime, sources: tuple[Status, ...], target: Status) -> bool:
        """Move a chunk of the batch's messages to where the batch is."""
        messages = await uow.messages.waiting_of_batch(batch.id, sources, _ROWS)
        progresses = [Progress(message, (), self._waits) for message in messages]
        for progress in progresses:
            _step(progress, target, now)
        changes = [change for progress in progresses if (change := progress.change) is not None]
        if not changes:
            return False
        applied = await uow.messages.move(changes)
        await uow.events.add(events_of([p for p in progresses if p.message.id in applied], now))
        return bool(applied)


def _step(progress: Progress, target: Status, now: datetime) -> None:
    """Hold, release or take back one message; a release goes back to the time the message was meant for."""
    message = progress.message
    if target is Status.CANCELED:
        progress.take_back(now)
    elif target is Status.HELD:
        progress.hold(now)
    elif message.reason_code == "paused":
        later = message.send_at is not None and message.send_at > now
        status, due_at = (Status.SCHEDULED, message.send_at) if later else (Status.QUEUED, message.expires_at)
        progress.move(status, now, due_at=due_at, reason_code=None)
