"""What an SMPP session reports. `item` is whatever the caller gave with the request."""

from typing import Generic, TypeVar

from msgspec import Struct

from yanshu.protocols.smpp import pdus

Item = TypeVar("Item")


class Bound(Struct, frozen=True):
    """The peer accepted our bind; `interface_version` is None when it did not say (then it is 3.3)."""

    system_id: str
    interface_version: int | None


class BindRefused(Struct, frozen=True):
    """The peer refused our bind; the session is over."""

    command_status: int


class BindRequested(Struct, frozen=True):
    """A client wants to bind: answer with `accept_bind` or `refuse_bind`."""

    pdu: pdus.Bind


class Answered(Struct, Generic[Item], frozen=True):
    """The peer answered a request of ours, `is_late` after `TimedOut`; `is_nack` when it did not understand it."""

    item: Item
    command_status: int
    message_id: str
    is_late: bool = False
    is_nack: bool = False


class TimedOut(Struct, Generic[Item], frozen=True):
    """No answer in time. The permit is free; the answer may still come."""

    item: Item


class Lost(Struct, Generic[Item], frozen=True):
    """The connection ended before the answer."""

    item: Item


class Requested(Struct, frozen=True):
    """The peer asks something of us (submit_sm, deliver_sm, data_sm, query_sm, cancel_sm) and waits for our answer."""

    pdu: pdus.Pdu


class Unbound(Struct, frozen=True):
    """The peer ends the session; the answer is written already."""


class PeerFault(Struct, frozen=True):
    """The peer did something that makes no sense; the session dealt with it. `detail` is one line for a log."""

    detail: str


Event = Bound | BindRefused | BindRequested | Answered | TimedOut | Lost | Requested | Unbound | PeerFault  # type: ignore[type-arg]
