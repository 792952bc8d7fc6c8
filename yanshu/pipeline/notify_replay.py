"""Notify, again: replays and tests. Both make new deliveries; a replay carries the ids of the old events."""

from datetime import datetime, timedelta

from msgspec import Struct

from yanshu.domain.errors import Missing
from yanshu.domain.events import Event
from yanshu.domain.webhooks import Delivery, WebhookEndpoint
from yanshu.pipeline.notify_expand import Minter
from yanshu.pipeline.notify_settle import endpoint_event
from yanshu.ports.clock import Clock
from yanshu.ports.filters import EventFilter
from yanshu.ports.joining import Also
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.webhooks.envelope import wants

_EVENTS = 1000
# An open range ends here, so that a replay ends even while events keep coming.
_NOW_AND_A_BIT = timedelta(seconds=1)
# Events stand in the order of commits; their times, of several processes, are in that order but for this.
_SKEW = timedelta(minutes=1)


class Replay(Struct, frozen=True, kw_only=True):
    """What to deliver again: these `events`, the events of this `delivery`, or those of a time range and of some types.

    Without `types` a range means the types the endpoint subscribes to. `until` is exclusive.
    """

    events: tuple[str, ...] = ()
    delivery: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    types: tuple[str, ...] = ()


class Replayer:
    """Makes deliveries on request."""

    def __init__(self, store: Store, clock: Clock, minter: Minter) -> None:
        self._store = store
        self._clock = clock
        self._minter = minter

    async def test(self, endpoint: WebhookEndpoint, also: Also[Delivery] | None = None) -> Delivery:
        """Make a `webhook.test` event for this endpoint alone; the delivery that will carry it."""
        async with self._store.write() as uow:
            event = await uow.events.append(await endpoint_event(uow, self._clock, endpoint, "webhook.test", {"url": endpoint.url}))
            (delivery,) = self._minter.deliveries([[event]], endpoint.url, endpoint.id)
            await uow.webhooks.add_deliveries([delivery])
            if also is not None:
                await also(uow, delivery)
            await uow.commit()
        self._store.wake("deliveries")
        return delivery

    async def replay(self, endpoint: WebhookEndpoint, wish: Replay, also: Also[int] | None = None) -> int:
        """Deliver old events again; how many events. Raises `Missing` for ids that are not this workspace's."""
        if wish.events:
            count = await self._named(endpoint, wish.events, also)
        elif wish.delivery is not None:
            count = await self._named(endpoint, await self._events_of(endpoint, wish.delivery), also)
        else:
            count = await self._range(endpoint, wish, also)
        if count:
            self._store.wake("deliveries")
        return count

    async def _events_of(self, endpoint: WebhookEndpoint, delivery_id: str) -> tuple[str, ...]:
        async with self._store.read() as uow:
            delivery = await uow.webhooks.delivery(delivery_id)
        if delivery is None or delivery.workspace_id != endpoint.workspace_id or delivery.endpoint_id != endpoint.id:
            raise Missing("delivery", delivery_id)
        return delivery.events

    async def _named(self, endpoint: WebhookEndpoint, wanted: tuple[str, ...], also: Also[int] | None) -> int:
        """Deliver these events, in the order in which they happened."""
        async with self._store.write() as uow:
            known = {event.id: event for event in await uow.events.get(wanted) if _is_of(event, endpoint)}
            for ident in wanted:
                if ident not in known:
                    raise Missing("event", ident)
            await self._add(uow, endpoint, sorted(known.values(), key=lambda event: event.position))
            if also is not None:
                await also(uow, len(known))
            await uow.commit()
        return len(known)

    async def _range(self, endpoint: WebhookEndpoint, wish: Replay, also: Also[int] | None) -> int:
        """Deliver a time range, a chunk a unit of work, in the order in which the events happened.

        `also` joins the last chunk: a range that broke off may be asked for again, and brings the same event ids.
        """
        filters = EventFilter(workspace_id=endpoint.workspace_id, livemode=endpoint.livemode)
        end = wish.until or self._clock.now() + _NOW_AND_A_BIT
        count, position = 0, 0
        if wish.since is not None:
            async with self._store.read() as uow:
                position = await uow.events.position_before(endpoint.workspace_id, wish.since)
        while True:
            async with self._store.write() as uow:
                events = await uow.events.after(position, _EVENTS, filters)
                chosen = [event for event in events if _is_within(event, wish.since, end) and _is_wanted(event, endpoint, wish)]
                if chosen:
                    await self._add(uow, endpoint, chosen)
                count += len(chosen)
                is_last = len(events) < _EVENTS or events[-1].created_at >= end + _SKEW
                if is_last and also is not None:
                    await also(uow, count)
                await uow.commit()
            if is_last:
                return count
            position = events[-1].position

    async def _add(self, uow: UnitOfWork, endpoint: WebhookEndpoint, events: list[Event]) -> None:
        size = max(1, endpoint.batch_max)
        groups = [events[start : start + size] for start in range(0, len(events), size)]
        await uow.webhooks.add_deliveries(self._minter.deliveries(groups, endpoint.url, endpoint.id))


def _is_of(event: Event, endpoint: WebhookEndpoint) -> bool:
    return event.workspace_id == endpoint.workspace_id and event.livemode == endpoint.livemode


def _is_within(event: Event, since: datetime | None, end: datetime) -> bool:
    return (since is None or event.created_at >= since) and event.created_at < end


def _is_wanted(event: Event, endpoint: WebhookEndpoint, wish: Replay) -> bool:
    """Whether a range includes this event; old tests are never repeated by a range."""
    return event.type != "webhook.test" and wants(wish.types or endpoint.events, event.type)
