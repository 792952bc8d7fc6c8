"""Notify, first half: events become deliveries, one unit of work for the rows and for how far we have read.

Each endpoint has a position of its own, so one that was just made, disabled or slow holds nobody up. Per-message callbacks
share one position. Order is the order of ids: a delivery made later has a greater id than every one before it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from yanshu.domain import ids
from yanshu.domain.events import PUBLIC_TYPES, Event
from yanshu.domain.webhooks import Delivery, DeliveryStatus, WebhookEndpoint
from yanshu.ports.clock import Clock
from yanshu.ports.filters import EventFilter
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.webhooks.envelope import wants

_EVENTS = 1000
_ENDPOINTS = 20
_LONGEST_BATCH_WAIT = timedelta(seconds=60)
# A test goes to the endpoint it was asked for and to nobody else.
_BROADCAST = tuple(kind for kind in PUBLIC_TYPES if kind != "webhook.test")


# A thousand transactions (see `Event.position`): what a new process looks through again is little.
_UNSAVED = 1000 << 20
_CALLED_BACK = EventFilter(called_back=True)


class Minter:
    """Makes deliveries whose ids ascend, even when two chunks fall into one millisecond or the clock steps back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=UTC)

    def deliveries(self, groups: Sequence[Sequence[Event]], url: str, endpoint_id: str | None) -> list[Delivery]:
        """Return one pending delivery for each group of events (none of them empty)."""
        return self.make([(group, url) for group in groups], endpoint_id)

    def make(self, calls: Sequence[tuple[Sequence[Event], str]], endpoint_id: str | None) -> list[Delivery]:
        """Return one pending delivery for each group of events and its URL."""
        if not calls:
            return []
        now = self._clock.now()
        idents = ids.make_ids(ids.DELIVERY, len(calls), self._moment(now), self._clock.entropy(ids.ENTROPY_BYTES))
        return [
            Delivery(
                id=ident,
                workspace_id=events[0].workspace_id,
                endpoint_id=endpoint_id,
                url=url,
                events=tuple(event.id for event in events),
                objects=tuple(event.object_id for event in events),
                status=DeliveryStatus.PENDING,
                created_at=now,
                updated_at=now,
                next_at=now,
            )
            for ident, (events, url) in zip(idents, calls, strict=True)
        ]

    def _moment(self, now: datetime) -> datetime:
        """Return a millisecond that no chunk of this process has used."""
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return self._last


class Expander:
    """Turns what happened into calls to be made."""

    def __init__(self, store: Store, clock: Clock, minter: Minter) -> None:
        self._store = store
        self._clock = clock
        self._minter = minter
        self.linger_seconds: float | None = None
        """After a step: in how many seconds an incomplete batch has waited long enough; None when none waits."""
        self.has_more = False
        """After a step: whether a chunk was full, so that the next step has work at once."""
        # How far callbacks have been read, and how far the store says so.
        self._seen = self._saved = -1

    async def step(self) -> int:
        """Do one chunk for every endpoint that is behind, and for callbacks; how many deliveries were made."""
        self.linger_seconds, self.has_more = None, False
        if await self._is_idle():
            return 0
        async with self._store.write() as uow:
            last = await uow.events.last_position()
            made, reached = await self._callbacks(uow, last)
            for endpoint in await uow.webhooks.behind(last, _ENDPOINTS):
                more, position = await self._endpoint(uow, endpoint, last)
                made += more
                if position > endpoint.position:
                    await uow.webhooks.advance(endpoint.id, position)
            if made:
                await uow.webhooks.add_deliveries(made)
            await uow.commit()
        self._seen = self._saved = reached
        if made:
            self._store.wake("deliveries")
        return len(made)

    async def _is_idle(self) -> bool:
        """Look, without writing, whether nobody wants to hear of what is new; how far we looked is stored now and then only."""
        async with self._store.read() as uow:
            last = await uow.events.last_position()
            if self._seen < 0 or last - self._saved >= _UNSAVED or await uow.webhooks.is_any_behind(last):
                return False
            if last > self._seen and await uow.events.after(self._seen, 1, _CALLED_BACK):
                return False
        self._seen = last
        return True

    async def _callbacks(self, uow: UnitOfWork, last: int) -> tuple[list[Delivery], int]:
        """Read on for per-message callbacks; the deliveries, and the position reached."""
        position = await uow.webhooks.callbacks_position()
        if position >= last:
            return [], position
        events = await uow.events.after(position, _EVENTS, _CALLED_BACK)
        reached = self._reached(events, last)
        await uow.webhooks.advance_callbacks(reached)
        calls = [([event], event.callback_url or "") for event in events if wants((), event.type)]
        return self._minter.make(calls, None), reached

    async def _endpoint(self, uow: UnitOfWork, endpoint: WebhookEndpoint, last: int) -> tuple[list[Delivery], int]:
        """Read on for one endpoint; its deliveries and the position reached."""
        types = tuple(kind for kind in _BROADCAST if wants(endpoint.events, kind))
        if not types:
            return [], last
        filters = EventFilter(workspace_id=endpoint.workspace_id, types=types, livemode=endpoint.livemode)
        events = await uow.events.after(endpoint.position, _EVENTS, filters)
        size = max(1, endpoint.batch_max)
        groups = [events[start : start + size] for start in range(0, len(events), size)]
        position = self._reached(events, last)
        if groups and len(groups[-1]) < size and self._must_wait(endpoint, groups[-1][0]):
            tail = groups.pop()
            position = tail[0].position - 1
        return self._minter.deliveries(groups, endpoint.url, endpoint.id), position

    def _must_wait(self, endpoint: WebhookEndpoint, oldest: Event) -> bool:
        """Whether an incomplete batch may still grow; notes when it is time."""
        patience = min(timedelta(milliseconds=endpoint.batch_ms), _LONGEST_BATCH_WAIT)
        left = (oldest.created_at + patience - self._clock.now()).total_seconds()
        if left <= 0:
            return False
        self.linger_seconds = left if self.linger_seconds is None else min(self.linger_seconds, left)
        return True

    def _reached(self, events: Sequence[Event], last: int) -> int:
        """How far has been read: to the last event of a full chunk, else to the end (or past it, by what came meanwhile)."""
        if len(events) >= _EVENTS:
            self.has_more = True
            return events[-1].position
        return max(last, events[-1].position) if events else last
