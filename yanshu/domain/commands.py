"""Commands: what every way in (HTTP, binds, campaigns) builds and hands to `pipeline/accept`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from yanshu.domain.lanes import DEFAULT_PRIORITY, Lane
from yanshu.domain.messages import Message, Risk


class Recipient(Struct, frozen=True):
    """One addressee as given: the number is not parsed yet."""

    to: str
    params: dict[str, str] | None = None
    client_reference: str | None = None


class Dedupe(Struct, frozen=True):
    """Refuse a second message with the same `key` within `window_seconds`."""

    key: str
    window_seconds: int


class Idempotency(Struct, frozen=True):
    """Replay protection of one request.

    `key` is unique over workspace, method, path and the caller's key; `fingerprint` the SHA-256 of the body.
    """

    key: str
    fingerprint: str
    expires_at: datetime


class Send(Struct, frozen=True, kw_only=True):
    """The wish to send one text, with `${name}` places unless it is `literal`, to one or many recipients of one workspace."""

    workspace_id: str
    livemode: bool
    text: str
    recipients: tuple[Recipient, ...]
    lane: Lane = Lane.NOTICE
    signature: str | None = None
    sender: str | None = None
    extension: str | None = None
    send_at: datetime | None = None
    expires_in: int | None = None
    priority: int = DEFAULT_PRIORITY
    unique_references: bool = False
    dedupe: Dedupe | None = None
    pool: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    risk: Risk = Risk.NO_DUPLICATE
    callback_url: str | None = None
    metadata: dict[str, Any] | None = None
    batch_id: str | None = None
    literal: bool = False


class Saved(Struct, frozen=True):
    """An answer kept for replays: HTTP status and body."""

    status: int
    body: bytes


class Accepted(Struct, frozen=True):
    """What became of a `Send`: its messages in the order of the recipients, or the answer saved the first time."""

    messages: list[Message]
    replayed: Saved | None = None


Render = Callable[[list[Message]], Saved]
"""Makes the answer that is stored with an idempotency key, in the transaction that stores the messages."""


class Preview(Struct, frozen=True):
    """A dry run of a send to one recipient."""

    recipient: str
    text: str
    encoding: str
    units: int
    segments: int
    pieces: tuple[str, ...]
    candidates: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]
    would_hold_until: datetime | None
