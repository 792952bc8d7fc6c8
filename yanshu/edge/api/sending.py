"""What the routes that send share: common fields of a send, and finding a message that is the caller's."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from yanshu.domain.commands import Idempotency
from yanshu.domain.errors import CallerError, Invalid, Missing
from yanshu.domain.messages import Message
from yanshu.edge.api.endpoints import Call
from yanshu.edge.api.schemas.messages import BatchIn, MessageIn, utc
from yanshu.ports.store import UnitOfWork
from yanshu.rules.contacts.phones import parse_phone
from yanshu.rules.webhooks.targets import check_url

_KEPT = timedelta(hours=24)
_FARTHEST = timedelta(days=366)


def common_fields(body: MessageIn | BatchIn, call: Call) -> dict[str, Any]:
    """Return the fields of a `Send` that single messages and batches give alike."""
    if body.callback_url is not None:
        check_url(body.callback_url, call.services.webhook_allow, param="callback_url")
    return {
        "workspace_id": call.caller.workspace_id,
        "livemode": call.caller.livemode,
        "text": body.text,
        "lane": body.lane,
        "signature": body.signature,
        "sender": body.sender,
        "extension": body.extension,
        "send_at": utc(body.send_at),
        "expires_in": body.expires_in,
        "priority": body.priority,
        "pool": tuple(body.routing.pool),
        "exclude": tuple(body.routing.exclude),
        "risk": body.routing.risk,
        "callback_url": body.callback_url,
        "metadata": body.metadata,
    }


def kept_until_sent(key: Idempotency | None, send_at: datetime | None) -> Idempotency | None:
    """Return the key with its record kept for 24 h past the sending time (API.md §1)."""
    if key is None or send_at is None:
        return key
    # A time that is too far ahead is refused later; here it must only not leave the calendar.
    return replace(key, expires_at=max(key.expires_at, min(send_at, key.expires_at + _FARTHEST) + _KEPT))


def phone_filter(raw: str | None, call: Call) -> str | None:
    """Return a number to filter by as E.164; one that can't be read is refused, not silently matched with nothing."""
    if raw is None:
        return None
    try:
        return parse_phone(raw, livemode=call.caller.livemode)
    except CallerError as error:
        raise Invalid("parameter_invalid", param="to", fix="a phone number") from error


async def find_message(uow: UnitOfWork, call: Call) -> Message:
    """Return the message the path names; another workspace's, or the other mode's, is as missing as none."""
    ident = call.ids["id"]
    found = await uow.messages.get([ident])
    if not found or found[0].workspace_id != call.caller.workspace_id or found[0].livemode != call.caller.livemode:
        raise Missing("message", ident[:64])
    return found[0]
