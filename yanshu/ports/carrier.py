"""The seam to carriers: a connector's adapter on one side, the pipeline's intake on the other."""

from collections.abc import Callable, Sequence
from typing import Protocol

from yanshu.domain.connectors import LinkState
from yanshu.domain.messages import Message
from yanshu.domain.submissions import Answer, Arrival


class Intake(Protocol):
    """What the pipeline takes from a carrier. Calls return at once; nothing here blocks the reader of a socket."""

    def answered(self, answers: Sequence[Answer]) -> None:
        """Submits have ended. Every segment given to `Carrier.submit` is answered exactly once (late answers may follow)."""

    def arrived(self, arrivals: Sequence[Arrival], done: Callable[[bool], None]) -> None:
        """Receipts and MO have come. `done(True)` once they are committed, `done(False)` if that failed: only then acknowledge."""

    def link_changed(self, connector_id: str, state: LinkState, detail: str) -> None:
        """The link went to `state`; `detail` is one sentence for a person. `UP` also means: permits may be free."""

    def window_opened(self, connector_id: str) -> None:
        """Permits or rate allowance became free."""


class Carrier(Protocol):
    """One live session of one connector."""

    connector_id: str

    @property
    def state(self) -> LinkState:
        """State of the link now."""

    def free(self, reserve: int = 0) -> int:
        """How many segments could be written now without using the last `reserve` permits of the window.

        Window and throughput considered, 0 unless the link is up.
        """

    def submit(self, messages: Sequence[Message]) -> None:
        """Write these messages to the wire now, in order, asking a receipt for every segment. Attempt number is `message.attempts`.

        Every segment ends in one `Intake.answered`, also when the link drops (``unanswered`` if written, ``unsent`` if not).
        """

    async def run(self) -> None:
        """Connect, bind, keep alive, reconnect with backoff; returns after `stop`."""

    async def stop(self, budget_seconds: float) -> None:
        """Take no more, wait for answers up to the budget, unbind, close."""
