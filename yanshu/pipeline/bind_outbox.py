"""Binds, the outbox: what is owed is claimed for a session, and forgotten only once the customer has acknowledged it.

At least once: what was not acknowledged is delivered again, to any session of the bind in any process, until somebody takes
it or its time is over. A process that dies lets go of what it had claimed when the lease ends.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from yanshu.domain.binds import BindDelivery
from yanshu.domain.errors import StoreBusy
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

# Longer than any session waits for an acknowledgement.
_LEASE = timedelta(seconds=60)
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)
_DOUBLINGS = 6
# Acknowledgements are gathered this long, so that a busy bind costs one transaction for many.
_GATHER_SECONDS = 0.02
_BUSY_PAUSE_SECONDS = 0.5
_ROWS = 1000


class Outbox:
    """Gives out what is owed and notes what became of it."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._done: list[str] = []
        self._put_off: list[BindDelivery] = []
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self._log = get_logger("binds")

    async def with_due(self, bind_ids: Sequence[str]) -> set[str]:
        """Return which of these binds have something to be delivered now."""
        async with self._store.read() as uow:
            return await uow.binds.with_due(bind_ids, self._clock.now())

    async def claim(self, bind_id: str, limit: int) -> list[BindDelivery]:
        """Take up to `limit` deliveries of a bind, in order; each is to be given back by one of the methods below."""
        now = self._clock.now()
        async with self._store.write() as uow:
            claimed = await uow.binds.claim_deliveries(bind_id, now, now + _LEASE, limit)
            if claimed:
                await uow.commit()
        return claimed

    def acknowledged(self, delivery: BindDelivery) -> None:
        """The customer has it."""
        self._end(delivery, "acknowledged")

    def refused(self, delivery: BindDelivery, status: int) -> None:
        """The customer will never take it: what it said is final."""
        self._end(delivery, "refused")
        self._log.warning("a customer refused what it is owed", bind_id=delivery.bind_id, object_id=delivery.object_id, status=status)

    def put_off(self, delivery: BindDelivery) -> None:
        """The customer could not take it now, or did not answer: again after a pause that grows."""
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(delivery.attempts, _DOUBLINGS))
        again = replace(delivery, attempts=delivery.attempts + 1, next_at=self._clock.now() + pause)
        self._put_off.append(again)
        self._metrics.bind_delivery("put_off")
        self._news.set()

    def put_back(self, deliveries: Iterable[BindDelivery]) -> None:
        """The session ended before the answer: any other session may have them at once."""
        now = self._clock.now()
        self._put_off += [replace(delivery, next_at=now) for delivery in deliveries]
        self._news.set()

    async def run(self) -> None:
        """Store what became of deliveries, in chunks, for ever."""
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._news.clear()
            try:
                await self.flush()
            except StoreBusy:
                self._news.set()
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)

    async def flush(self) -> None:
        """Store what is known so far; it is let go only once it is safe, so a cancelled flush can be repeated."""
        async with self._writing:
            done, put_off = list(self._done), list(self._put_off)
            if not done and not put_off:
                return
            async with self._store.write() as uow:
                await uow.binds.remove_deliveries(done)
                await uow.binds.postpone_deliveries(put_off)
                await uow.commit()
            del self._done[: len(done)]
            del self._put_off[: len(put_off)]
        if put_off:
            self._store.wake("binds")

    async def sweep(self) -> int:
        """Give up what nobody came for in time; how much."""
        async with self._store.write() as uow:
            expired = await uow.binds.expired_deliveries(self._clock.now(), _ROWS)
            if not expired:
                return 0
            await uow.binds.remove_deliveries([delivery.id for delivery in expired])
            await uow.commit()
        for bind_id in sorted({delivery.bind_id for delivery in expired}):
            count = sum(delivery.bind_id == bind_id for delivery in expired)
            self._log.warning("what a bind was owed has expired", bind_id=bind_id, count=count)
        self._metrics.bind_delivery("expired", len(expired))
        return len(expired)

    def _end(self, delivery: BindDelivery, result: str) -> None:
        self._done.append(delivery.id)
        self._metrics.bind_delivery(result)
        self._news.set()
