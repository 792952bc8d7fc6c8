"""What the servers of binds share, and what each protocol says in its own words."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from msgspec import Struct

from yanshu.domain.binds import Bind, BindDelivery, BindProtocol, BindSubmit
from yanshu.pipeline.bind_accept import Told
from yanshu.protocols.session import Timers

# Most that a bind's window can be; how much of it is used is the bind's affair.
LARGEST_WINDOW = 1000
# The pause before a wrong password is answered must fit into the time a client has for its bind.
TIMERS = Timers(bind_timeout_seconds=20.0, response_timeout_seconds=30.0, probe_seconds=60.0)


class Refusal(Enum):
    """Why a session is not let in."""

    CREDENTIALS = "the system id is unknown or its secret wrong"
    ADDRESS = "the bind may not be used from this address"
    DISABLED = "the bind is disabled"
    FULL = "all its sessions are open"
    BUSY = "it cannot be looked up just now"


class Acknowledgement(Enum):
    """What a customer's answer to a delivery means."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


class Asked(Struct, frozen=True):
    """What a client that wants in says of itself."""

    system_id: str
    receives: bool


class NotTaken(Exception):
    """A request that the protocol itself answers with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ServerSession(Protocol):
    """The shape of our end of a session, whatever the protocol; a `runtime.link.Session` as well."""

    reason: str

    @property
    def is_over(self) -> bool:
        """Whether to close once everything is written."""

    @property
    def is_bound(self) -> bool:
        """Whether texts may travel."""

    @property
    def free(self) -> int:
        """Permits left for deliveries."""

    @property
    def outstanding(self) -> int:
        """Deliveries that wait for an answer."""

    def connected(self, now: float) -> list[Any]:
        """The connection is there."""

    def receive_data(self, data: bytes, now: float) -> list[Any]:
        """Take octets."""

    def data_to_send(self) -> bytes:
        """Return what is to be written, and forget it."""

    def next_deadline(self) -> float | None:
        """When `tick` is due."""

    def tick(self, now: float) -> list[Any]:
        """Do what is due."""

    def connection_lost(self, now: float) -> list[Any]:
        """The connection is gone."""

    def unbind(self, now: float) -> None:
        """End the session politely."""


class Dialect(Protocol):
    """One protocol's words. Each connection has a dialect of its own, which holds its session."""

    @property
    def protocol(self) -> BindProtocol:
        """Which protocol it is."""

    @property
    def session(self) -> ServerSession:
        """Our end of the session."""

    def asked(self, pdu: Any) -> Asked:
        """Read who wants in."""

    def proves(self, pdu: Any, secret: str) -> bool:
        """Whether the request was made with this secret."""

    def welcome(self, secret: str) -> None:
        """Let the client in."""

    def turn_away(self, why: Refusal) -> None:
        """Send the client away; the session is over."""

    def read(self, pdu: Any, bind: Bind, now: datetime) -> BindSubmit:
        """Return what a request submits. Raises `NotTaken`."""

    def answer(self, pdu: Any, told: Told) -> str:
        """Answer a submit; the name of the status, for the metrics."""

    def refuse(self, pdu: Any, status: int) -> str:
        """Answer a request with a status; its name."""

    def throttle(self, pdu: Any) -> str:
        """Answer that this is too fast; the status's name."""

    def deliver(self, deliveries: Sequence[BindDelivery], bind: Bind, now: float) -> None:
        """Write deliveries, for each of which there is a permit. Raises LocalProtocolError for one that cannot travel."""

    def judge(self, status: int) -> Acknowledgement:
        """Say what an answer to a delivery means."""
