"""What both ends of an SGIP session share: UNBIND, acknowledgements, and what is answered to nonsense (protocols.md §5.1).

Each side is the client of the sessions for what it starts, and a request travels from client to server. There is no heartbeat:
`probe_seconds` of the timers is how long a session may be idle before it is left.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.events import Answered, Event, PeerFault, Requested, Unbound
from yanshu.protocols.fields import Framer
from yanshu.protocols.session import Phase, Timers, WireSession
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences, SequenceWindow, number_of, sequence_of
from yanshu.protocols.sgip.repeats import Repeats

Item = TypeVar("Item")

# What a side starts, by the login type of its BIND.
STARTED_BY: dict[int, frozenset[type[pdus.Pdu]]] = {
    LoginType.SP_TO_SMG: frozenset({pdus.Submit}),
    LoginType.SMG_TO_SP: frozenset({pdus.Deliver, pdus.Report, pdus.UserRpt}),
}
_ANSWERS = (Command.SUBMIT_RESP, Command.DELIVER_RESP, Command.REPORT_RESP, Command.USER_RPT_RESP)
_SEQUENCE = slice(8, HEADER_LENGTH)
_SEQUENCE_OCTETS = 12
_NEW = pdus.Sequence()
_RESERVE = bytes(8)


class SgipSession(WireSession[Item], Generic[Item]):
    """One end of a session, which takes requests of the kinds `takes` and numbers its own with `sequences`.

    `ClientSession` and `ServerSession` say the rest. For what was asked there is `Answered`, `TimedOut`, `Lost`; the id of a message is
    the sequence of its SUBMIT as 24 hex digits, with or without an answer. `_is_ignored`: the last requests got none.
    """

    def __init__(
        self, takes: frozenset[type[pdus.Pdu]], sequences: Sequences, window: int, timers: Timers, repeats: Repeats | None
    ) -> None:
        super().__init__(window, timers, Framer(HEADER_LENGTH, MAX_LENGTH), RESPONSE_BIT - 1)
        self._takes = takes
        self._sequences = sequences
        self._requests: SequenceWindow[Item] = SequenceWindow(window, timers.response_timeout_seconds, sequences)
        self._window = self._requests
        self._hot = {int(command): self._answered for command in _ANSWERS}
        if pdus.Report in takes:
            self._hot[int(Command.REPORT)] = self._reported
        self._is_ignored = False
        self._repeats = repeats or Repeats()

    def send(self, pdu: pdus.Pdu) -> None:
        """Write a PDU exactly as it is, its sequence included."""
        self._out.append(codec.encode(pdu))

    def acknowledge(self, requests: Iterable[pdus.Pdu], result: int = Result.OK) -> None:
        """Answer requests of the peer, each with its own sequence: OK once they are safe, else a result that says why not.

        Also to be called over a connection that is gone: what is safe is not taken again when the peer asks again over the next.
        """
        for pdu in requests:
            self._repeats.answered(pdu, result)
            self._out.append(codec.response(pdu, result))

    def deliver(self, deliveries: Iterable[tuple[pdus.Deliver | pdus.Report | pdus.UserRpt, Item]], now: float) -> list[pdus.Sequence]:
        """Write deliveries and reports, and return their sequences; there must be a permit for each.

        One that has a sequence is made again: it keeps that, and a peer that took it already will know.
        """
        asked = list(deliveries)
        self._check_room(len(asked))
        for pdu, item in asked:
            if pdu.sequence != _NEW:
                self._requests.reopen(number_of(pdu.sequence), item, now)
                self.send(pdu)
        new = [((codec.command_of(pdu), codec.body(pdu)), item) for pdu, item in asked if pdu.sequence == _NEW]
        numbers = iter(self._request(new, now))
        return [sequence_of(next(numbers)) if pdu.sequence == _NEW else pdu.sequence for pdu, _ in asked]

    def _request(self, requests: list[tuple[tuple[int, bytes], Item]], now: float) -> list[int]:
        """Write requests, a command and a body each, under a permit; none of them when there are not enough permits."""
        out, pack = self._out, codec.pack_header
        numbers = self._open(requests, now)
        for number, ((command_id, body), _) in zip(numbers, requests, strict=True):
            out += (pack(HEADER_LENGTH + len(body), command_id, number.to_bytes(_SEQUENCE_OCTETS, "big")), body)
        return numbers

    def _answered(self, frame: bytes, events: list[Event]) -> None:
        """Match a response to its request; the reserve behind the result may be missing."""
        if len(frame) <= HEADER_LENGTH:
            self._take(frame, events)
            return
        self._is_ignored = False
        octets = frame[_SEQUENCE]
        said = int.from_bytes(octets, "big")
        number = self._requests.find(said)
        closed = self._close(number, events)
        if closed is not None:
            ident = octets.hex() if number == said else self._id_before_answer(number)
            events.append(Answered(closed[0], frame[HEADER_LENGTH], ident, closed[1]))

    def _reported(self, frame: bytes, events: list[Event]) -> None:
        """Take a REPORT; what does not fit goes the way of all others."""
        pdu = codec.report(frame) if self._phase is Phase.BOUND else None
        if pdu is None:
            self._take(frame, events)
        else:
            self._requested(pdu, events)

    def _id_before_answer(self, number: int) -> str:
        return sequence_of(number).message_id

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in the side's table `_hot`."""
        pdu = codec.decode(frame)
        kind = type(pdu)
        if kind is pdus.Unbind:
            self.send(pdus.UnbindResp(sequence=pdu.sequence))
            events.append(Unbound())
            self._end("the peer unbound")
        elif kind is pdus.UnbindResp:
            self._unbound(events)
        elif kind in self._takes and self._phase in {Phase.BOUND, Phase.UNBINDING}:
            self._requested(pdu, events)
        else:
            self._take_other(pdu, events)

    def _requested(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        """Pass a request on; a repeated one gets the answer of the first, now or together with it."""
        if self._repeats.first(pdu, self):
            events.append(Requested(pdu))
            return
        result = self._repeats.result_of(pdu.sequence)
        if result is not None:
            self._out.append(codec.response(pdu, result))

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        """Handle what this side has no use for: requests are refused, responses left alone."""
        if codec.command_of(pdu) & RESPONSE_BIT:
            events.append(PeerFault(f"unexpected {type(pdu).__name__}, sequence {pdu.sequence.message_id}"))
        elif type(pdu) in self._takes:
            raise RemoteProtocolError(f"{type(pdu).__name__} before BIND", Result.BAD_LOGIN)
        else:
            raise RemoteProtocolError(f"{type(pdu).__name__} is not for this side", Result.COMMAND)

    def _refuse(self, frame: bytes, error: RemoteProtocolError, events: list[Event]) -> None:
        """Answer a request with the result; one that cannot be read ends the session, too. A response is never answered."""
        command_id, sequence = int.from_bytes(frame[4:8], "big"), frame[_SEQUENCE]
        events.append(PeerFault(f"{error} (command 0x{command_id:08x}, sequence {sequence.hex()}): result {error.status}"))
        if command_id & RESPONSE_BIT:
            return
        body = bytes((error.status,)) + _RESERVE
        self.send_octets(codec.pack_header(HEADER_LENGTH + len(body), command_id | RESPONSE_BIT, sequence) + body)
        if error.status == Result.LENGTH:
            self._end("a request that cannot be read")
