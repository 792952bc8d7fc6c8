"""What the sessions of all wire protocols share: framing, window, keep-alive, and how they begin and end (protocols.md §8).

A session is sans-IO. Its driver (`yanshu.runtime.link`) knows it by this shape only; events are those of `protocols.events`:

- ``connected(now)``, ``receive_data(data, now)``, ``tick(now)``, ``connection_lost(now)`` each return a list of events;
- ``data_to_send()`` returns the octets to write, and forgets them;
- ``next_deadline()`` says when ``tick`` is due at the latest (it may be called earlier);
- ``is_over`` asks the driver to write what is left and to close, ``reason`` says why.

Times are monotonic seconds of the driver's clock.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from struct import Struct as Packed
from typing import Any, Generic, TypeVar

from msgspec import Struct

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.events import Event, Lost, PeerFault, TimedOut
from yanshu.protocols.fields import Framer
from yanshu.protocols.window import Sequence, Window, earliest

Item = TypeVar("Item")

# All our protocols write the command behind the length.
_COMMAND = Packed(">I")
# Takes a frame and adds to the events. It may raise RemoteProtocolError.
TakesFrame = Callable[[bytes, list[Event]], None]


class Timers(Struct, frozen=True, kw_only=True):
    """Patience of a session, in seconds. `probe_seconds` 0 means: never ask whether the peer is there.

    After `probes_unanswered` questions without any octet from the peer it is taken for gone.
    """

    bind_timeout_seconds: float = 10.0
    response_timeout_seconds: float = 10.0
    probe_seconds: float = 30.0
    probes_unanswered: int = 2
    unbind_timeout_seconds: float = 5.0


class Phase(Enum):
    """Where a session is in its life."""

    OPEN = "open"
    BOUND = "bound"
    UNBINDING = "unbinding"
    OVER = "over"


class WireSession(ABC, Generic[Item]):
    """One end of a session. A protocol says how its frames are taken and refused, and what asking and leaving look like.

    `_hot` names the frames of the hot path by their command: these never end the session. All others go to `_take`.
    `is_at_rest` once it ended only because nobody had anything to say: its owner comes back when there is something.
    """

    is_at_rest = False

    def __init__(self, window: int, timers: Timers, framer: Framer, last_sequence: int) -> None:
        self._timers = timers
        self._sequence = Sequence(last_sequence)
        self._window: Window[Item] = Window(window, timers.response_timeout_seconds, self._sequence)
        self._framer = framer
        self._out: list[bytes] = []
        self._hot: dict[int, TakesFrame] = {}
        self._phase = Phase.OPEN
        self._phase_deadline: float | None = None
        self._quiet_since = 0.0
        self._misses = 0
        self.reason = ""

    # --- the shape a driver knows ---

    @property
    def is_over(self) -> bool:
        """Whether the connection should be closed once everything is written."""
        return self._phase is Phase.OVER

    def connected(self, now: float) -> list[Event]:
        """The connection is there."""
        self._quiet_since = now
        self._phase_deadline = now + self._timers.bind_timeout_seconds
        return []

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take octets from the peer, cut anywhere."""
        events: list[Event] = []
        frames = self._framer.feed(data)
        if frames:
            self._quiet_since = now
            self._misses = 0
        command_of, hot = _COMMAND.unpack_from, self._hot
        for frame in frames if self._phase is not Phase.OVER else ():
            take = hot.get(command_of(frame, 4)[0])
            try:
                if take is not None:
                    take(frame, events)
                    continue
                self._take(frame, events)
            except RemoteProtocolError as error:
                self._refuse(frame, error, events)
            if self._phase is Phase.OVER:
                return events
        if self._framer.fault is not None and self._phase is not Phase.OVER:
            events.append(PeerFault(f"broken framing: {self._framer.fault}"))
            self._end("broken framing")
        return events

    def data_to_send(self) -> bytes:
        """Return what is to be written, and forget it."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def next_deadline(self) -> float | None:
        """Return when `tick` is due."""
        if self._phase is Phase.OVER:
            return None
        return earliest((self._phase_deadline, self._window.next_deadline(), self._probe_at()))

    def tick(self, now: float) -> list[Event]:
        """Do what is due."""
        events: list[Event] = []
        if self._phase is Phase.OVER:
            return events
        deadline = self._window.next_deadline()
        if deadline is not None and deadline <= now:
            events.extend(TimedOut(item, self._id_before_answer(number)) for number, item in self._window.expire(now))
        if self._phase_deadline is not None and self._phase_deadline <= now:
            self._end("no answer to unbind" if self._phase is Phase.UNBINDING else "no bind in time")
            return events
        probe_at = self._probe_at()
        if probe_at is not None and probe_at <= now:
            self._probe(now)
        return events

    def connection_lost(self, now: float) -> list[Event]:  # noqa: ARG002 - the shape all sessions have
        """The connection is gone: whatever waits for an answer will not get one."""
        self._end("connection lost")
        return [Lost(item, self._id_before_answer(number)) for number, item in self._window.drain()]

    # --- what the owner asks ---

    @property
    def is_bound(self) -> bool:
        """Whether texts may travel."""
        return self._phase is Phase.BOUND

    @property
    def free(self) -> int:
        """Permits left in the window; 0 unless bound."""
        return self._window.free if self._phase is Phase.BOUND else 0

    @property
    def outstanding(self) -> int:
        """Requests that wait for an answer."""
        return len(self._window)

    def unbind(self, now: float) -> None:
        """End the session politely; `is_over` follows the answer or the timeout. A session never bound is over at once."""
        if self._phase is Phase.BOUND:
            self._phase = Phase.UNBINDING
            self._phase_deadline = now + self._timers.unbind_timeout_seconds
            self._write_unbind()
        elif self._phase is Phase.OPEN:
            self._end("given up before bind")

    def send_octets(self, octets: bytes) -> None:
        """Write octets as they are."""
        self._out.append(octets)

    # --- what a protocol says ---

    @abstractmethod
    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in `_hot`."""

    @abstractmethod
    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer a request that could not be handled; a response is never answered."""

    @abstractmethod
    def _write_probe(self) -> None:
        """Ask whether the peer is there."""

    @abstractmethod
    def _write_unbind(self) -> None:
        """Say goodbye."""

    def _id_before_answer(self, number: int) -> str:  # noqa: ARG002 - what a protocol may say
        """Return the id of what was submitted under a number, where it is known without an answer."""
        return ""

    # --- for the protocols ---

    def _open(self, requests: list[tuple[Any, Item]], now: float) -> list[int]:
        """Take a permit for each (body, item), all or none, and return their sequence numbers."""
        self._check_room(len(requests))
        return self._window.open_all([item for _, item in requests], now)

    def _check_room(self, count: int) -> None:
        """Raise LocalProtocolError unless so many requests may be written."""
        if self._phase is not Phase.BOUND:
            raise LocalProtocolError("the session is not bound")
        if count > self._window.free:
            raise LocalProtocolError("the window is full")

    def _close(self, sequence: int, events: list[Event]) -> tuple[Item, bool] | None:
        """Free the permit of the request with this number: its item, and whether it had been given up; None tells of a fault."""
        item = self._window.close(sequence)
        if item is not None:
            return item, False
        item = self._window.close_late(sequence)
        if item is not None:
            return item, True
        events.append(PeerFault(f"an answer nobody waits for, sequence number {sequence}"))
        return None

    def _unbound(self, events: list[Event]) -> None:
        """The peer has answered our goodbye."""
        if self._phase is Phase.UNBINDING:
            self._end("unbound")
        else:
            events.append(PeerFault("an answer to a goodbye that was not said"))

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._phase_deadline = None

    def _end(self, reason: str) -> None:
        if self._phase is not Phase.OVER:
            self._enter(Phase.OVER)
            self.reason = reason

    # --- private ---

    def _probe_at(self) -> float | None:
        if self._phase is not Phase.BOUND or not self._timers.probe_seconds:
            return None
        return self._quiet_since + self._timers.probe_seconds

    def _probe(self, now: float) -> None:
        """Ask whether the peer is there; after so many questions without any answer it is not."""
        if self._misses >= self._timers.probes_unanswered:
            self._end("the peer is silent")
            return
        self._misses += 1
        self._quiet_since = now
        self._write_probe()
