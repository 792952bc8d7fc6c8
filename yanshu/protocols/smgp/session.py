"""What both ends of an SMGP session share: Active_Test, Exit and what is answered to nonsense (protocols.md §6.7)."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Event, PeerFault, Unbound
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Timers, WireSession
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, MESSAGE_ID_SIZE, Command

Item = TypeVar("Item")

_ID = slice(HEADER_LENGTH, HEADER_LENGTH + MESSAGE_ID_SIZE)


class SmgpSession(WireSession[Item], Generic[Item]):
    """One end of a session. `SpSession` and `SmgwSession` say what their side does with logins and texts."""

    def __init__(self, window: int, timers: Timers) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), MAX_SEQUENCE)

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_id included."""
        self._out.append(codec.encode(pdu))

    def _request(self, command_id: int, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write requests of one command, each under a permit; none of them when there are not enough permits."""
        requests = list(bodies)
        out, pack = self._out, codec.pack_header
        for number, (body, _) in zip(self._open(requests, now), requests, strict=True):
            out += (pack(HEADER_LENGTH + len(body), command_id, number), body)

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in the side's table `_hot`."""
        pdu = codec.decode(frame)
        kind = type(pdu)
        if kind is pdus.ActiveTest:
            self.send(pdus.ActiveTestResp(sequence_id=pdu.sequence_id))
        elif kind is pdus.ActiveTestResp:
            pass  # being heard of is all it is for
        elif kind is pdus.Exit:
            self.send(pdus.ExitResp(sequence_id=pdu.sequence_id))
            events.append(Unbound())
            self._end("the peer exited")
        elif kind is pdus.ExitResp:
            self._unbound(events)
        else:
            self._take_other(pdu, events)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        """Handle what this side has no use for."""
        events.append(PeerFault(f"unexpected {type(pdu).__name__}, sequence number {pdu.sequence_id}"))

    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer Submit and Deliver with the status; other requests have no answer that says what is wrong."""
        _, command_id, sequence = codec.header(frame)
        events.append(PeerFault(f"{error} (command 0x{command_id:08x}, sequence number {sequence}): status {error.status}"))
        if command_id == Command.SUBMIT:
            self.send(pdus.SubmitResp(sequence_id=sequence, status=error.status))
        elif command_id == Command.DELIVER:
            # Only a Deliver begins with an id; one that is cut short is answered as far as it came.
            msg_id = frame[_ID].ljust(MESSAGE_ID_SIZE, b"\0").hex()
            self.send(pdus.DeliverResp(sequence_id=sequence, msg_id=msg_id, status=error.status))

    def _write_probe(self) -> None:
        self.send(pdus.ActiveTest(sequence_id=self._sequence.next()))

    def _write_unbind(self) -> None:
        self.send(pdus.Exit(sequence_id=self._sequence.next()))
