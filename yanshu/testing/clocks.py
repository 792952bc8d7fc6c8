"""A clock that tests set."""

from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """See `ports.clock.Clock`: time stands still until `advance`, and entropy repeats with the seed."""

    def __init__(self, start: datetime = START, seed: int = 1) -> None:
        self._now = start
        self._passed = 0.0
        self._random = Random(seed)  # noqa: S311  # tests must repeat

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._passed

    def entropy(self, count: int) -> bytes:
        """Bytes that differ from call to call."""
        return self._random.randbytes(count)

    def advance(self, seconds: float) -> datetime:
        """Let time pass; the new time."""
        self._passed += seconds
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, moment: datetime) -> None:
        """Jump to a time; the monotonic clock does not move."""
        self._now = moment
