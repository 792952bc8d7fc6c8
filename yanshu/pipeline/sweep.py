"""Sweep: nothing is pending for ever. Whatever has passed its deadline takes the step its status names."""

from collections import defaultdict
from datetime import datetime, timedelta

from yanshu.domain.errors import StoreBusy, StoreStale
from yanshu.domain.messages import Message, Status
from yanshu.domain.submissions import Submission
from yanshu.pipeline.fold import events_of
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Progress
from yanshu.pipeline.reroute import Rerouter
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork

_ROWS = 1000
_BUSY_PAUSE_SECONDS = 0.5


class Sweeper:
    """Looks for overdue rows; several processes may sweep at once, each takes rows the others do not hold."""

    def __init__(self, store: Store, clock: Clock, outcome: Outcome, inbound: InboundStage, rerouter: Rerouter) -> None:
        self._store = store
        self._clock = clock
        self._outcome = outcome
        self._inbound = inbound
        self._rerouter = rerouter
        self._waits = outcome.waits
        self.orphans_live = timedelta(hours=72)

    async def run(self, interval_seconds: float) -> None:
        """Sweep for ever; a full chunk is followed by the next one at once."""
        while True:
            try:
                busy = await self.step() >= _ROWS
            except (StoreBusy, StoreStale):
                busy = False  # a passing fault, or somebody was faster: look again
            if not busy:
                await self._store.wait("sweep", interval_seconds)

    async def step(self) -> int:
        """Do one round of everything; how many rows the largest of them took."""
        now = self._clock.now()
        return max(
            await self._messages(now),
            await self._receipts(now),
            await self._parts(now),
            await self._records(now),
            await self._rerouter.step(),
        )

    async def _messages(self, now: datetime) -> int:
        """Move messages whose deadline has passed."""
        async with self._store.write() as uow:
            overdue = await uow.messages.due(now, _ROWS)
            if not overdue:
                return 0
            await self._move(uow, await self._progress(uow, overdue), now)
            await uow.commit()
        self._store.wake("events")
        self._store.wake("queue")
        return len(overdue)

    async def _progress(self, uow: UnitOfWork, overdue: list[Message]) -> list[Progress]:
        """Have a `Progress` for each; only partly delivered ones are decided by their submissions."""
        partial = [message.id for message in overdue if message.status is Status.PARTIALLY_DELIVERED]
        rows: dict[str, list[Submission]] = defaultdict(list)
        for submission in await uow.submissions.of_messages(partial) if partial else ():
            rows[submission.message_id].append(submission)
        return [Progress(message, rows[message.id], self._waits) for message in overdue]

    async def _move(self, uow: UnitOfWork, progresses: list[Progress], now: datetime) -> None:
        """Take the step of each and store those that nobody else changed first."""
        for progress in progresses:
            progress.overdue(now)
        changes = [change for progress in progresses if (change := progress.change) is not None]
        applied = await uow.messages.move(changes) if changes else set()
        await uow.events.add(events_of([p for p in progresses if p.message.id in applied], now))

    async def _receipts(self, now: datetime) -> int:
        """Try parked receipts again, and let go of orphans that nobody will claim any more."""
        async with self._store.write() as uow:
            receipts = await uow.receipts.due(now, _ROWS)
            old = [receipt for receipt in receipts if receipt.arrived_at < now - self.orphans_live]
            if old:
                await uow.receipts.remove([receipt.id for receipt in old])
            rest = [receipt for receipt in receipts if receipt.arrived_at >= now - self.orphans_live]
            if rest:
                await self._outcome.rematch(uow, rest)
            if receipts:
                await uow.commit()
        return len(receipts)

    async def _parts(self, now: datetime) -> int:
        """Give up waiting for lost parts of long inbound texts."""
        async with self._store.write() as uow:
            count = await self._inbound.give_up(uow, now, _ROWS)
            if count:
                await uow.commit()
        return count

    async def _records(self, now: datetime) -> int:
        """Forget expired idempotency records and marks, and lessons that are not worth keeping any more."""
        async with self._store.write() as uow:
            count = max(await uow.records.purge(now, _ROWS), await uow.lessons.purge(now, _ROWS))
            if count:
                await uow.commit()
        return count
