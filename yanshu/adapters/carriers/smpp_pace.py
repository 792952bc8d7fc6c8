"""How fast a link may submit: the agreed rate, and less after the carrier said "too fast" (protocols.md §8)."""

_SLOWER = 0.7
_FASTER = 1.1
_SLOWEST = 1.0
_QUIET_SECONDS = 10.0
_MEASURED_SECONDS = 1.0


class Pace:
    """A token bucket in segments. Times are monotonic seconds.

    `rate` is segments per second, 0 for no limit; `burst` how many may go at once after a rest. An unlimited link that is
    throttled falls back to 0.7 of what it really did in the last second, and is unlimited again once it is back above that.
    """

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._agreed = rate
        self._rate = rate
        self._burst = max(burst, 1)
        self._tokens = float(self._burst)
        self._filled_at = now
        self._paused_until = 0.0
        self._eased_at = now
        self._peak = 0.0
        self._measured_at = now
        self._measured = 0
        self._recent = 0.0

    def allowance(self, now: float) -> int:
        """Return how many segments may go now."""
        if now < self._paused_until:
            return 0
        if not self._rate:
            return self._burst
        self._refill(now)
        return max(int(self._tokens), 0)

    def spend(self, count: int, now: float) -> None:
        """Count segments that go. More than the allowance is a debt."""
        if now - self._measured_at >= _MEASURED_SECONDS:
            self._recent = self._measured / (now - self._measured_at)
            self._measured, self._measured_at = 0, now
        self._measured += count
        if self._rate:
            self._refill(now)
            self._tokens -= count

    def throttled(self, pause_seconds: float, now: float) -> bool:
        """Pause and slow down; False when the pause covers an earlier answer of the same burst already."""
        is_new = now >= self._paused_until
        self._paused_until = max(self._paused_until, now + pause_seconds)
        self._eased_at = self._paused_until
        if is_new:
            was = self._rate or max(self._recent, float(self._measured), _SLOWEST)
            self._peak = max(self._peak, was)
            self._rate = max(was * _SLOWER, _SLOWEST)
            self._tokens = min(self._tokens, self._rate)
        return is_new

    def is_paused(self, now: float) -> bool:
        """Whether nothing may go because of a throttling answer."""
        return now < self._paused_until

    def opens_in(self, now: float) -> float | None:
        """Return the seconds until the allowance is worth asking for again; None when it is now."""
        if now < self._paused_until:
            return self._paused_until - now
        if not self._rate:
            return None
        self._refill(now)
        wanted = max(self._burst / 4, 1.0)
        return (wanted - self._tokens) / self._rate if self._tokens < wanted else None

    @property
    def rate(self) -> float:
        """Segments per second now; 0 for no limit."""
        return self._rate

    def _refill(self, now: float) -> None:
        self._ease(now)
        if self._rate:
            self._tokens = min(self._tokens + (now - self._filled_at) * self._rate, float(self._burst))
        self._filled_at = now

    def _ease(self, now: float) -> None:
        """Speed up by a tenth for every ten quiet seconds, up to what was agreed."""
        ceiling = self._agreed or self._peak
        while self._rate and self._rate != self._agreed and now - self._eased_at >= _QUIET_SECONDS:
            self._eased_at += _QUIET_SECONDS
            self._rate *= _FASTER
            if self._rate >= ceiling:
                self._rate = self._agreed
