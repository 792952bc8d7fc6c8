"""The service provider's end of a CMPP session: connects, submits, and takes what is delivered."""

from collections.abc import Iterable, Sequence
from struct import Struct as Packed
from typing import Generic, Protocol, TypeVar

from yanshu.protocols.cmpp import codec, digests, pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, UNPROVEN, Command, ConnectStatus, Result, Version, version_of
from yanshu.protocols.cmpp.session import CmppSession
from yanshu.protocols.events import Answered, BindRefused, Bound, Event, PeerFault, Requested
from yanshu.protocols.session import Phase, Timers

Item = TypeVar("Item")

_SUBMIT = int(Command.SUBMIT)
_SUBMIT_RESP = int(Command.SUBMIT_RESP)
_DELIVER = int(Command.DELIVER)
# Sequence_Id and Msg_Id, of a response long enough for both.
_SEQUENCE_ID = Packed(">IQ")
_RESULT_AT = HEADER_LENGTH + 8
_WIDE_END = _RESULT_AT + 4


class SubmitBody(Protocol):
    """What to submit, whichever version the session comes to speak."""

    def octets(self, version: Version) -> bytes:
        """Return the octets behind the header."""


class SpSession(CmppSession[Item], Generic[Item]):
    """A session we open at a gateway. `connect` says as whom; its sequence_id is set here, its version is the session's.

    Events: `Bound` or `BindRefused`, then `Answered` (the id is Msg_Id as 16 hex digits), `TimedOut`, `Lost` for what was submitted,
    and `Requested` with a `Deliver` for each text or report, which must be acknowledged. The `secret` is only used to look at the
    gateway's digest: `gateway_is_proven` tells what came of it. A gateway that accepts the login and names a lower version is spoken
    to in that. Where it `must_prove` itself, one that does not is left with `BindRefused` of status `UNPROVEN`.
    """

    def __init__(self, connect: pdus.Connect, secret: str, window: int, timers: Timers, *, must_prove: bool = False) -> None:
        super().__init__(version_of(connect.version), window, timers)
        self._connect = connect
        self._secret = secret
        self._must_prove = must_prove
        self._hot = {_SUBMIT_RESP: self._answered, _DELIVER: self._delivered}
        self.gateway_is_proven: bool | None = None

    def connected(self, now: float) -> list[Event]:
        """Ask to log in."""
        events = super().connected(now)
        self._connect.sequence_id = self._sequence.next()
        self.send(self._connect)
        return events

    def submit(self, bodies: Iterable[tuple[SubmitBody, Item]], now: float) -> None:
        """Write one SUBMIT for each body; there must be a permit for each."""
        version = self.version
        self._request(_SUBMIT, [(body.octets(version), item) for body, item in bodies], now)

    def acknowledge(self, requests: Sequence[pdus.Deliver], result: int = Result.OK) -> None:
        """Answer deliveries: OK once they are safe, else a result that makes the gateway deliver them again."""
        self._out.extend([codec.delivered(pdu, result, self.version) for pdu in requests])

    def _answered(self, frame: bytes, events: list[Event]) -> None:
        """Match a SUBMIT_RESP to its request; a result has 1 octet or 4, whatever the version."""
        if len(frame) <= _RESULT_AT:
            self._take(frame, events)
            return
        sequence, ident = _SEQUENCE_ID.unpack_from(frame, 8)
        closed = self._close(sequence, events)
        if closed is not None:
            result = frame[_RESULT_AT] if len(frame) < _WIDE_END else int.from_bytes(frame[_RESULT_AT:_WIDE_END], "big")
            events.append(Answered(closed[0], result, f"{ident:016x}", closed[1]))

    def _delivered(self, frame: bytes, events: list[Event]) -> None:
        """Take a text or a report; what is not quite as it should be goes the long way."""
        pdu = codec.delivery(frame, self.version) if self._phase is Phase.BOUND else None
        if pdu is None:
            self._take(frame, events)
        else:
            events.append(Requested(pdu))

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if type(pdu) is pdus.ConnectResp and self._phase is Phase.OPEN:
            self._connect_answered(pdu, events)
        elif type(pdu) is pdus.Deliver and self._phase in {Phase.BOUND, Phase.UNBINDING}:
            events.append(Requested(pdu))
        else:
            super()._take_other(pdu, events)

    def _connect_answered(self, pdu: pdus.ConnectResp, events: list[Event]) -> None:
        if pdu.status == ConnectStatus.OK:
            source = self._connect.authenticator_source
            self.gateway_is_proven = digests.is_from_gateway(pdu.authenticator_ismg, pdu.status, source, self._secret)
            if self._must_prove and not self.gateway_is_proven:
                events.append(BindRefused(UNPROVEN))
                self._end("the gateway did not prove itself")
                return
            if pdu.version:  # some gateways leave it out
                self.version = min(self.version, version_of(pdu.version))
            self._enter(Phase.BOUND)
            if not self.gateway_is_proven:
                events.append(PeerFault("the gateway's digest does not fit the secret"))
            events.append(Bound("", pdu.version))
        else:
            events.append(BindRefused(pdu.status))
            self._end(f"CONNECT refused with status {pdu.status}")
