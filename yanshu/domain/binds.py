"""Binds: how a customer's program submits over a carrier protocol, and what it is owed in return."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from yanshu.domain.lanes import Lane


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
