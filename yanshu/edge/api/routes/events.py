"""/v1/events and /v1/stream: the history, page by page or as it happens."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar.response import Stream

from yanshu.domain.errors import Missing, StoreBusy
from yanshu.domain.events import Event
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, list_of, page_of
from yanshu.edge.api.schemas.platform import EventOut, EventsQuery
from yanshu.edge.api.schemas.shown import show_event
from yanshu.ports.filters import EventFilter

_CHUNK = 500
_HEARTBEAT_SECONDS = 15.0


async def list_events(call: Call) -> Answer:
    """List events, newest first."""
    query: EventsQuery = call.query
    async with call.services.store.read() as uow:
        rows = await uow.events.page(_filters(call), page_of(query))
    return Answer(200, list_of(rows, query, show_event))


async def get_event(call: Call) -> Answer:
    """Return one event."""
    return Answer(200, show_event(await _find(call, call.ids["id"])))


async def stream_events(call: Call) -> Stream:
    """Stream events as they happen; Last-Event-ID goes on behind that event."""
    last = call.request.headers.get("last-event-id")
    async with call.services.store.read() as uow:
        start = await uow.events.last_position() if last is None else (await _find(call, last)).position
    headers = {"Request-Id": call.request_id, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_events(call, start), media_type="text/event-stream", headers=headers)


async def _events(call: Call, position: int) -> AsyncIterator[bytes]:
    """Yield events behind `position` for ever; a comment every 15 s shows that the stream lives."""
    store, filters = call.services.store, _filters(call)
    yield b": connected\n\n"
    while True:
        try:
            async with store.read() as uow:
                found = await uow.events.after(position, _CHUNK, filters)
        except StoreBusy:
            await asyncio.sleep(1.0)
            continue
        for event in found:
            yield _frame(event)
            position = event.position
        if not found and not await store.wait("events", _HEARTBEAT_SECONDS):
            yield b": heartbeat\n\n"


def _frame(event: Event) -> bytes:
    """One event in the form of server-sent events."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), msgspec.json.encode(show_event(event)))


def _filters(call: Call) -> EventFilter:
    query: EventsQuery = call.query
    types = tuple(part.strip() for part in query.types.split(",") if part.strip())
    return EventFilter(workspace_id=call.caller.workspace_id, object_id=query.object_id, types=types, livemode=call.caller.livemode)


async def _find(call: Call, ident: str) -> Event:
    async with call.services.store.read() as uow:
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
        query=EventsQuery,
        answer=str,
        refuses=(404,),
    ),
)
