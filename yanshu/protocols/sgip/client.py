"""The end of an SGIP session that connects: an SP's to submit, or a gateway's to deliver and report."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec.structs import replace

from yanshu.protocols.events import Answered, BindRefused, Bound, Event
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import HEADER_LENGTH, Command, LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences, SequenceWindow, sequence_of
from yanshu.protocols.sgip.repeats import Repeats
from yanshu.protocols.sgip.session import STARTED_BY, SgipSession

Item = TypeVar("Item")

_SUBMIT = int(Command.SUBMIT)
_ANSWERS = (Command.SUBMIT_RESP, Command.DELIVER_RESP, Command.REPORT_RESP, Command.USER_RPT_RESP)
_SEQUENCE = slice(8, HEADER_LENGTH)
_SEQUENCE_OCTETS = 12
# Some gateways report over the connection we submit on; nobody submits over one that we deliver on.
_TAKEN: dict[int, frozenset[type[pdus.Pdu]]] = {LoginType.SP_TO_SMG: STARTED_BY[LoginType.SMG_TO_SP]}
# A peer that hangs up so long after the last request does it because nothing happens; one that hangs up earlier is in trouble.
_QUIET_SECONDS = 5.0


class ClientSession(SgipSession[Item], Generic[Item]):
    """A session we open. `bind` says as whom; its sequence is set here. `sequences` go on over all sessions of a link.

    Events: `Bound` or `BindRefused`, then `Answered`, `TimedOut`, `Lost` for what was asked; the id of a message is the sequence
    of its SUBMIT as 24 hex digits, with or without an answer. An SP gets `Requested`, too, for what a gateway delivers over the
    same connection. A session that `leaves_when_idle` is at rest then, and its owner comes back on demand.
    """

    def __init__(
        self,
        bind: pdus.Bind,
        sequences: Sequences,
        window: int,
        timers: Timers,
        repeats: Repeats | None = None,
        *,
        leaves_when_idle: bool = True,
    ) -> None:
        super().__init__(_TAKEN.get(bind.login_type, frozenset()), window, timers, repeats)
        self._bind = bind
        self._sequences = sequences
        self._requests: SequenceWindow[Item] = SequenceWindow(window, timers.response_timeout_seconds, sequences)
        self._window = self._requests
        self._hot = {int(command): self._answered for command in _ANSWERS}
        self._leaves_when_idle = leaves_when_idle
        self._was_bound = False
        self._is_leaving = False
        self._asked_at = 0.0

    def connected(self, now: float) -> list[Event]:
        """Ask to bind."""
        events = super().connected(now)
        self._asked_at = now
        self._sequences.stamp(now)
        self.send(replace(self._bind, sequence=sequence_of(self._sequences.next())))
        return events

    def connection_lost(self, now: float) -> list[Event]:
        """The connection is gone; nothing is wrong about that when nothing was asked for a while."""
        is_quiet = self._is_leaving or (not self.outstanding and now - self._asked_at >= _QUIET_SECONDS)
        self.is_at_rest = self._leaves_when_idle and self._was_bound and is_quiet
        return super().connection_lost(now)

    def submit(self, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write one SUBMIT for each body; there must be a permit for each."""
        self._request([((_SUBMIT, body), item) for body, item in bodies], now)

    def deliver(self, deliveries: Iterable[tuple[pdus.Deliver | pdus.Report | pdus.UserRpt, Item]], now: float) -> None:
        """Write deliveries and reports; there must be a permit for each."""
        self._request([((codec.command_of(pdu), codec.body(pdu)), item) for pdu, item in deliveries], now)

    def _request(self, requests: list[tuple[tuple[int, bytes], Item]], now: float) -> None:
        """Write requests, a command and a body each, under a permit; none of them when there are not enough permits."""
        out, pack = self._out, codec.pack_header
        for number, ((command_id, body), _) in zip(self._open(requests, now), requests, strict=True):
            out += (pack(HEADER_LENGTH + len(body), command_id, number.to_bytes(_SEQUENCE_OCTETS, "big")), body)
        self._asked_at = now

    def _answered(self, frame: bytes, events: list[Event]) -> None:
        """Match a response to its request; the reserve behind the result may be missing."""
        if len(frame) <= HEADER_LENGTH:
            self._take(frame, events)
            return
        number = self._requests.find(int.from_bytes(frame[_SEQUENCE], "big"))
        closed = self._close(number, events)
        if closed is not None:
            events.append(Answered(closed[0], frame[HEADER_LENGTH], self._id_before_answer(number), closed[1]))

    def _id_before_answer(self, number: int) -> str:
        return sequence_of(number).message_id

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if type(pdu) is not pdus.BindResp or self._phase is not Phase.OPEN:
            super()._take_other(pdu, events)
        elif pdu.result == Result.OK:
            self._enter(Phase.BOUND)
            self._was_bound = True
            events.append(Bound("", None))
        else:
            events.append(BindRefused(pdu.result))
            self._end(f"BIND refused with result {pdu.result}")

    def _write_probe(self) -> None:
        """Nothing was heard for a while. There is no question to ask: with requests outstanding that is a miss, without them it is rest."""
        if self.outstanding:
            return
        if self._leaves_when_idle:
            self._is_leaving = True
            self.unbind(self._quiet_since)
        else:
            self._misses = 0

    def _write_unbind(self) -> None:
        self.send(pdus.Unbind(sequence=sequence_of(self._sequences.next())))
