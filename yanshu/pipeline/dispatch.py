"""Dispatch: for one link, claim what its wire can take now, and write it.

The claim is the durable intent to submit: a message is `submitting` only from just before it is written. So a claim is
never larger than the free window, and after a crash only what may really have been written becomes `unknown`.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lanes import LANE_ORDER
from yanshu.pipeline.outcome import Outcome
from yanshu.ports.carrier import Carrier
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.runtime.metrics import Metrics

SEGMENTS_A_CLAIM = 1000
_IDLE_SECONDS = 1.0
_BUSY_PAUSE_SECONDS = 0.25
# While the window is nearly full, wait this long for more permits rather than claim a handful.
_GATHER_SECONDS = 0.005


class Dispatcher:
    """Feeds one link."""

    def __init__(self, store: Store, clock: Clock, outcome: Outcome, metrics: Metrics, lease_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._outcome = outcome
        self._metrics = metrics
        self._lease = timedelta(seconds=lease_seconds)

    async def run(self, carrier: Carrier, window: int, news: asyncio.Event) -> None:
        """Claim and submit until cancelled. `news` is set when permits may be free or the queue may have work."""
        enough = max(1, min(window, SEGMENTS_A_CLAIM) // 4)
        while True:
            news.clear()
            free = carrier.free()
            if self._outcome.is_behind or 0 < free < enough:
                await asyncio.sleep(_GATHER_SECONDS)
                free = carrier.free()
            if self._outcome.is_behind:
                continue
            if free <= 0 or not await _whole(self._step(carrier, free)):
                await _wait(news, _IDLE_SECONDS)

    async def _step(self, carrier: Carrier, free: int) -> bool:
        """One claim and submit; whether there may be more work at once."""
        now = self._clock.now()
        try:
            async with self._store.write() as uow:
                budget = min(free, SEGMENTS_A_CLAIM)
                messages = await uow.claim(carrier.connector_id, LANE_ORDER, budget, now, now + self._lease)
        except StoreBusy:
            await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            return True
        if not messages:
            return False
        self._outcome.expect(messages)
        carrier.submit(messages)
        self._metrics.claimed(len(messages))
        return True


async def _whole(step: Coroutine[Any, Any, bool]) -> bool:
    """Do a step to its end even when cancelled in the middle: what was claimed must reach the carrier, or nobody knows of it."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _wait(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return
