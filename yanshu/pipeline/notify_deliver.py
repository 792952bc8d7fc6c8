"""Notify, second half: deliveries become HTTP calls, many at once, and what came of them is stored in chunks.

A target that does not answer must not use up the calls that others need: a slow one has a share of the slots, and one slot
only while its last call failed. No call is made while a unit of work is open.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from yanshu.domain.errors import StoreBusy
from yanshu.domain.webhooks import Delivery
from yanshu.pipeline.notify_pack import OpenSecret, Parcel, pack
from yanshu.pipeline.notify_settle import INTERNAL, Attempt, Settler
from yanshu.pipeline.notify_view import RenderObject
from yanshu.ports.channel import HttpPoster, PostResult
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.rules.webhooks.retries import Ending
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

CONCURRENCY = 64
# While fewer slots than this are free, wait a moment for more rather than claim a handful.
_ENOUGH = CONCURRENCY // 4
_SLOW_MS = 1000
_SHARE_WHEN_SLOW = CONCURRENCY // 4
_SHARE_WHEN_FAILING = 1
# Targets remembered as slow or failing; beyond that all start afresh.
_MOST_SHARES = 10_000
_POLL_SECONDS = 1.0
_BUSY_PAUSE_SECONDS = 0.5
# Results are gathered this long, so that fast targets cost one transaction for many calls.
_GATHER_SECONDS = 0.02
# A call takes 10 s at most; the deliveries of a process that died are called again after this.
_LEASE = timedelta(seconds=30)
# A delivery whose target has no slot left is looked at again after this.
_POSTPONED = timedelta(seconds=1)


class Slots:
    """Shares the calls under way between targets: who answers fast may have all of them, others a few."""

    def __init__(self, total: int = CONCURRENCY) -> None:
        self._total = total
        self._taken: Counter[str] = Counter()
        self._shares: dict[str, int] = {}

    def free(self) -> int:
        """How many calls may be started now."""
        return self._total - self._taken.total()

    def take(self, target: str) -> bool:
        """Take a slot for `target` unless it has its share."""
        if self._taken[target] >= self._shares.get(target, self._total):
            return False
        self._taken[target] += 1
        return True

    def give_back(self, target: str) -> None:
        """Return a slot."""
        self._taken[target] -= 1
        if self._taken[target] <= 0:
            del self._taken[target]

    def judge(self, target: str, *, failed: bool, took_ms: int) -> None:
        """Set the share of a target by how its last call went."""
        if not failed and took_ms <= _SLOW_MS:
            self._shares.pop(target, None)
            return
        if len(self._shares) >= _MOST_SHARES:
            self._shares.clear()
        self._shares[target] = _SHARE_WHEN_FAILING if failed else _SHARE_WHEN_SLOW


class Deliverer:
    """Makes the calls that are due."""

    def __init__(
        self, store: Store, poster: HttpPoster, clock: Clock, open_secret: OpenSecret, render: RenderObject, metrics: Metrics
    ) -> None:
        self._store = store
        self._poster = poster
        self._clock = clock
        self._open_secret = open_secret
        self._render = render
        self._metrics = metrics
        self._settler = Settler(store, clock)
        self._slots = Slots()
        self._log = get_logger("notify")
        self._calls: set[asyncio.Task[None]] = set()
        self._done: list[Attempt] = []
        self._news = asyncio.Event()
        self._starting = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._stopping = False
        self.timeout_seconds = 10.0

    async def run(self) -> None:
        """Claim, call and store for ever. Calls under way outlive a cancellation: `drain` ends them."""
        writer = asyncio.create_task(self._write_results())
        try:
            while True:
                if not await self._start_due():
                    await self._store.wait("deliveries", _POLL_SECONDS)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def step(self) -> int:
        """Claim once, wait for these calls and store how they ended; how many calls that were."""
        parcels = await self._claim()
        self._start(parcels)
        await asyncio.gather(*self._calls)
        await self._flush()
        return len(parcels)

    async def drain(self, budget_seconds: float) -> None:
        """Start no more calls, let those under way end within the budget, and store what is known; `run` may go on or not."""
        self._stopping = True
        async with self._starting:
            pass  # a claim that was under way has started its calls by now
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=budget_seconds)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            await self._flush()
        except StoreBusy:
            return  # the leases run out and the calls are made again

    async def _start_due(self) -> bool:
        """Claim and start what the slots allow; whether to look again at once."""
        free = self._slots.free()
        if free < _ENOUGH:
            await asyncio.sleep(_GATHER_SECONDS)
            free = self._slots.free()
        if free <= 0:
            return True
        async with self._starting:
            if self._stopping:
                return False
            try:
                parcels = await self._claim()
            except StoreBusy:
                parcels = []
            self._start(parcels)
        return len(parcels) >= free

    async def _claim(self) -> list[Parcel]:
        """Take due deliveries, each with a slot, and read what their calls need."""
        now = self._clock.now()
        taken: list[Delivery] = []
        try:
            async with self._store.write() as uow:
                claimed = await uow.webhooks.claim_deliveries(now, now + _LEASE, self._slots.free())
                if not claimed:
                    return []
                taken = [delivery for delivery in claimed if self._slots.take(_target(delivery))]
                started = {delivery.id for delivery in taken}
                rest = [replace(delivery, next_at=now + _POSTPONED) for delivery in claimed if delivery.id not in started]
                if rest:
                    await uow.webhooks.save_deliveries(rest)
                await uow.commit()
            async with self._store.read() as uow:
                return await pack(uow, taken, now)
        except BaseException:
            for delivery in taken:
                self._slots.give_back(_target(delivery))
            raise

    def _start(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            call = asyncio.create_task(self._call(parcel))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, parcel: Parcel) -> None:
        """Make one call and note how it ended; whatever goes wrong is this delivery's alone."""
        target = _target(parcel.delivery)
        try:
            if parcel.problem is not None:
                result = PostResult(None, parcel.problem, None, 0)
            else:
                result = await self._post(parcel)
            attempt = Attempt(parcel.delivery, result, self._clock.now(), hopeless=parcel.problem is not None)
            self._slots.judge(target, failed=attempt.ending is not Ending.DELIVERED, took_ms=result.took_ms)
            self._metrics.webhook(attempt.ending, result.took_ms / 1000)
            self._done.append(attempt)
            self._news.set()
        finally:
            self._slots.give_back(target)

    async def _post(self, parcel: Parcel) -> PostResult:
        delivery = parcel.delivery
        try:
            body = parcel.body(self._render)
            headers = parcel.headers(body, self._open_secret, self._clock.now())
            return await self._poster.post(delivery.url, body, headers, self.timeout_seconds)
        except Exception:  # noqa: BLE001  # one odd event or secret must not stop the calls of everybody else
            self._log.exception("webhook attempt broke", delivery_id=delivery.id, workspace_id=delivery.workspace_id)
            return PostResult(None, INTERNAL, None, 0)

    async def _write_results(self) -> None:
        """Store results as they come, in chunks."""
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._news.clear()
            try:
                await self._flush()
            except StoreBusy:
                self._news.set()
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)

    async def _flush(self) -> None:
        """Store the results so far; they are let go only once they are safe, so a cancelled flush can be repeated."""
        async with self._writing:
            attempts = list(self._done)
            if not attempts:
                return
            began = self._clock.monotonic()
            await self._settler.settle(attempts)
            del self._done[: len(attempts)]
        self._metrics.committed("notify", len(attempts), self._clock.monotonic() - began)
        # The next delivery about the same object may be called only now.
        self._store.wake("deliveries")


def _target(delivery: Delivery) -> str:
    """What shares slots: an endpoint, or the URL of a callback."""
    return delivery.endpoint_id or delivery.url
