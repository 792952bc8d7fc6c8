"""What both ends of a CMPP session share: ACTIVE_TEST, TERMINATE and what is answered to nonsense (protocols.md §4.7)."""

from collections.abc import Iterable
from struct import Struct as Packed
from typing import Generic, TypeVar

from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, RESPONSE_BIT, Command, Version
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Event, PeerFault, Unbound
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Timers, WireSession

Item = TypeVar("Item")

# Msg_Id, then a result of as many octets as the version has.
_ID = Packed(">Q")
_RESPONSES: dict[int, type[pdus.SubmitResp] | type[pdus.DeliverResp]] = {
    Command.SUBMIT: pdus.SubmitResp,
    Command.DELIVER: pdus.DeliverResp,
}


class CmppSession(WireSession[Item], Generic[Item]):
    """One end of a session in `version`. `SpSession` and `IsmgSession` say what their side does with logins and texts."""

    def __init__(self, version: Version, window: int, timers: Timers) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), MAX_SEQUENCE)
        self.version = version

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_id included."""
        self._out.append(codec.encode(pdu, self.version))

    def _request(self, command_id: int, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write requests of one command, each under a permit; none of them when there are not enough permits."""
        requests = list(bodies)
        out, pack = self._out, codec.pack_header
        for number, (body, _) in zip(self._open(requests, now), requests, strict=True):
            out += (pack(HEADER_LENGTH + len(body), command_id, number), body)

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in the side's table `_hot`."""
        pdu = codec.decode(frame, self.version)
        kind = type(pdu)
        if kind is pdus.ActiveTest:
            self.send(pdus.ActiveTestResp(sequence_id=pdu.sequence_id))
        elif kind is pdus.ActiveTestResp:
            pass  # being heard of is all it is for
        elif kind is pdus.Terminate:
            self.send(pdus.TerminateResp(sequence_id=pdu.sequence_id))
            events.append(Unbound())
            self._end("the peer terminated")
        elif kind is pdus.TerminateResp:
            self._unbound(events)
        else:
            self._take_other(pdu, events)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        """Handle what this side has no use for."""
        events.append(PeerFault(f"unexpected {type(pdu).__name__}, sequence number {pdu.sequence_id}"))

    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer SUBMIT and DELIVER with the result; other requests have no answer that says what is wrong."""
        _, command_id, sequence = codec.header(frame)
        events.append(PeerFault(f"{error} (command 0x{command_id:08x}, sequence number {sequence}): result {error.status}"))
        kind = _RESPONSES.get(command_id) if not command_id & RESPONSE_BIT else None
        if kind is not None:
            ident = _ID.unpack_from(frame, HEADER_LENGTH)[0] if len(frame) >= HEADER_LENGTH + _ID.size else 0
            self.send(kind(sequence_id=sequence, msg_id=ident, result=error.status))

    def _write_probe(self) -> None:
        self.send(pdus.ActiveTest(sequence_id=self._sequence.next()))

    def _write_unbind(self) -> None:
        self.send(pdus.Terminate(sequence_id=self._sequence.next()))
