"""Requests that an SGIP peer makes again: the same sequence is the same request, over whichever connection (protocols.md §5.1)."""

from msgspec import Struct

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.constants import Result

# A peer asks again after half a minute; these are the requests of a busy minute.
_MOST = 16_384


class _Known(Struct):
    """A request, over which session it came last, and what was answered; `result` None: nothing yet."""

    pdu: pdus.Pdu
    session: object
    result: int | None = None


class Repeats:
    """The latest requests of one peer. All its sessions may share one: who lost a connection asks again over the next."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[pdus.Sequence, _Known] = {}

    def first(self, pdu: pdus.Pdu, session: object) -> bool:
        """Whether a request is to be taken; one that was taken already is not.

        A sequence that stands for something else over the same session raises RemoteProtocolError; over another one it is a sign of
        a gateway that counts anew with each connection, and taken.
        """
        known = self._known.get(pdu.sequence)
        if known is not None and known.pdu == pdu:
            return False
        if known is not None and known.session is session:
            raise RemoteProtocolError(f"{type(pdu).__name__} with the sequence of another request", Result.SEQUENCE)
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[pdu.sequence] = _Known(pdu, session)
        return True

    def result_of(self, sequence: pdus.Sequence) -> int | None:
        """Return what a request was answered with; None when it has not been."""
        known = self._known.get(sequence)
        return None if known is None else known.result

    def answered(self, pdu: pdus.Pdu, result: int) -> None:
        """Remember the answer to a request as it was passed on. One that was not taken is forgotten: the peer is meant to ask again."""
        known = self._known.get(pdu.sequence)
        if known is None or known.pdu is not pdu:  # its sequence stands for another by now
            return
        if result == Result.OK:
            known.result = result
        else:
            del self._known[pdu.sequence]
