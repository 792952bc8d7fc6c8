"""Binds, the sweep: segments, tickets and deliveries whose time is over."""

import asyncio
import contextlib
from datetime import timedelta

from yanshu.domain.errors import StoreBusy
from yanshu.pipeline.bind_accept import BindIntake
from yanshu.pipeline.bind_outbox import Outbox
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store

# A ticket says whose message an inbound answers, as long as it can be taken for an answer (china-sms.md §1.4).
_TICKETS_LIVE = timedelta(hours=72)
_ROWS = 1000
_ROUND_SECONDS = 1.0


class BindSweeper:
    """Nothing of a bind is pending for ever."""

    def __init__(self, store: Store, clock: Clock, intake: BindIntake, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._outbox = outbox

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            with contextlib.suppress(StoreBusy):  # a passing fault: look again
                await self.step()
            await asyncio.sleep(_ROUND_SECONDS)

    async def step(self) -> None:
        """Do one round of everything."""
        await self._intake.sweep()
        await self._outbox.sweep()
        async with self._store.write() as uow:
            if await uow.binds.purge_tickets(self._clock.now() - _TICKETS_LIVE, _ROWS):
                await uow.commit()
