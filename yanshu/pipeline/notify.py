"""Notify: events become webhooks. Expanding (what to call) and delivering (calling) go on side by side.

At least once: an event is called for again until somebody answered 2xx or the retry plan ends, always with the same
`webhook-id`. Calls about one object keep their order per endpoint; other objects do not wait for them.
"""

import asyncio

from yanshu.domain.errors import StoreBusy
from yanshu.domain.webhooks import Delivery, WebhookEndpoint
from yanshu.pipeline.notify_deliver import Deliverer
from yanshu.pipeline.notify_expand import Expander, Minter
from yanshu.pipeline.notify_pack import OpenSecret
from yanshu.pipeline.notify_replay import Replay, Replayer
from yanshu.pipeline.notify_view import RenderObject, Subject
from yanshu.ports.channel import HttpPoster
from yanshu.ports.clock import Clock
from yanshu.ports.joining import Also
from yanshu.ports.store import Store
from yanshu.runtime.metrics import Metrics

__all__ = ["Notifier", "OpenSecret", "RenderObject", "Replay", "Subject"]

_POLL_SECONDS = 1.0
_BUSY_PAUSE_SECONDS = 0.5
# Between two chunks: let more events gather, so that a busy pipeline is not followed commit by commit.
_GATHER_SECONDS = 0.02


class Notifier:
    """Tells customers what happened, by webhook."""

    def __init__(
        self, store: Store, poster: HttpPoster, clock: Clock, open_secret: OpenSecret, render: RenderObject, metrics: Metrics
    ) -> None:
        self._store = store
        minter = Minter(clock)
        self._expander = Expander(store, clock, minter)
        self._deliverer = Deliverer(store, poster, clock, open_secret, render, metrics)
        self._replayer = Replayer(store, clock, minter)

    @property
    def timeout_seconds(self) -> float:
        """How long one call may take."""
        return self._deliverer.timeout_seconds

    @timeout_seconds.setter
    def timeout_seconds(self, seconds: float) -> None:
        self._deliverer.timeout_seconds = seconds

    async def run(self) -> None:
        """Expand and deliver for ever; when one half breaks the other is ended too, and the error is the caller's."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._expand())
            group.create_task(self._deliverer.run())

    async def stop(self, budget_seconds: float) -> None:
        """Start no more calls, let those under way end within the budget and store how they ended; then cancel `run`."""
        await self._deliverer.drain(budget_seconds)

    async def step_expand(self) -> int:
        """Turn one chunk of events into deliveries; how many deliveries."""
        return await self._expander.step()

    async def step_deliver(self) -> int:
        """Make the calls that are due now and wait for their end; how many calls."""
        return await self._deliverer.step()

    async def send_test(self, endpoint: WebhookEndpoint, also: Also[Delivery] | None = None) -> Delivery:
        """Have a `webhook.test` event called to this endpoint alone; the pending delivery."""
        return await self._replayer.test(endpoint, also)

    async def replay(self, endpoint: WebhookEndpoint, wish: Replay, also: Also[int] | None = None) -> int:
        """Have old events called again, with their old ids; how many. Raises `Missing` for foreign or unknown ids."""
        return await self._replayer.replay(endpoint, wish, also)

    async def _expand(self) -> None:
        while True:
            try:
                await self._expander.step()
            except StoreBusy:
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
                continue
            if not self._expander.has_more:
                linger = self._expander.linger_seconds
                await self._store.wait("events", _POLL_SECONDS if linger is None else min(linger, _POLL_SECONDS))
            await asyncio.sleep(_GATHER_SECONDS)
