"""The gateway's end of a CMPP session: judges logins, takes submits, delivers texts and reports."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from yanshu.protocols.cmpp import codec, digests, pdus
from yanshu.protocols.cmpp.constants import Command, ConnectStatus, Result, Version, version_of
from yanshu.protocols.cmpp.session import CmppSession
from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.events import Answered, BindRequested, Event, PeerFault, Requested
from yanshu.protocols.session import Phase, Timers

Item = TypeVar("Item")

_STATUS_WIDTH = {Version.V20: 1, Version.V30: 4}


class IsmgSession(CmppSession[Item], Generic[Item]):
    """A session a client opens at us; the version is what its CONNECT asks for, at most `highest`.

    Events: `BindRequested`, to be answered by `accept` or `refuse`; `Requested` with `Submit`, `Query` or `Cancel`, to be answered
    by `answer`; `Answered`, `TimedOut`, `Lost` for what was delivered.
    """

    def __init__(self, window: int, timers: Timers, highest: Version = Version.V30) -> None:
        super().__init__(highest, window, timers)
        self._highest = highest
        self._asked: pdus.Connect | None = None

    def proves(self, request: pdus.Connect, secret: str) -> bool:
        """Whether a CONNECT was made with this secret."""
        return digests.is_from_client(request.authenticator_source, request.source_addr, secret, request.timestamp)

    def accept(self, secret: str) -> None:
        """Let the client in, and prove who we are."""
        request = self._take_asked()
        digest = digests.authenticator_ismg(0, request.authenticator_source, secret, _STATUS_WIDTH[self.version])
        self._enter(Phase.BOUND)
        self.send(pdus.ConnectResp(sequence_id=request.sequence_id, authenticator_ismg=digest, version=int(self.version)))

    def refuse(self, status: int) -> None:
        """Send the client away; the session is over."""
        request = self._take_asked()
        self.send(pdus.ConnectResp(sequence_id=request.sequence_id, status=status, version=int(self._highest)))
        self._end(f"CONNECT refused with status {status}")

    def answer(self, request: pdus.Pdu, **values: object) -> None:
        """Answer a request; `values` fill the fields of the response (``msg_id=…, result=…``)."""
        self.send(codec.response_to(request, **values))

    def deliver(self, deliveries: Iterable[tuple[pdus.Deliver, Item]], now: float) -> None:
        """Write deliveries; there must be a permit for each."""
        self._request(Command.DELIVER, [(codec.body(pdu, self.version), item) for pdu, item in deliveries], now)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        kind = type(pdu)
        if kind is pdus.Connect:
            self._connect_asked(pdu, events)  # type: ignore[arg-type]
        elif kind is pdus.DeliverResp:
            closed = self._close(pdu.sequence_id, events)
            if closed is not None:
                events.append(Answered(closed[0], pdu.result, "", closed[1]))  # type: ignore[attr-defined]
        elif kind in {pdus.Submit, pdus.Query, pdus.Cancel}:
            if self._phase is not Phase.BOUND:
                # Not before the login; and while we take our leave, nothing is taken: try again elsewhere or later.
                raise RemoteProtocolError(
                    f"{kind.__name__} outside of a session", Result.FLOW_CONTROL if self._phase is Phase.UNBINDING else Result.COMMAND
                )
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _connect_asked(self, pdu: pdus.Connect, events: list[Event]) -> None:
        if self._phase is not Phase.OPEN or self._asked is not None:
            events.append(PeerFault("a second CONNECT"))
            return
        self._asked = pdu
        wanted = version_of(pdu.version)
        if wanted > self._highest:
            self.refuse(ConnectStatus.VERSION_TOO_HIGH)
            return
        self.version = wanted
        events.append(BindRequested(pdu))

    def _take_asked(self) -> pdus.Connect:
        if self._asked is None or self._phase is not Phase.OPEN:
            raise LocalProtocolError("no client asks to connect")
        return self._asked
