"""What the sessions of CMPP and SMGP share: a header of three words, Active_Test, and a goodbye that is answered."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from yanshu.protocols.events import Event, PeerFault, Unbound
from yanshu.protocols.layouts import THREE_WORDS
from yanshu.protocols.session import WireSession

Item = TypeVar("Item")


class Manners(NamedTuple):
    """The PDUs that ask whether the peer is there and say goodbye, each with its answer."""

    probe: type[Any]
    alive: type[Any]
    goodbye: type[Any]
    gone: type[Any]


class ActiveTestSession(WireSession[Item], Generic[Item]):
    """One end of such a session. PDUs are structs with a `sequence_id`."""

    _manners: ClassVar[Manners]

    @abstractmethod
    def send(self, pdu: Any) -> None:
        """Write a PDU exactly as it is, its sequence_id included."""

    @abstractmethod
    def _decode(self, frame: bytes) -> Any:
        """Read a frame. Raises RemoteProtocolError."""

    def _request(self, command_id: int, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write requests of one command, each under a permit; none of them when there are not enough permits."""
        requests = list(bodies)
        out, pack, size = self._out, THREE_WORDS.pack, THREE_WORDS.size
        for number, (body, _) in zip(self._open(requests, now), requests, strict=True):
            out += (pack(size + len(body), command_id, number), body)

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """Handle a frame whose command is not in the side's table `_hot`."""
        pdu, manners = self._decode(frame), self._manners
        kind = type(pdu)
        if kind is manners.probe:
            self.send(manners.alive(sequence_id=pdu.sequence_id))
        elif kind is manners.alive:
            pass  # being heard of is all it is for
        elif kind is manners.goodbye:
            self.send(manners.gone(sequence_id=pdu.sequence_id))
            events.append(Unbound())
            self._end("the peer said goodbye")
        elif kind is manners.gone:
            self._unbound(events)
        else:
            self._take_other(pdu, events)

    def _take_other(self, pdu: Any, events: list[Event]) -> None:
        """Handle what this side has no use for."""
        events.append(PeerFault(f"unexpected {type(pdu).__name__}, sequence number {pdu.sequence_id}"))

    def _write_probe(self) -> None:
        self.send(self._manners.probe(sequence_id=self._sequence.next()))

    def _write_unbind(self) -> None:
        self.send(self._manners.goodbye(sequence_id=self._sequence.next()))
