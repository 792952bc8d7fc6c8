"""Dialect: what a wire protocol adds to the one carrier engine; the engine knows windows and links, a dialect knows words."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from yanshu.domain.messages import Message
from yanshu.domain.submissions import AnswerResult, Arrival
from yanshu.runtime.link import Address, Session


class ClientSession(Session, Protocol):
    """A session we open at a carrier, as the engine drives it.

    `is_at_rest` once it ended only because nobody had anything to say: the line comes back when there is something to write.
    """

    is_at_rest: bool

    @property
    def free(self) -> int:
        """Permits left in the window; 0 unless bound."""

    @property
    def outstanding(self) -> int:
        """Requests that wait for an answer."""

    def submit(self, bodies: Sequence[tuple[Any, Any]], now: float) -> None:
        """Write one request a (body, item); there must be a permit for each."""

    def unbind(self, now: float) -> None:
        """End the session politely."""


class Plan(Struct, frozen=True):
    """One session to keep open: how to make it, to which address (may raise OSError), and whether texts are submitted over it.

    `where` is the address for a person.
    """

    make: Callable[[], ClientSession]
    address: Callable[[], Address]
    where: str
    may_submit: bool = True


class ServerSession(Session, Protocol):
    """A session a carrier opens at us, as the engine drives it."""

    def accept(self) -> None:
        """Let the carrier in."""

    def refuse(self, status: int) -> None:
        """Send it away; the session is over."""

    def unbind(self, now: float) -> None:
        """End the session."""


class Turned(Struct, frozen=True):
    """Why a login of the carrier at us is refused: what to answer, and one sentence for a person."""

    status: int
    detail: str


class Hearing(Struct, frozen=True):
    """Where the carrier connects to us to deliver: how to make a session, where to listen, and who may come in.

    `admits` tells whether an address may connect at all. `judge` takes the PDU of a login, and returns None for one that is let in.
    """

    make: Callable[[], ServerSession]
    address: Address
    admits: Callable[[str], bool]
    judge: Callable[[Any], Turned | None]


class Refused(Struct, frozen=True):
    """What a refused bind means; `detail` is for a person.

    `is_ours`: credentials or the account are at fault, it needs a person and coming back fast does harm. `pause_seconds` None:
    come back as after any failure.
    """

    detail: str
    is_ours: bool = False
    pause_seconds: float | None = None


class Chunk(Protocol):
    """The messages of one call; remembers their texts and is then dropped."""

    def bodies(self, message: Message) -> list[Any]:
        """Return what to submit, one a segment. Raises LocalProtocolError when a value does not fit its field."""


class Dialect(Protocol):
    """One protocol on one connector. `name` is the component in logs, `accepted` the status of success and `accepted_code` its text."""

    name: str
    accepted: int
    accepted_code: str

    def plans(self) -> list[Plan]:
        """Return the sessions one link of the connector consists of; the first that may submit does."""

    def chunk(self, now: datetime) -> Chunk:
        """Begin a chunk of messages to be submitted now."""

    def result_of(self, status: int) -> AnswerResult:
        """Return what a status of a submit answer means."""

    def code_of(self, status: int) -> str:
        """Return a status as the carrier's documents write it."""

    def pause_of(self, status: int) -> float:
        """Return how many seconds the link pauses after a throttling status."""

    def read(self, requests: Sequence[Any]) -> list[Arrival]:
        """Return one arrival a receipt or text of the carrier, in order. Nothing is refused: what makes no sense is kept raw."""

    def acknowledge(self, session: Any, requests: Sequence[Any], *, is_safe: bool) -> None:
        """Answer what was read: taken once it is safe, else so that the carrier delivers it again."""

    def refused(self, status: int) -> Refused:
        """Return what a refused bind means."""
