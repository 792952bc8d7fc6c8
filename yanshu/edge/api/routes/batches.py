"""/v1/batches: many messages by one request or by an upload of any size."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from yanshu.domain import ids
from yanshu.domain.batches import Batch
from yanshu.domain.commands import Recipient, Saved, Send
from yanshu.domain.errors import Invalid, Missing
from yanshu.domain.messages import Status
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, PageQuery, list_of, page_of
from yanshu.edge.api.schemas.batches import (
    BatchOut,
    BatchPreviewOut,
    BatchRowOut,
    BatchRowsQuery,
    show_batch,
    show_preview,
    show_row,
)
from yanshu.edge.api.schemas.messages import BatchIn, MessageOut, show_message
from yanshu.edge.api.schemas.platform import EmptyIn
from yanshu.edge.api.sending import common_fields, kept_until_sent
from yanshu.edge.api.uploads import read_rows
from yanshu.edge.api.writing import joining
from yanshu.ports.filters import MessageFilter
from yanshu.ports.joining import Also
from yanshu.ports.store import UnitOfWork

Step = Callable[[str, str, Also[Batch]], Awaitable[Batch]]
_LINE = re.compile(r"[0-9]{1,9}")


async def post_batch(call: Call) -> Answer:
    """Make a batch; its recipients are sent at once unless `start` is false."""
    body: BatchIn = call.body
    recipients = tuple(Recipient(r.to, r.params, r.client_reference) for r in body.recipients)
    send = Send(recipients=recipients, **common_fields(body, call))
    start = body.start and bool(recipients)
    key = kept_until_sent(call.idempotency, send.send_at)
    batch, saved = await call.services.batches.create(send, start=start, metadata=body.metadata, idempotency=key, render=_saved)
    return Answer(saved.status, saved.body, replayed=True) if saved else Answer(202, show_batch(batch))


async def put_recipients(call: Call) -> Answer:
    """Take the rows of a file, streamed; rows that cannot be read are kept with line and reason."""
    await _check_mine(call)
    rows = read_rows(call.request, call.ids["id"])
    return Answer(200, show_batch(await call.services.batches.upload(call.caller.workspace_id, call.ids["id"], rows)))


async def preview_batch(call: Call) -> Answer:
    """Show what the first rows would become, and the first bad rows."""
    await _check_mine(call)
    return Answer(200, show_preview(await call.services.batches.preview(call.caller.workspace_id, call.ids["id"]), call.language))


async def start_batch(call: Call) -> Answer:
    """Begin to send."""
    return await _steer(call, call.services.batches.start, "batch.started")


async def pause_batch(call: Call) -> Answer:
    """Hold what has not left yet."""
    return await _steer(call, call.services.batches.pause, "batch.paused")


async def resume_batch(call: Call) -> Answer:
    """Go on."""
    return await _steer(call, call.services.batches.resume, "batch.resumed")


async def cancel_batch(call: Call) -> Answer:
    """Take back what has not left yet."""
    return await _steer(call, call.services.batches.cancel, "batch.canceled")


async def _steer(call: Call, step: Step, action: str) -> Answer:
    """Take a step of the batch; the audit entry and the answer for replays are part of it."""
    ident = (await _check_mine(call)).id
    batch = await step(call.caller.workspace_id, ident, joining(call, action, ident, 200, show_batch))
    return Answer(200, show_batch(batch), kept=True)


async def list_batches(call: Call) -> Answer:
    """List batches, newest first."""
    async with call.services.store.read() as uow:
        rows = await uow.batches.page(call.caller.workspace_id, call.caller.livemode, page_of(call.query, ids.BATCH))
    return Answer(200, list_of(rows, call.query, show_batch))


async def get_batch(call: Call) -> Answer:
    """Return one batch with its counters."""
    return Answer(200, show_batch(await _check_mine(call)))


async def list_recipients(call: Call) -> Answer:
    """List the batch's messages, or (status=invalid) the rows that could not be read."""
    query: BatchRowsQuery = call.query
    async with call.services.store.read() as uow:
        batch = await _find(uow, call)
        if query.status == "invalid":
            return Answer(200, await _bad_rows(uow, batch, query, call.language))
        filters = MessageFilter(batch_id=batch.id, status=Status(query.status) if query.status else None)
        page = await uow.messages.page(call.caller.workspace_id, filters, page_of(query, ids.MESSAGE))
    return Answer(200, list_of(page.messages, query, lambda row: show_message(row, call.language), page.resume_after))


async def _bad_rows(uow: UnitOfWork, batch: Batch, query: BatchRowsQuery, language: str) -> ListOut[Any]:
    """A page of bad rows; their cursor is the line number."""
    if query.cursor is not None and not _LINE.fullmatch(query.cursor):
        raise Invalid("parameter_invalid", param="cursor", fix="next_cursor of an earlier page")
    after = int(query.cursor or 0)
    rows = await uow.batches.rows(batch.id, after, query.limit + 1, good=False)
    shown, more = rows[: query.limit], len(rows) > query.limit
    return ListOut([show_row(row, language) for row in shown], more, str(shown[-1].line) if more else None)


async def _check_mine(call: Call) -> Batch:
    async with call.services.store.read() as uow:
        return await _find(uow, call)


async def _find(uow: UnitOfWork, call: Call) -> Batch:
    """Return the batch the path names, if it is the caller's."""
    batch = await uow.batches.get(call.ids["id"])
    if batch is None or batch.workspace_id != call.caller.workspace_id or batch.livemode != call.caller.livemode:
        raise Missing("batch", call.ids["id"][:64])
    return batch


def _saved(batch: Batch) -> Saved:
    return Saved(202, msgspec.json.encode(show_batch(batch)))


_ONE = "/v1/batches/{id:str}"
_ERRORS = (404, 409)


def _action(name: str, handler: Any, summary: str) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"{_ONE}/{name}",
        handler=handler,
        scope="batches:write",
        summary=summary,
        body=EmptyIn,
        optional_body=True,
        answer=BatchPreviewOut if name == "preview" else BatchOut,
        refuses=_ERRORS,
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/batches",
        handler=post_batch,
        scope="batches:write",
        summary="Make a batch",
        status=202,
        body=BatchIn,
        answer=BatchOut,
        own_replay=True,
        refuses=(409, 413, 422),
        counted=lambda body: max(1, len(body.recipients)),
    ),
    Endpoint(
        method="GET",
        path="/v1/batches",
        handler=list_batches,
        scope="batches:read",
        summary="List batches",
        query=PageQuery,
        answer=ListOut[BatchOut],
    ),
    Endpoint(method="GET", path=_ONE, handler=get_batch, scope="batches:read", summary="Get a batch", answer=BatchOut, refuses=(404,)),
    Endpoint(
        method="PUT",
        path=_ONE + "/recipients",
        handler=put_recipients,
        scope="batches:write",
        summary="Upload recipients (NDJSON or CSV)",
        raw_body=True,
        own_replay=True,
        answer=BatchOut,
        refuses=_ERRORS,
    ),
    Endpoint(
        method="GET",
        path=_ONE + "/recipients",
        handler=list_recipients,
        scope="batches:read",
        summary="List a batch's messages or bad rows",
        query=BatchRowsQuery,
        answer=ListOut[MessageOut],
        other_answers=((200, ListOut[BatchRowOut]),),
        refuses=(404,),
    ),
    _action("preview", preview_batch, "Preview a batch"),
    _action("start", start_batch, "Start a batch"),
    _action("pause", pause_batch, "Pause a batch"),
    _action("resume", resume_batch, "Resume a batch"),
    _action("cancel", cancel_batch, "Cancel a batch"),
)
