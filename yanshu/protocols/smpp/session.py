"""What both ends of an SMPP session share: framing, window, keep-alive, unbind and the rules of generic_nack (§2, §7)."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Sequence, Window, earliest
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, RESPONSE_BIT, Command, Status, status_name
from yanshu.protocols.smpp.events import Answered, Event, Lost, PeerFault, TimedOut, Unbound

Item = TypeVar("Item")

_MISSES_ALLOWED = 2
# The specification allows 64 octets of message_id; more are read as far as a store's index can hold them.
_LONGEST_ID_END = HEADER_LENGTH + 255
# Takes a frame, its command_status and sequence_number, and adds to the events. It never ends the session.
TakesFrame = Callable[[bytes, int, int, list[Event]], None]


class Timers(Struct, frozen=True, kw_only=True):
    """Patience of a session, in seconds. `enquire_link_seconds` 0 means: never ask."""

    bind_timeout_seconds: float = 10.0
    response_timeout_seconds: float = 10.0
    enquire_link_seconds: float = 30.0
    unbind_timeout_seconds: float = 5.0


class Phase(Enum):
    """Where a session is in its life."""

    OPEN = "open"
    BOUND = "bound"
    UNBINDING = "unbinding"
    OVER = "over"


class SmppSession(Generic[Item]):
    """One end of a session. `EsmeSession` and `SmscSession` say what their side does with binds and texts."""

    def __init__(self, window: int, timers: Timers) -> None:
        self._timers = timers
        self._sequence = Sequence(MAX_SEQUENCE)
        self._window: Window[Item] = Window(window, timers.response_timeout_seconds, self._sequence)
        self._framer = Framer(HEADER_LENGTH, MAX_LENGTH)
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
        header, hot = codec.header, self._hot
        for frame in frames if self._phase is not Phase.OVER else ():
            _, command_id, status, sequence = header(frame)
            take = hot.get(command_id)
            try:
                if take is not None:
                    take(frame, status, sequence, events)
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
            events.extend(TimedOut(item) for item in self._window.expire(now))
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
        return [Lost(item) for item in self._window.drain()]

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
            self.send(pdus.Unbind(sequence_number=self._sequence.next()))
        elif self._phase is Phase.OPEN:
            self._end("given up before bind")

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_number included."""
        self._out.append(codec.encode(pdu))

    def send_octets(self, octets: bytes) -> None:
        """Write octets as they are; for simulating broken peers."""
        self._out.append(octets)

    # --- for the two sides ---

    def _request(self, command_id: int, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write requests of one command, each under a permit; none of them when there are not enough permits."""
        requests = list(bodies)
        if self._phase is not Phase.BOUND:
            raise LocalProtocolError("the session is not bound")
        if len(requests) > self._window.free:
            raise LocalProtocolError("the window is full")
        out, pack = self._out, codec.pack_header
        numbers = self._window.open_all([item for _, item in requests], now)
        for number, (body, _) in zip(numbers, requests, strict=True):
            out += (pack(HEADER_LENGTH + len(body), command_id, 0, number), body)

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in the side's table `_hot`."""
        _, command_id, status, sequence = codec.header(frame)
        if command_id == Command.ENQUIRE_LINK:
            self.send(pdus.EnquireLinkResp(sequence_number=sequence))
        elif command_id == Command.ENQUIRE_LINK_RESP:
            pass  # being heard of is all it is for
        elif command_id == Command.UNBIND:
            self.send(pdus.UnbindResp(sequence_number=sequence))
            events.append(Unbound())
            self._end("the peer unbound")
        elif command_id == Command.UNBIND_RESP:
            self._unbound(events)
        elif command_id == Command.GENERIC_NACK:
            self._nacked(status, sequence, events)
        else:
            self._take_other(codec.decode(frame), events)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        """Handle what this side has no use for: requests are refused, responses left alone."""
        command_id = codec.command_of(pdu)
        if not command_id & RESPONSE_BIT and command_id != Command.OUTBIND:
            raise RemoteProtocolError(f"{type(pdu).__name__} is not for this side or not for now", Status.ESME_RINVBNDSTS)
        events.append(PeerFault(f"unexpected {type(pdu).__name__}, sequence_number {pdu.sequence_number}"))

    def _answered(self, frame: bytes, status: int, sequence: int, events: list[Event]) -> None:
        """Match a response that carries a message_id (or nothing) to its request."""
        item = self._window.close(sequence)
        is_late = item is None
        if item is None:
            item = self._window.close_late(sequence)
            if item is None:
                events.append(PeerFault(f"an answer nobody waits for, sequence_number {sequence}"))
                return
        end = frame.find(0, HEADER_LENGTH, _LONGEST_ID_END)
        message_id = str(frame[HEADER_LENGTH : end if end >= 0 else _LONGEST_ID_END], "latin-1")
        events.append(Answered(item, status, message_id, is_late))

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._phase_deadline = None

    def _end(self, reason: str) -> None:
        if self._phase is not Phase.OVER:
            self._enter(Phase.OVER)
            self.reason = reason

    # --- private ---

    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer a request that could not be handled; a response is never answered."""
        _, command_id, _, sequence = codec.header(frame)
        events.append(PeerFault(f"{error} (command 0x{command_id:08x}, sequence_number {sequence}): {status_name(error.status)}"))
        if command_id & RESPONSE_BIT:
            return
        if error.status == Status.ESME_RINVCMDID or command_id == Command.OUTBIND:
            self.send(pdus.GenericNack(command_status=error.status, sequence_number=sequence))
        else:
            self._out.append(codec.pack_header(HEADER_LENGTH, command_id | RESPONSE_BIT, error.status, sequence))

    def _nacked(self, status: int, sequence: int, events: list[Event]) -> None:
        item = self._window.close(sequence)
        if item is None:
            events.append(PeerFault(f"generic_nack {status_name(status)}, sequence_number {sequence}"))
        else:
            events.append(Answered(item, status, "", is_nack=True))

    def _unbound(self, events: list[Event]) -> None:
        if self._phase is Phase.UNBINDING:
            self._end("unbound")
        else:
            events.append(PeerFault("unbind_resp without an unbind"))

    def _probe_at(self) -> float | None:
        if self._phase is not Phase.BOUND or not self._timers.enquire_link_seconds:
            return None
        return self._quiet_since + self._timers.enquire_link_seconds

    def _probe(self, now: float) -> None:
        """Ask whether the peer is there; after two questions without any answer it is not."""
        if self._misses >= _MISSES_ALLOWED:
            self._end("the peer is silent")
            return
        self._misses += 1
        self._quiet_since = now
        self.send(pdus.EnquireLink(sequence_number=self._sequence.next()))
