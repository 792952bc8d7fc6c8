"""The server's end of an SMPP session: judges binds, takes submits, delivers texts and receipts."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.events import BindRequested, Event, Requested
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import HEADER_LENGTH, VERSION, Command, Status, Tag, status_name
from yanshu.protocols.smpp.session import SmppSession

Item = TypeVar("Item")

# Plain integers: looking members of an enum up costs as much as the rest of the hot path's dispatch.
_SUBMIT_SM = int(Command.SUBMIT_SM)
_SUBMIT_SM_RESP = int(Command.SUBMIT_SM_RESP)
_DELIVER_SM_RESP = int(Command.DELIVER_SM_RESP)


class SmscSession(SmppSession[Item], Generic[Item]):
    """A session a client opens at us.

    Events: `BindRequested`, to be answered by `accept_bind` or `refuse_bind`; `Requested` with `SubmitSm`, `DataSm`,
    `QuerySm` or `CancelSm`, to be answered by `answer`; `Answered`, `TimedOut`, `Lost` for what was delivered.
    """

    def __init__(self, window: int, timers: Timers) -> None:
        super().__init__(window, timers)
        self.bound_as: pdus.Bind | None = None
        self._asked: pdus.Bind | None = None
        self._hot = {_DELIVER_SM_RESP: self._answered, _SUBMIT_SM: self._submitted}

    def accept_bind(self, system_id: str) -> None:
        """Let the client in."""
        request = self._take_asked()
        self.bound_as = request
        self._enter(Phase.BOUND)
        self.send(codec.response_to(request, system_id=system_id, tlvs={int(Tag.SC_INTERFACE_VERSION): bytes((VERSION,))}))

    def refuse_bind(self, status: int) -> None:
        """Send the client away; the session is over."""
        self.send(codec.response_to(self._take_asked(), command_status=status))
        self._end(f"bind refused: {status_name(status)}")

    def answer(self, request: pdus.Pdu, status: int = Status.ESME_ROK, **values: object) -> None:
        """Answer a request; `values` fill the fields of the response (``message_id=…``)."""
        if type(request) is pdus.SubmitSm:
            body = b"" if status else codec.encode_text("message_id", str(values.get("message_id", "")), 65)
            self._out.append(codec.pack_header(HEADER_LENGTH + len(body), _SUBMIT_SM_RESP, status, request.sequence_number) + body)
        else:
            self.send(codec.response_to(request, command_status=status, **values))

    def deliver(self, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write one deliver_sm for each body (see `codec.body`); there must be a permit for each."""
        self._request(Command.DELIVER_SM, bodies, now)

    def _submitted(self, frame: bytes, events: list[Event]) -> None:
        if self._may_submit():
            events.append(Requested(codec.decode_sm(frame, pdus.SubmitSm)))
        else:
            self._take(frame, events)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if isinstance(pdu, pdus.Bind):
            if self._phase is not Phase.OPEN or self._asked is not None:
                raise RemoteProtocolError("a second bind", Status.ESME_RALYBND)
            self._asked = pdu
            events.append(BindRequested(pdu))
        elif isinstance(pdu, pdus.DataSm | pdus.QuerySm | pdus.CancelSm) and self._may_submit():
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _may_submit(self) -> bool:
        return self._phase is Phase.BOUND and not isinstance(self.bound_as, pdus.BindReceiver)

    def _take_asked(self) -> pdus.Bind:
        if self._asked is None or self._phase is not Phase.OPEN:
            raise LocalProtocolError("no client asks to bind")
        return self._asked
