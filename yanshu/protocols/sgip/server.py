"""The end of an SGIP session that listens: an SP's for what the gateway delivers and reports, or a gateway's for submits."""

from typing import Generic, TypeVar

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.events import BindRequested, Event, PeerFault
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.constants import LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences
from yanshu.protocols.sgip.repeats import Repeats
from yanshu.protocols.sgip.session import STARTED_BY, SgipSession

Item = TypeVar("Item")


class ServerSession(SgipSession[Item], Generic[Item]):
    """A session a peer opens at us with a BIND of `login_type`. Idle or given up, it closes without a word.

    Events: `BindRequested`, to be answered by `accept` or `refuse`; then `Requested` for what the peer may start, to be answered by
    `acknowledge`. Everything else is answered with a result here. A server asks nothing, save the gateways that deliver and report
    over the connection of the SP: these have a `window`, and `sequences`.
    """

    def __init__(
        self, login_type: LoginType, timers: Timers, repeats: Repeats | None = None, window: int = 0, sequences: Sequences | None = None
    ) -> None:
        super().__init__(STARTED_BY[login_type], sequences or Sequences(0, lambda _: 0), window, timers, repeats)
        self._login_type = login_type
        self._asked: pdus.Bind | None = None

    def accept(self) -> None:
        """Let the peer in."""
        request = self._take_asked()
        self._enter(Phase.BOUND)
        self.send(pdus.BindResp(sequence=request.sequence))

    def refuse(self, result: int = Result.BAD_LOGIN) -> None:
        """Send the peer away; the session is over."""
        request = self._take_asked()
        self.send(pdus.BindResp(sequence=request.sequence, result=result))
        self._end(f"BIND refused with result {result}")

    def unbind(self, now: float) -> None:  # noqa: ARG002 - the shape all sessions have
        """End the session; a server says no goodbye."""
        self._end("closed")

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if type(pdu) is pdus.Bind:
            self._bind_asked(pdu, events)
        else:
            super()._take_other(pdu, events)

    def _bind_asked(self, pdu: pdus.Bind, events: list[Event]) -> None:
        if self._asked is not None:
            raise RemoteProtocolError("a second BIND", Result.DOUBLE_LOGIN)
        self._asked = pdu
        if pdu.login_type == self._login_type:
            events.append(BindRequested(pdu))
        else:
            events.append(PeerFault(f"BIND of {pdu.login_name!r} with login type {pdu.login_type}, not {int(self._login_type)}"))
            self.refuse(Result.LOGIN_TYPE)

    def _take_asked(self) -> pdus.Bind:
        if self._asked is None or self._phase is not Phase.OPEN:
            raise LocalProtocolError("no peer asks to bind")
        return self._asked

    def _write_probe(self) -> None:
        if not self.outstanding:
            self._end("idle")

    def _write_unbind(self) -> None:
        """There is no request of a server's, not even this one."""
