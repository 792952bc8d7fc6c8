"""The service provider's end of an SMGP session: logs in, submits, and takes what is delivered."""

from collections.abc import Iterable, Sequence
from struct import Struct as Packed
from typing import Generic, TypeVar

from msgspec.structs import replace

from yanshu.protocols.events import Answered, BindRefused, Bound, Event, PeerFault, Requested
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.smgp import codec, digests, pdus
from yanshu.protocols.smgp.constants import Command, Status
from yanshu.protocols.smgp.session import SmgpSession

Item = TypeVar("Item")

_SUBMIT = int(Command.SUBMIT)
_SUBMIT_RESP = int(Command.SUBMIT_RESP)
_DELIVER = int(Command.DELIVER)
# SequenceID, MsgID and Status of a Submit_Resp long enough for them.
_ANSWER = Packed(">I10sI")
_ANSWER_AT = 8
_SHORTEST = _ANSWER_AT + _ANSWER.size


class SpSession(SmgpSession[Item], Generic[Item]):
    """A session we open at a gateway. `login` says as whom and for what (`LoginMode`); its sequence_id is set here.

    Events: `Bound` or `BindRefused`, then `Answered` (the id is MsgID as 20 hex digits), `TimedOut`, `Lost` for what was submitted,
    and `Requested` with a `Deliver` for each text or report, which must be acknowledged. The `secret` is only used to look at the
    gateway's digest: `gateway_is_proven` tells what came of it.
    """

    def __init__(self, login: pdus.Login, secret: str, window: int, timers: Timers) -> None:
        super().__init__(window, timers)
        self._login = login
        self._secret = secret
        self._hot = {_SUBMIT_RESP: self._answered, _DELIVER: self._delivered}
        self.gateway_is_proven: bool | None = None

    def connected(self, now: float) -> list[Event]:
        """Ask to log in."""
        events = super().connected(now)
        self._login = replace(self._login, sequence_id=self._sequence.next())
        self.send(self._login)
        return events

    def submit(self, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write one Submit for each body; there must be a permit for each."""
        self._request(_SUBMIT, bodies, now)

    def acknowledge(self, requests: Sequence[pdus.Deliver], status: int = Status.OK) -> None:
        """Answer deliveries: OK once they are safe, else a status that makes the gateway deliver them again."""
        self._out.extend([codec.delivered(pdu, status) for pdu in requests])

    def _answered(self, frame: bytes, events: list[Event]) -> None:
        """Match a Submit_Resp to its request."""
        if len(frame) < _SHORTEST:
            self._take(frame, events)
            return
        sequence, msg_id, status = _ANSWER.unpack_from(frame, _ANSWER_AT)
        closed = self._close(sequence, events)
        if closed is not None:
            events.append(Answered(closed[0], status, msg_id.hex(), closed[1]))

    def _delivered(self, frame: bytes, events: list[Event]) -> None:
        """Take a text or a report; what is not quite as it should be, or has parameters, goes the long way."""
        pdu = codec.delivery(frame) if self._phase is Phase.BOUND else None
        if pdu is None:
            self._take(frame, events)
        else:
            events.append(Requested(pdu))

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if type(pdu) is pdus.LoginResp and self._phase is Phase.OPEN:
            self._login_answered(pdu, events)
        elif type(pdu) is pdus.Deliver and self._phase in {Phase.BOUND, Phase.UNBINDING}:
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _login_answered(self, pdu: pdus.LoginResp, events: list[Event]) -> None:
        if pdu.status != Status.OK:
            events.append(BindRefused(pdu.status))
            self._end(f"Login refused with status {pdu.status}")
            return
        client = self._login.authenticator_client
        self.gateway_is_proven = digests.is_from_gateway(pdu.authenticator_server, pdu.status, client, self._secret)
        self._enter(Phase.BOUND)
        if not self.gateway_is_proven:
            events.append(PeerFault("the gateway's digest does not fit the secret"))
        events.append(Bound("", pdu.server_version))
