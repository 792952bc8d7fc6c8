"""The window: numbering requests, and those of them that wait for an answer (protocols.md §2, §8).

Times are monotonic seconds of the driver's clock.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Sequence:
    """Sequence numbers of one connection: 1, 2, … and from `last` back to 1 (protocols.md §2)."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._value = 0

    def next(self) -> int:
        """Return the next number."""
        self._value = self._value + 1 if self._value < self._last else 1
        return self._value


class Window(Generic[Item]):
    """Requests outstanding, and those given up whose answer may still come (protocols.md §8).

    A permit is freed by the answer, by the timeout or by the end of the connection. A late answer is matched for another
    timeout after that. Items are the caller's own.
    """

    def __init__(self, size: int, timeout_seconds: float, sequence: Sequence) -> None:
        self._size = size
        self._timeout = timeout_seconds
        self._sequence = sequence
        self._pending: dict[int, tuple[float, Item]] = {}
        self._late: dict[int, tuple[float, Item]] = {}
        self._earliest: float | None = None

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def free(self) -> int:
        """Permits left."""
        return self._size - len(self._pending)

    def open(self, item: Item, now: float) -> int:
        """Take a permit and return the sequence number of the request."""
        return self.open_all((item,), now)[0]

    def open_all(self, items: Iterable[Item], now: float) -> list[int]:
        """Take a permit for each item and return the sequence numbers of the requests. A number still in use is skipped."""
        next_number, pending, late = self._sequence.next, self._pending, self._late
        deadline = now + self._timeout
        numbers: list[int] = []
        for item in items:
            number = next_number()
            while number in pending or number in late:
                number = next_number()
            pending[number] = (deadline, item)
            numbers.append(number)
        if self._earliest is None and numbers:
            self._earliest = deadline
        return numbers

    def close(self, number: int) -> Item | None:
        """Free the permit of an answered request; None when no request waits under this number."""
        found = self._pending.pop(number, None)
        return None if found is None else found[1]

    def close_late(self, number: int) -> Item | None:
        """Return the item of a request that was given up not long ago."""
        found = self._late.pop(number, None)
        return None if found is None else found[1]

    def next_deadline(self) -> float | None:
        """Return when `expire` is due; may be early, because answered requests are not searched for the next one."""
        return self._earliest

    def expire(self, now: float) -> list[tuple[int, Item]]:
        """Give up what waited too long, and return it with its numbers; its answer may still come."""
        for number in _older(self._late, now):
            del self._late[number]
        expired: list[tuple[int, Item]] = []
        for number in _older(self._pending, now):
            _, item = self._pending.pop(number)
            self._late[number] = (now + self._timeout, item)
            expired.append((number, item))
        self._earliest = earliest((_first(self._pending), _first(self._late)))
        return expired

    def drain(self) -> list[tuple[int, Item]]:
        """Give up everything outstanding, and return it with its numbers, oldest first: the connection is gone."""
        items = [(number, item) for number, (_, item) in self._pending.items()]
        self._pending.clear()
        self._late.clear()
        self._earliest = None
        return items


def _older(waiting: dict[int, tuple[float, Item]], now: float) -> list[int]:
    """Return the numbers whose deadline has passed; the dictionary is in the order of deadlines."""
    found: list[int] = []
    for number, (deadline, _) in waiting.items():
        if deadline > now:
            break
        found.append(number)
    return found


def _first(waiting: dict[int, tuple[float, Item]]) -> float | None:
    return next((deadline for deadline, _ in waiting.values()), None)


def earliest(deadlines: Iterable[float | None]) -> float | None:
    """Return the first of several deadlines, those that are None left out."""
    return min((deadline for deadline in deadlines if deadline is not None), default=None)
