"""What both ends of an SMPP session share: the rules of enquire_link, unbind and generic_nack (SMPP 3.4 §2, §7)."""

from collections.abc import Iterable
from struct import Struct as Packed
from typing import Generic, TypeVar

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Answered, Event, PeerFault, Unbound
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Timers, WireSession
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, RESPONSE_BIT, Command, Status, status_name

Item = TypeVar("Item")

# command_status and sequence_number, behind length and command_id.
_STATUS_SEQUENCE = Packed(">II")
# The specification allows 64 octets of message_id; more are read as far as a store's index can hold them.
_LONGEST_ID_END = HEADER_LENGTH + 255


class SmppSession(WireSession[Item], Generic[Item]):
    """One end of a session. `EsmeSession` and `SmscSession` say what their side does with binds and texts."""

    def __init__(self, window: int, timers: Timers) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), MAX_SEQUENCE)

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_number included."""
        self._out.append(codec.encode(pdu))

    def _request(self, command_id: int, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write requests of one command, each under a permit; none of them when there are not enough permits."""
        requests = list(bodies)
        out, pack = self._out, codec.pack_header
        for number, (body, _) in zip(self._open(requests, now), requests, strict=True):
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

    def _answered(self, frame: bytes, events: list[Event]) -> None:
        """Match a response that carries a message_id (or nothing) to its request."""
        status, sequence = _STATUS_SEQUENCE.unpack_from(frame, 8)
        closed = self._close(sequence, events)
        if closed is not None:
            end = frame.find(0, HEADER_LENGTH, _LONGEST_ID_END)
            message_id = str(frame[HEADER_LENGTH : end if end >= 0 else _LONGEST_ID_END], "latin-1")
            events.append(Answered(closed[0], status, message_id, closed[1]))

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

    def _write_probe(self) -> None:
        self.send(pdus.EnquireLink(sequence_number=self._sequence.next()))

    def _write_unbind(self) -> None:
        self.send(pdus.Unbind(sequence_number=self._sequence.next()))
