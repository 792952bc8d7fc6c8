"""/v1/events and /v1/stream: the history, page by page or as it happens."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from yanshu.domain import ids
from yanshu.domain.errors import CallerError, Missing, StoreBusy
from yanshu.domain.events import PUBLIC_TYPES, Event
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, list_of, page_of
from yanshu.edge.api.schemas.objects import show_object
from yanshu.edge.api.schemas.platform import EventOut, EventsQuery, StreamQuery
from yanshu.edge.api.schemas.shown import show_event
from yanshu.edge.exchange import Response
from yanshu.pipeline.notify_view import as_of, load_subjects
from yanshu.ports.filters import EventFilter
from yanshu.ports.store import UnitOfWork
from yanshu.rules.accounts.keys import admit
from yanshu.rules.webhooks.envelope import check_patterns, wants

T = TypeVar("T")
_CHUNK = 500
_HEARTBEAT_SECONDS = 15.0
# A key that may no longer be used ends its streams within the heartbeat; asking at every chunk would cost a query each.
_RECHECKED_SECONDS = 5.0
_UNBUFFERED = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


async def list_events(call: Call) -> Answer:
    """List events, newest first."""
    query: EventsQuery = call.query
    filters = _filters(call, query.types, query.object_id)
    async with call.services.store.read() as uow:
        rows = await uow.events.page(filters, page_of(query, ids.EVENT))
        shown = await _show(uow, rows)
    return Answer(200, list_of(rows, query, lambda row: shown[row.id]))


async def get_event(call: Call) -> Answer:
    """Return one event."""
    async with call.services.store.read() as uow:
        found = await _find(uow, call, call.ids["id"])
        return Answer(200, (await _show(uow, [found]))[found.id])


async def stream_events(call: Call) -> Response:
    """Stream events as they happen; Last-Event-ID goes on behind that event. It ends when the key is revoked or expires."""
    query: StreamQuery = call.query
    filters = _filters(call, query.types)
    last = call.request.headers.get("last-event-id")
    async with call.services.store.read() as uow:
        start = await uow.events.last_position() if last is None else (await _find(uow, call, last)).position
    return Response(200, _events(call, start, filters), b"text/event-stream; charset=utf-8", _UNBUFFERED)


async def _events(call: Call, position: int, filters: EventFilter) -> AsyncIterator[bytes]:
    """Yield events behind `position`; a comment every 15 s shows that the stream lives.

    A chunk is read when the one before has been taken: a reader that is slow costs a chunk of memory, and loses nothing.
    """
    store, watch = call.services.store, _KeyWatch(call)
    yield b": connected\n\n"
    while True:
        try:
            found = await _to_its_end(_read(call, position, filters, watch))
        except StoreBusy:
            await asyncio.sleep(1.0)
            continue
        except CallerError:
            return
        for event, shown in found:
            yield _frame(shown)
            position = event.position
        if not found and not await store.wait("events", _HEARTBEAT_SECONDS):
            yield b": heartbeat\n\n"


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that is not cut off when the reader hangs up: the pool would lose a connection that is let go in mid-query."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else may be left to ask
    return await asyncio.shield(task)


class _KeyWatch:
    """Looks every few seconds whether the caller's key may still be used; raises the refusal when it may not."""

    def __init__(self, call: Call) -> None:
        self._caller, self._clock = call.caller, call.services.clock
        self._looked = self._clock.monotonic()

    async def look(self, uow: UnitOfWork) -> None:
        if self._clock.monotonic() - self._looked >= _RECHECKED_SECONDS:
            self._looked = self._clock.monotonic()
            admit(await uow.access.key(self._caller.key_id), self._caller.address, self._clock.now())


async def _read(call: Call, position: int, filters: EventFilter, watch: _KeyWatch) -> list[tuple[Event, EventOut]]:
    """Read the next chunk of events, with their wire forms."""
    async with call.services.store.read() as uow:
        await watch.look(uow)
        found = await uow.events.after(position, _CHUNK, filters)
        shown = await _show(uow, found)
    return [(event, shown[event.id]) for event in found]


async def _show(uow: UnitOfWork, events: Sequence[Event]) -> dict[str, EventOut]:
    """Return the wire form of events by id, each with its object as it was right after it."""
    subjects = await load_subjects(uow, events)
    return {event.id: show_event(event, show_object(event, as_of(subjects.get(event.object_id), event))) for event in events}


def _frame(event: EventOut) -> bytes:
    """One event in the form of server-sent events."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), msgspec.json.encode(event))


def _filters(call: Call, types: str, object_id: str | None = None) -> EventFilter:
    """Return which events the caller asks for and may see."""
    caller = call.caller
    return EventFilter(workspace_id=caller.workspace_id, object_id=object_id, types=_types(types), livemode=caller.livemode)


def _types(text: str) -> tuple[str, ...]:
    """Return the types a comma list of patterns means; none at all for an empty list, which means every type."""
    patterns = [part.strip() for part in text.split(",") if part.strip()]
    check_patterns(patterns, "types")
    return tuple(kind for kind in PUBLIC_TYPES if wants(patterns, kind)) if patterns else ()


async def _find(uow: UnitOfWork, call: Call, ident: str) -> Event:
    found = await uow.events.get([ident])
    if not found or found[0].workspace_id != call.caller.workspace_id or found[0].livemode != call.caller.livemode:
        raise Missing("event", ident[:64])
    return found[0]


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/events",
        handler=list_events,
        scope="events:read",
        summary="List events",
        query=EventsQuery,
        answer=ListOut[EventOut],
    ),
    Endpoint(
        method="GET",
        path="/v1/events/{id:str}",
        handler=get_event,
        scope="events:read",
        summary="Get an event",
        answer=EventOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path="/v1/stream",
        handler=stream_events,
        scope="events:read",
        summary="Stream events (server-sent events)",
        query=StreamQuery,
        answer=str,
        refuses=(404,),
    ),
)
