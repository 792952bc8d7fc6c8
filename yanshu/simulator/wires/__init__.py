"""Wires: what is peculiar to the protocols a simulated carrier speaks. One class a protocol, one object a connection."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from yanshu.protocols.session import WireSession
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.traffic import Delivery, Segment


class Client(Struct, frozen=True):
    """Who asks to come in: `proves` tells whether it knows a password, `receives` whether it takes deliveries."""

    system_id: str
    proves: Callable[[str], bool]
    receives: bool = True


class Wire(Protocol):
    """One connection's end of a protocol.

    `busy` and `throttled` are its statuses for a passing fault (another connector may take the text) and for too many submits.
    Requests are its own PDUs, and come back to it to be answered.
    """

    protocol: str
    busy: int
    throttled: int

    @property
    def session(self) -> WireSession[Delivery]:
        """The sans-IO end of the protocol."""

    def client(self, request: Any) -> Client:
        """Return who asks to bind."""

    def admit(self, desk: AccountDesk) -> None:
        """Let the client in that asked."""

    def refuse(self, admission: Admission) -> None:
        """Send the client away that asked."""

    def segment(self, request: Any, at: float) -> Segment | None:
        """Return what a request submits at `at` (epoch seconds); None when it is no submit, or a bad one: it is answered then."""

    def answer(self, request: Any, status: int, ident: str) -> None:
        """Answer a submit: the id of the message for status 0."""

    def deliver(self, delivery: Delivery, behaviour: Behaviour, now: float) -> None:
        """Write a receipt or a text at monotonic `now`; there must be a permit."""

    def id_text(self, segment: Segment, number: int, behaviour: Behaviour) -> str:
        """Return the carrier's id of a segment, its message `number`, as answers spell it."""
