"""/v1/messages: sending one, looking at them, taking one back."""

from collections.abc import Callable
from typing import Any

import msgspec

from yanshu.domain import ids
from yanshu.domain.commands import Dedupe, Recipient, Saved, Send
from yanshu.domain.messages import Message
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, list_of, page_of
from yanshu.edge.api.schemas.attempts import SubmissionsOut, show_submission
from yanshu.edge.api.schemas.explanations import ExplanationOut
from yanshu.edge.api.schemas.messages import (
    MessageDetailOut,
    MessageIn,
    MessageOut,
    MessageQuery,
    PreviewOut,
    RescheduleIn,
    show_message,
    show_message_detail,
    utc,
)
from yanshu.edge.api.schemas.platform import EmptyIn
from yanshu.edge.api.sending import common_fields, find_message, kept_until_sent, phone_filter
from yanshu.edge.api.writing import joining
from yanshu.ports.filters import MessageFilter


def to_send(body: MessageIn, call: Call) -> Send:
    """Return the command a request means."""
    return Send(
        recipients=(Recipient(body.to, body.params, body.client_reference),),
        unique_references=body.unique_reference,
        dedupe=Dedupe(body.dedupe.key, body.dedupe.window_s) if body.dedupe else None,
        **common_fields(body, call),
    )


async def post_message(call: Call) -> Answer:
    """Accept one message, or say what would become of it."""
    send = to_send(call.body, call)
    if call.body.dry_run:
        return await _preview(send, call)
    key = kept_until_sent(call.idempotency, send.send_at)
    accepted = await call.services.accepter.accept(send, key, lambda messages: _saved(messages, call.language))
    if accepted.replayed is not None:
        return Answer(accepted.replayed.status, accepted.replayed.body, replayed=True)
    return Answer(202, show_message(accepted.messages[0], call.language))


async def preview_message(call: Call) -> Answer:
    """Say what would be sent; nothing is stored."""
    return await _preview(to_send(call.body, call), call)


async def list_messages(call: Call) -> Answer:
    """List messages, newest first."""
    q: MessageQuery = call.query
    filters = MessageFilter(
        status=q.status,
        recipient=phone_filter(q.to, call),
        batch_id=q.batch,
        connector_id=q.connector,
        lane=q.lane,
        client_reference=q.client_reference,
        livemode=call.caller.livemode,
        created_after=utc(q.created_after),
        created_before=utc(q.created_before),
    )
    async with call.services.store.read() as uow:
        page = await uow.messages.page(call.caller.workspace_id, filters, page_of(q, ids.MESSAGE))
    return Answer(200, list_of(page.messages, q, lambda row: show_message(row, call.language), page.resume_after))


async def get_message(call: Call) -> Answer:
    """Return one message with its timeline."""
    async with call.services.store.read() as uow:
        message = await find_message(uow, call)
        submissions = await uow.submissions.of_messages([message.id])
        events = await uow.events.of_object(call.caller.workspace_id, message.id)
    return Answer(200, show_message_detail(message, submissions, events, call.language))


async def cancel_message(call: Call) -> Answer:
    """Take a message back before it leaves."""
    ident = await _check_mine(call)
    also = joining(call, "message.canceled", ident, 200, _shown_to(call))
    message = await call.services.schedule.cancel(call.caller.workspace_id, ident, also)
    return Answer(200, show_message(message, call.language), kept=True)


async def patch_message(call: Call) -> Answer:
    """Move the sending time."""
    ident = await _check_mine(call)
    also = joining(call, "message.rescheduled", ident, 200, _shown_to(call))
    send_at = utc(call.body.send_at) or call.body.send_at
    message = await call.services.schedule.reschedule(call.caller.workspace_id, ident, send_at, also)
    return Answer(200, show_message(message, call.language), kept=True)


async def explain_message(call: Call) -> Answer:
    """Tell why the message is where it is."""
    await _check_mine(call)
    told = await call.services.explainer.explain(call.caller.workspace_id, call.ids["id"], call.language)
    return Answer(200, msgspec.convert(told, ExplanationOut))


async def list_submissions(call: Call) -> Answer:
    """Return every attempt at every segment."""
    async with call.services.store.read() as uow:
        message = await find_message(uow, call)
        rows = await uow.submissions.of_messages([message.id])
    return Answer(200, SubmissionsOut(data=[show_submission(row) for row in rows]))


async def _check_mine(call: Call) -> str:
    """Return the message's id; those of another workspace, or of the other mode, do not exist."""
    async with call.services.store.read() as uow:
        return (await find_message(uow, call)).id


def _shown_to(call: Call) -> Callable[[Message], MessageOut]:
    """Return how the caller is shown a message."""
    return lambda message: show_message(message, call.language)


async def _preview(send: Send, call: Call) -> Answer:
    preview = (await call.services.accepter.preview(send))[0]
    fields: dict[str, Any] = {name: getattr(preview, name) for name in preview.__struct_fields__ if name != "recipient"}
    return Answer(200, PreviewOut(**{**fields, "to": preview.recipient}))


def _saved(messages: list[Message], language: str) -> Saved:
    return Saved(202, msgspec.json.encode(show_message(messages[0], language)))


SEND_ERRORS = (401, 403, 409, 413, 422, 429, 503)
_ONE = "/v1/messages/{id:str}"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/messages",
        handler=post_message,
        scope="messages:send",
        summary="Send one message",
        status=202,
        body=MessageIn,
        answer=MessageOut,
        other_answers=((200, PreviewOut),),
        own_replay=True,
        refuses=SEND_ERRORS,
        counted=lambda _: 1,
    ),
    Endpoint(
        method="POST",
        path="/v1/messages/preview",
        handler=preview_message,
        scope="messages:send",
        summary="Say what would be sent",
        body=MessageIn,
        answer=PreviewOut,
        refuses=SEND_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/v1/messages",
        handler=list_messages,
        scope="messages:read",
        summary="List messages",
        query=MessageQuery,
        answer=ListOut[MessageOut],
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=get_message,
        scope="messages:read",
        summary="Get a message",
        answer=MessageDetailOut,
        refuses=(404,),
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch_message,
        scope="messages:send",
        summary="Move the sending time",
        body=RescheduleIn,
        answer=MessageOut,
        refuses=(404, 409),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/cancel",
        handler=cancel_message,
        scope="messages:send",
        summary="Take a message back",
        body=EmptyIn,
        optional_body=True,
        answer=MessageOut,
        refuses=(404, 409),
    ),
    Endpoint(
        method="GET",
        path=_ONE + "/explain",
        handler=explain_message,
        scope="messages:read",
        summary="Explain what happened",
        answer=ExplanationOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path=_ONE + "/submissions",
        handler=list_submissions,
        scope="messages:read",
        summary="List submissions",
        answer=SubmissionsOut,
        refuses=(404,),
    ),
)
