"""What both ends of an SMGP session share: Active_Test, Exit and what is answered to nonsense (protocols.md §6.7)."""

from typing import Generic, TypeVar

from yanshu.protocols.active_test import ActiveTestSession, Manners
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Event, PeerFault
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Timers
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import HEADER_LENGTH, MAX_LENGTH, MAX_SEQUENCE, MESSAGE_ID_SIZE, Command

Item = TypeVar("Item")

_ID = slice(HEADER_LENGTH, HEADER_LENGTH + MESSAGE_ID_SIZE)


class SmgpSession(ActiveTestSession[Item], Generic[Item]):
    """One end of a session. `SpSession` and `SmgwSession` say what their side does with logins and texts."""

    _manners = Manners(pdus.ActiveTest, pdus.ActiveTestResp, pdus.Exit, pdus.ExitResp)

    def __init__(self, window: int, timers: Timers) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), MAX_SEQUENCE)

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence_id included."""
        self._out.append(codec.encode(pdu))

    def _decode(self, frame: bytes) -> pdus.Pdu:
        return codec.decode(frame)

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
