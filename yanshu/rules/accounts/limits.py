"""Rate limits: one token bucket a key and kind, a second deep."""

from msgspec import Struct


class Standing(Struct, frozen=True):
    """How a bucket stands after a take: `granted`, what is left, and in how many seconds it is full (or enough is there)."""

    granted: bool
    limit: int
    remaining: int
    reset_seconds: float


class Buckets:
    """Token buckets by name; each holds one second's worth. Of this process: several API processes each grant the rate."""

    _MOST = 100_000

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str, rate: int, count: int, now: float) -> Standing:
        """Take `count` tokens from the bucket `name` that fills with `rate` a second.

        A request larger than a whole second's worth passes when the bucket is full, and leaves it in debt.
        """
        level, at = self._levels.get(name, (float(rate), now))
        level = min(float(rate), level + (now - at) * rate)
        granted = level >= min(count, rate)
        if granted:
            level -= count
        if name not in self._levels and len(self._levels) >= self._MOST:
            self._levels.clear()
        self._levels[name] = (level, now)
        wait = (rate - level) / rate if granted else (min(count, rate) - level) / rate
        return Standing(granted, rate, max(0, int(level)), wait)
