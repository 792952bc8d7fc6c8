"""What both ends of a CMPP session share: ACTIVE_TEST, TERMINATE and what is answered to nonsense (protocols.md §4.7)."""

from struct import Struct as Packed
from typing import Generic, TypeVar

from yanshu.protocols.active_test import ActiveTestSession, Manners
from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, RESPONSE_BIT, Command, Version
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Event, PeerFault
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Timers

Item = TypeVar("Item")

# Msg_Id, then a result of as many octets as the version has.
_ID = Packed(">Q")
_RESPONSES: dict[int, type[pdus.SubmitResp] | type[pdus.DeliverResp]] = {
    Command.SUBMIT: pdus.SubmitResp,
    Command.DELIVER: pdus.DeliverResp,
}


class CmppSession(ActiveTestSession[Item], Generic[Item]):
    """One end of a session in `version`. `SpSession` and `IsmgSession` say what their side does with logins and texts."""

    _manners = Manners(pdus.ActiveTest, pdus.ActiveTestResp, pdus.Terminate, pdus.TerminateResp)

    def __init__(self, version: Version, window: int, timers: Timers) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), MAX_SEQUENCE)
        self.version = version

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_id included."""
        self._out.append(codec.encode(pdu, self.version))

    def _decode(self, frame: bytes) -> pdus.Pdu:
        return codec.decode(frame, self.version)

    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer SUBMIT and DELIVER with the result; other requests have no answer that says what is wrong."""
        _, command_id, sequence = codec.header(frame)
        events.append(PeerFault(f"{error} (command 0x{command_id:08x}, sequence number {sequence}): result {error.status}"))
        kind = _RESPONSES.get(command_id) if not command_id & RESPONSE_BIT else None
        if kind is not None:
            ident = _ID.unpack_from(frame, HEADER_LENGTH)[0] if len(frame) >= HEADER_LENGTH + _ID.size else 0
            self.send(kind(sequence_id=sequence, msg_id=ident, result=error.status))
