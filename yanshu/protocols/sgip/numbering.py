"""Numbering of SGIP requests: a number of the window is the twelve octets of a sequence, and so the id of a message (protocols.md §5.2)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from yanshu.protocols import window
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.sgip import pdus

Item = TypeVar("Item")

_WORD = 32
_WORD_MASK = 0xFFFFFFFF
# The counter's first octet is the slot, the other three count.
_SLOT_SHIFT = 24
_LAST = 0xFFFFFF
_LAST_SLOT = 0xFF


class Sequences(window.Sequence):
    """Sequences as numbers of 96 bits, counted on over all connections of one link.

    `node` is who numbers; `stamp_at` returns the wall time MMDDHHMMSS at a time of the driver's clock. `slot`, 0 to 255, differs
    between the links of a node and `begin`, 0 to 2^24-1, between its starts: no two of them give the same id in the same second.
    """

    def __init__(self, node: int, stamp_at: Callable[[float], int], slot: int = 0, begin: int = 0) -> None:
        super().__init__(_LAST)
        if not 0 <= node <= _WORD_MASK or not 0 <= slot <= _LAST_SLOT:
            raise LocalProtocolError(f"a node is 0 to {_WORD_MASK}, a slot 0 to {_LAST_SLOT}, not {node} and {slot}")
        self._value = begin
        self._node = node
        self._slot = slot << _SLOT_SHIFT
        self._stamp_at = stamp_at
        self._head = 0

    def stamp(self, now: float) -> None:
        """Let the sequences that follow carry the time of `now`."""
        self._head = (self._node << _WORD | self._stamp_at(now)) << _WORD | self._slot

    def next(self) -> int:
        """Return the next number."""
        return self._head | super().next()


class SequenceWindow(window.Window[Item], Generic[Item]):
    """A window that stamps what it opens, and knows a request by its third word when a peer has changed the others."""

    def __init__(self, size: int, timeout_seconds: float, sequences: Sequences) -> None:
        super().__init__(size, timeout_seconds, sequences)
        self._sequences = sequences

    def open_all(self, items: Iterable[Item], now: float) -> list[int]:
        """See `Window`."""
        self._sequences.stamp(now)
        return super().open_all(items, now)

    def reopen(self, number: int, item: Item, now: float) -> None:
        """Take a permit for a request that is made again under its number."""
        self._late.pop(number, None)
        self._pending[number] = (now + self._timeout, item)
        self._earliest = window.earliest((self._earliest, now + self._timeout))

    def find(self, number: int) -> int:
        """Return the number of the request that an answer with `number` means: itself, else one pending with the same third word."""
        if number in self._pending:
            return number
        return next((pending for pending in self._pending if not (pending ^ number) & _WORD_MASK), number)


def stamp_of(at: datetime) -> int:
    """Return a time as it stands in a sequence: MMDDHHMMSS of its own zone."""
    return int(f"{at:%m%d%H%M%S}")


def number_of(sequence: pdus.Sequence) -> int:
    """Return three words as a number."""
    return (sequence.node << _WORD | sequence.stamp) << _WORD | sequence.counter


def sequence_of(number: int) -> pdus.Sequence:
    """Return the three words of a number."""
    return pdus.Sequence(number >> 2 * _WORD, number >> _WORD & _WORD_MASK, number & _WORD_MASK)
