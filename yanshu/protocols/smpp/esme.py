"""The client's end of an SMPP session: binds, submits, and takes what is delivered."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from yanshu.protocols.events import BindRefused, Bound, Event, PeerFault, Requested
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Command, Status, Tag, status_name
from yanshu.protocols.smpp.session import SmppSession

Item = TypeVar("Item")

_DELIVER_SM_RESP_LENGTH = 17
# Plain names: looking members of an enum up costs as much as the rest of the hot path's dispatch.
_BOUND, _UNBINDING = Phase.BOUND, Phase.UNBINDING
_SUBMIT_SM_RESP = int(Command.SUBMIT_SM_RESP)
_DELIVER_SM = int(Command.DELIVER_SM)
_DELIVER_SM_RESP = int(Command.DELIVER_SM_RESP)


class EsmeSession(SmppSession[Item], Generic[Item]):
    """A session we open at a carrier. `bind` says as what; its sequence_number is set here.

    Events: `Bound` or `BindRefused`, then `Answered`, `TimedOut`, `Lost` for what was submitted, and `Requested` with a
    `DeliverSm` or `DataSm` for each text or receipt, which must be acknowledged.
    """

    def __init__(self, bind: pdus.Bind, window: int, timers: Timers) -> None:
        super().__init__(window, timers)
        self._bind = bind
        self._hot = {_SUBMIT_SM_RESP: self._answered, _DELIVER_SM: self._delivered}

    def connected(self, now: float) -> list[Event]:
        """Ask to bind."""
        events = super().connected(now)
        self._bind.sequence_number = self._sequence.next()
        self.send(self._bind)
        return events

    def submit(self, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write one submit_sm for each body (see `submits.SubmitBuilder`); there must be a permit for each."""
        self._request(Command.SUBMIT_SM, bodies, now)

    def acknowledge(self, requests: Sequence[pdus.Pdu], status: int = Status.ESME_ROK) -> None:
        """Answer deliveries: OK once they are safe, else a status that makes the carrier deliver them again."""
        pack, out = codec.pack_header, self._out
        for pdu in requests:
            if type(pdu) is pdus.DeliverSm:
                out.append(pack(_DELIVER_SM_RESP_LENGTH, _DELIVER_SM_RESP, status, pdu.sequence_number) + b"\0")
            else:
                self.send(codec.response_to(pdu, command_status=status))

    def _delivered(self, frame: bytes, events: list[Event]) -> None:
        if self._phase is _BOUND or self._phase is _UNBINDING:
            events.append(Requested(codec.decode_sm(frame, pdus.DeliverSm)))
        else:
            self._take(frame, events)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if isinstance(pdu, pdus.BindResp) and self._phase is Phase.OPEN:
            self._bind_answered(pdu, events)
        elif isinstance(pdu, pdus.DataSm) and self._phase in {Phase.BOUND, Phase.UNBINDING}:
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _bind_answered(self, pdu: pdus.BindResp, events: list[Event]) -> None:
        if pdu.sequence_number != self._bind.sequence_number:
            events.append(PeerFault(f"an answer to another bind, sequence_number {pdu.sequence_number}"))
        elif pdu.command_status == Status.ESME_ROK:
            self._enter(Phase.BOUND)
            events.append(Bound(pdu.system_id, codec.tlv_number(pdu.tlvs, Tag.SC_INTERFACE_VERSION)))
        else:
            self._bind_refused(pdu.command_status, events)

    def _nacked(self, status: int, sequence: int, events: list[Event]) -> None:
        if self._phase is Phase.OPEN and sequence == self._bind.sequence_number:
            self._bind_refused(status, events)
        else:
            super()._nacked(status, sequence, events)

    def _bind_refused(self, status: int, events: list[Event]) -> None:
        events.append(BindRefused(status))
        self._end(f"bind refused: {status_name(status)}")
