"""Plans: the connectors of a message in their order, where several share the messages by weight.

A message draws a number by its id, and the number falls into the share of one connector. Whoever asks again about the same
message, another process or a person, gets the same answer; over many messages each connector gets its share.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise, zip_longest
from operator import attrgetter
from zlib import crc32

from msgspec import Struct

DRAWS = 1000
# A message carries its order with it. More are never tried: a message has few attempts, and little time.
LONGEST = 10


def draw_of(message_id: str) -> int:
    """Return the number that a message draws, 0 to 999. Ids of one chunk follow each other, and their draws spread evenly."""
    return crc32(message_id.encode()) * DRAWS >> 32


class Share(Struct, frozen=True):
    """A connector and how much of what reaches its place it is to get, beside the others there; 0: only what those leave."""

    connector_id: str
    weight: int


Place = list[Share]
"""The connectors that share what reaches them."""


def shared(shares: Place) -> Place:
    """Return those that share a place, the largest share first."""
    return sorted(shares, key=attrgetter("weight"), reverse=True) if len(shares) > 1 else shares


def bounds_of(place: Place) -> list[tuple[int, int] | None]:
    """Return which draws fall to each at a place: from, and up to but without; None for those that get only what others leave."""
    total = sum(share.weight for share in place)
    ends = [-(-end * DRAWS // total) for end in accumulate(share.weight for share in place)] if total else []
    return [bound if share.weight else None for share, bound in zip_longest(place, pairwise([0, *ends]))]


class Probe(Struct, frozen=True):
    """A connector to be tried with one message; `leave` is the permission, used up by whichever plan comes first."""

    leave: object
    connector_id: str


class Plan:
    """Places in their order. Those at the first place share; what one leaves goes to the next, the larger share before the smaller.

    Budget: 0.4 µs a message, and nothing is drawn where nobody shares. `leaves` are the permissions for probes that are left.
    """

    __slots__ = ("_ends", "_leaves", "_orders", "_probes", "usual")

    def __init__(self, places: Sequence[Place], probes: Sequence[Probe] = (), leaves: set[object] | None = None) -> None:
        self._probes = probes
        self._leaves = set() if leaves is None else leaves
        first = places[0] if places else []
        rest = [share.connector_id for share in chain.from_iterable(places[1:])]
        self.usual = _order(first, rest)
        bounds = [bound for bound in bounds_of(first) if bound] if len(first) > 1 else []
        self._ends = [end for _, end in bounds[:-1]]
        self._orders = [_order([share, *first[:place], *first[place + 1 :]], rest) for place, share in enumerate(first[: len(bounds)])]

    @property
    def is_shared(self) -> bool:
        """Whether messages go different ways."""
        return bool(self._ends or self._probes)

    def order_of(self, message_id: str) -> tuple[str, ...]:
        """Return the connectors for a message that is sent, best first."""
        for probe in self._probes:
            if probe.leave in self._leaves:
                self._leaves.remove(probe.leave)
                return (probe.connector_id, *(ident for ident in self.usual if ident != probe.connector_id))
        return self._orders[bisect_right(self._ends, draw_of(message_id))] if self._ends else self.usual


def _order(first: Sequence[Share], rest: Sequence[str]) -> tuple[str, ...]:
    return (*(share.connector_id for share in first), *rest)[:LONGEST]
