"""The gateway's end of an SMGP session: judges logins, takes submits, delivers texts and reports."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.events import Answered, BindRequested, Event, PeerFault, Requested
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.smgp import codec, digests, pdus
from yanshu.protocols.smgp.constants import VERSION, Command, Status
from yanshu.protocols.smgp.session import SmgpSession

Item = TypeVar("Item")


class SmgwSession(SmgpSession[Item], Generic[Item]):
    """A session a client opens at us. Lower versions than ours are let in: clients write 0x13 and mean 3.0.

    Events: `BindRequested`, to be answered by `accept` or `refuse`; `Requested` with `Submit`, to be answered by `answer`, or with
    `Query`, by `send`; `Answered`, `TimedOut`, `Lost` for what was delivered.
    """

    def __init__(self, window: int, timers: Timers) -> None:
        super().__init__(window, timers)
        self._asked: pdus.Login | None = None

    def proves(self, request: pdus.Login, secret: str) -> bool:
        """Whether a Login was made with this secret."""
        return digests.is_from_client(request.authenticator_client, request.client_id, secret, request.timestamp)

    def accept(self, secret: str) -> None:
        """Let the client in, and prove who we are."""
        request = self._take_asked()
        digest = digests.authenticator_server(Status.OK, request.authenticator_client, secret)
        self._enter(Phase.BOUND)
        self.send(pdus.LoginResp(sequence_id=request.sequence_id, authenticator_server=digest))

    def refuse(self, status: int) -> None:
        """Send the client away; the session is over."""
        request = self._take_asked()
        self.send(pdus.LoginResp(sequence_id=request.sequence_id, status=status))
        self._end(f"Login refused with status {status}")

    def answer(self, request: pdus.Submit, status: int = Status.OK, msg_id: str = pdus.NO_ID) -> None:
        """Answer a submit; `msg_id` is 20 hex digits."""
        self.send(pdus.SubmitResp(sequence_id=request.sequence_id, msg_id=msg_id, status=status))

    def deliver(self, deliveries: Iterable[tuple[pdus.Deliver, Item]], now: float) -> None:
        """Write deliveries; there must be a permit for each."""
        self._request(Command.DELIVER, [(codec.body(pdu), item) for pdu, item in deliveries], now)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if isinstance(pdu, pdus.Login):
            self._login_asked(pdu, events)
        elif isinstance(pdu, pdus.DeliverResp):
            closed = self._close(pdu.sequence_id, events)
            if closed is not None:
                events.append(Answered(closed[0], pdu.status, "", closed[1]))
        elif type(pdu) in {pdus.Submit, pdus.Query}:
            if self._phase is not Phase.BOUND:
                # Not before the login; and while we take our leave, nothing is taken: try again elsewhere or later.
                status = Status.BUSY if self._phase is Phase.UNBINDING else Status.COMMAND
                raise RemoteProtocolError(f"{type(pdu).__name__} outside of a session", status)
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _login_asked(self, pdu: pdus.Login, events: list[Event]) -> None:
        if self._phase is not Phase.OPEN or self._asked is not None:
            events.append(PeerFault("a second Login"))
            return
        self._asked = pdu
        if pdu.client_version > VERSION:
            self.refuse(Status.VERSION_TOO_HIGH)
        else:
            events.append(BindRequested(pdu))

    def _take_asked(self) -> pdus.Login:
        if self._asked is None or self._phase is not Phase.OPEN:
            raise LocalProtocolError("no client asks to log in")
        return self._asked
