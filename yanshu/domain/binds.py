"""Binds: how a customer's program submits over a carrier protocol, and what it is owed in return."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from yanshu.domain.lanes import DEFAULT_PRIORITY, Lane
from yanshu.domain.messages import Encoding, Status


class BindProtocol(StrEnum):
    """What a customer's program speaks."""

    SMPP = "smpp"
    CMPP = "cmpp"


class BindStatus(StrEnum):
    """Whether sessions of a bind are let in."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class Alphabet(StrEnum):
    """What octets of the default alphabet (SMPP data_coding 0) stand for."""

    GSM = "gsm"
    LATIN1 = "latin1"
    ASCII = "ascii"


class Bind(Struct, frozen=True, kw_only=True):
    """A customer's access over SMPP or CMPP; `system_id` (CMPP: SP id) is unique among the binds of its protocol.

    `secret` is the sealed password or shared secret. `window` bounds what may be unanswered on one session either way,
    `throughput` the submits a second (0: no limit), `sessions` how many may be open at once over all processes. `cidrs` empty
    means any address. `senders` are the source addresses it may use, exact or up to a ``*``; empty means any. Texts go out in
    `lane`. With `inbound` it also gets the workspace's inbounds that answer no message of another bind. `position` is the last
    event position turned into what it is owed.
    """

    id: str
    workspace_id: str
    livemode: bool
    name: str
    protocol: BindProtocol
    system_id: str
    secret: str
    created_at: datetime
    updated_at: datetime
    status: BindStatus = BindStatus.ENABLED
    cidrs: tuple[str, ...] = ()
    window: int = 16
    throughput: int = 100
    sessions: int = 4
    lane: Lane = Lane.NOTICE
    senders: tuple[str, ...] = ()
    alphabet: Alphabet = Alphabet.GSM
    inbound: bool = True
    position: int = 0
    metadata: dict[str, Any] | None = None


def place_lease(bind_id: str, slot: int) -> str:
    """Return the name of the lease by which a session holds one of a bind's places, whichever process it is in."""
    return f"bind:{bind_id}:{slot}"


class Wanted(StrEnum):
    """Which final receipts a customer asks for."""

    NEVER = "never"
    FAILURE = "failure"
    ALWAYS = "always"


class BindSubmit(Struct, frozen=True, kw_only=True):
    """One submit of a customer, read: a text or, with `parts` above 1, segment `part` of the long text with that `reference`.

    `numbers` are ours to read, `source` and `destinations` what the customer wrote, in the words of its protocol; `idents` the
    ids it is answered with, one a number (None: that of the message). `content` are the octets behind any header, of `coding`.
    """

    numbers: tuple[str, ...]
    sender: str | None
    source: str
    destinations: tuple[str, ...]
    content: bytes
    coding: int
    wanted: Wanted
    idents: tuple[str | None, ...] = (None,)
    part: int = 1
    parts: int = 1
    reference: int = 0
    priority: int = DEFAULT_PRIORITY
    send_at: datetime | None = None
    expires_in: int | None = None
    client_reference: str | None = None


class BindPart(Struct, frozen=True, kw_only=True):
    """A segment that waits for its siblings: those of the same `group`. It was answered, so it must not be lost."""

    id: str
    bind_id: str
    group: str
    part: int
    parts: int
    submit: BindSubmit
    arrived_at: datetime


class Ticket(Struct, frozen=True, kw_only=True):
    """What a customer was given for one submit to one number: segment `segment` of a message, under the id `ident`.

    `finished_at` is when the message's end was seen, and what the customer is owed for it noted.
    """

    message_id: str
    segment: int
    bind_id: str
    ident: str
    source: str
    destination: str
    wanted: Wanted
    created_at: datetime
    finished_at: datetime | None = None


class ReceiptOwed(Struct, frozen=True, kw_only=True):
    """A final receipt: the message with that `ident` ended as `status`; `stat` and `code` are the carrier's own words, if any."""

    ident: str
    source: str
    destination: str
    status: Status
    submitted_at: datetime
    done_at: datetime
    reason: str | None = None
    stat: str | None = None
    code: str | None = None


class TextOwed(Struct, frozen=True, kw_only=True):
    """An inbound, or piece `part` of `parts` of a long one, cut for one segment."""

    ident: str
    sender: str
    recipient: str
    text: str
    encoding: Encoding
    part: int = 1
    parts: int = 1
    reference: int = 0


class BindDelivery(Struct, frozen=True, kw_only=True):
    """One thing a bind is owed: a receipt or a text, kept until the customer has acknowledged it, or until `expires_at`.

    `object_id` is the message or inbound it is about; deliveries about the same object keep the order of their ids.
    """

    id: str
    bind_id: str
    object_id: str
    created_at: datetime
    expires_at: datetime
    next_at: datetime
    attempts: int = 0
    receipt: ReceiptOwed | None = None
    text: TextOwed | None = None
