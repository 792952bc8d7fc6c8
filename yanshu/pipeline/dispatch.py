"""Dispatch: for one link, claim what its wire can take now, and write it.

The claim is the durable intent to submit: a message is `submitting` only from just before it is written. So a claim is
never larger than the free window, and after a crash only what may really have been written becomes `unknown`.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lanes import LANE_ORDER, Lane
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.senders import Senders
from yanshu.ports.carrier import Carrier
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.runtime.metrics import Metrics

SEGMENTS_A_CLAIM = 1000
_IDLE_SECONDS = 1.0
_BUSY_PAUSE_SECONDS = 0.25
# While the window is nearly full, wait this long for more permits rather than claim a handful.
_GATHER_SECONDS = 0.005
_URGENT = (Lane.OTP,)
# The part of a window that is kept for the urgent lane; a window of fewer permits than this has none to spare.
_RESERVED_SHARE = 10


class Ears(Struct):
    """What one feeder of a link waits for: work in the queue, or permits."""

    queued: asyncio.Event
    opened: asyncio.Event


class Bell:
    """Wakes the two feeders of a link; the urgent one only for its own kind of work, or it would ask the store in vain for all other."""

    def __init__(self) -> None:
        self.everything = Ears(asyncio.Event(), asyncio.Event())
        self.urgent = Ears(asyncio.Event(), asyncio.Event())

    def queued(self) -> None:
        """There may be work."""
        self.everything.queued.set()

    def queued_urgently(self) -> None:
        """There may be an OTP."""
        self.urgent.queued.set()

    def opened(self) -> None:
        """Permits may be free."""
        self.everything.opened.set()
        self.urgent.opened.set()


class _Feed(Struct):
    """A link as its feeders share it; `claiming` segments are being claimed and not yet with the carrier."""

    carrier: Carrier
    enough: int
    claiming: int = 0

    def room(self, reserve: int) -> int:
        """Segments that may be claimed now without using the last `reserve` permits."""
        return self.carrier.free(reserve) - self.claiming


class Dispatcher:
    """Feeds links. Each has two feeders: one for everything, by lane, and one that lets an OTP past a large claim.

    The first leaves a tenth of the window free. So an OTP waits neither for the permits of a campaign nor for the store to
    finish claiming a thousand of its messages.
    """

    def __init__(self, store: Store, clock: Clock, outcome: Outcome, senders: Senders, metrics: Metrics, lease_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._outcome = outcome
        self._senders = senders
        self._metrics = metrics
        self._lease = timedelta(seconds=lease_seconds)

    async def run(self, carrier: Carrier, window: int, bell: Bell) -> None:
        """Claim and submit until cancelled. `bell` rings when permits may be free or the queue may have work."""
        feed = _Feed(carrier, max(1, min(window, SEGMENTS_A_CLAIM) // 4))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed(feed, LANE_ORDER, window // _RESERVED_SHARE, bell.everything))
            group.create_task(self._feed(feed, _URGENT, 0, bell.urgent))

    async def _feed(self, feed: _Feed, lanes: Sequence[Lane], reserve: int, ears: Ears) -> None:
        """Keep the link busy with messages of these lanes, leaving `reserve` permits to others."""
        while True:
            ears.queued.clear()
            ears.opened.clear()
            room = feed.room(reserve)
            if self._outcome.is_behind or (reserve and 0 < room < feed.enough):
                await asyncio.sleep(_GATHER_SECONDS)
                room = feed.room(reserve)
            if self._outcome.is_behind:
                continue
            if room <= 0:
                await _wait(ears.opened, _IDLE_SECONDS)
            elif not await _whole(self._step(feed, lanes, min(room, SEGMENTS_A_CLAIM))):
                await _wait(ears.queued, _IDLE_SECONDS)

    async def _step(self, feed: _Feed, lanes: Sequence[Lane], budget: int) -> bool:
        """One claim and submit; whether there may be more work at once."""
        now = self._clock.now()
        feed.claiming += budget
        try:
            async with self._store.write() as uow:
                messages = await uow.claim(feed.carrier.connector_id, lanes, budget, now, now + self._lease)
        except StoreBusy:
            await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            return True
        finally:
            feed.claiming -= budget
        if not messages:
            return False
        self._outcome.expect(messages)
        feed.carrier.submit(self._senders.over(messages, feed.carrier.connector_id))
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
