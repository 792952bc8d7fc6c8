"""What the sessions of all wire protocols report, in the same words.

`item` is whatever the caller gave with the request, `pdu` a struct of the protocol's own, `status` the protocol's own number.
"""

from typing import Any, Generic, TypeVar

from msgspec import Struct

Item = TypeVar("Item")


class Bound(Struct, frozen=True):
    """The peer accepted our bind (CONNECT, Login). It calls itself `peer`, if at all, and speaks `version`, if it says so."""

    peer: str
    version: int | None


class BindRefused(Struct, frozen=True):
    """The peer refused our bind; the session is over."""

    status: int


class BindRequested(Struct, frozen=True):
    """A client wants to bind: answer with `accept_bind` or `refuse_bind`."""

    pdu: Any


class Answered(Struct, Generic[Item], frozen=True):
    """The peer answered a request of ours, `is_late` after `TimedOut`; `is_nack` when it did not understand it.

    `message_id` is the carrier's own id of what was submitted, as text.
    """

    item: Item
    status: int
    message_id: str
    is_late: bool = False
    is_nack: bool = False


class TimedOut(Struct, Generic[Item], frozen=True):
    """No answer in time. The permit is free; the answer may still come. `message_id` is known before the answer in SGIP only."""

    item: Item
    message_id: str = ""


class Lost(Struct, Generic[Item], frozen=True):
    """The connection ended before the answer. `message_id` as in `TimedOut`."""

    item: Item
    message_id: str = ""


class Requested(Struct, frozen=True):
    """The peer asks something of us and waits for our answer."""

    pdu: Any


class Unbound(Struct, frozen=True):
    """The peer ends the session; the answer is written already."""


class PeerFault(Struct, frozen=True):
    """The peer did something that makes no sense; the session dealt with it. `detail` is one line for a log."""

    detail: str


Event = Bound | BindRefused | BindRequested | Answered | TimedOut | Lost | Requested | Unbound | PeerFault  # type: ignore[type-arg]
