"""The ledger: every submit a simulated carrier answered, so that a test can prove that nothing was submitted twice."""

from collections import Counter, deque
from collections.abc import Iterator
from hashlib import blake2b

from msgspec import Struct

from yanshu.simulator.traffic import Segment


class Entry(Struct, frozen=True, gc=False):
    """One submit. `digest` is over the text alone, so that two tries of one segment have the same. `status` 0: accepted."""

    account: str
    destination: str
    part: int
    parts: int
    digest: str
    status: int
    at: float
    carrier_message_id: str | None


class Ledger:
    """The last `limit` submits, oldest first."""

    def __init__(self, limit: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def add(self, account: str, segment: Segment, status: int, carrier_message_id: str | None) -> None:
        """Note one submit and its answer."""
        digest = blake2b(segment.payload, digest_size=8).hexdigest()
        self._entries.append(
            Entry(account, segment.destination, segment.part, segment.parts, digest, status, segment.at, carrier_message_id)
        )

    def accepted_twice(self) -> dict[tuple[str, str, int], int]:
        """Segments taken more than once: (destination, digest, part) → times, over all accounts."""
        times = Counter((entry.destination, entry.digest, entry.part) for entry in self._entries if entry.status == 0)
        return {key: count for key, count in times.items() if count > 1}
