"""How fast a link may submit: the agreed rate, and less after the carrier said "too fast" (protocols.md §8)."""

_SLOWER = 0.7
_FASTER = 1.1
_SLOWEST = 1.0
_QUIET_SECONDS = 10.0
_MEASURED_SECONDS = 1.0
# What a rest may save up, as a share of a second. Carriers count by the second and refuse what is above.
_SAVED_SECONDS = 0.05


class Pace:
    """A token bucket in segments. Times are monotonic seconds.

    `rate` is segments per second, 0 for no limit; `window` the most that may go at once. In no second do more than `rate` go,
    not even in the first one after a rest: what was saved up then is taken off the rate. An unlimited link that is throttled
    falls back to 0.7 of what it really did in the last second, and is unlimited again once it is back above that.
    """

    def __init__(self, rate: float, window: int, now: float) -> None:
        self._agreed = rate
        self._rate = rate
        self._window = max(window, 1)
        self._tokens = self._depth
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
            return self._window
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
            self._tokens = min(self._tokens, self._depth)
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
        wanted = max(self._depth / 4, 1.0)
        return (wanted - self._tokens) / self._growth if self._tokens < wanted else None

    @property
    def rate(self) -> float:
        """Segments per second now; 0 for no limit."""
        return self._rate

    @property
    def _depth(self) -> float:
        """How many tokens a rest may save up."""
        return min(max(self._rate * _SAVED_SECONDS, 1.0), float(self._window))

    @property
    def _growth(self) -> float:
        """Tokens a second: with a full bucket before it, a second brings no more than the rate."""
        depth = self._depth
        return self._rate - depth if depth > 1 else self._rate

    def _refill(self, now: float) -> None:
        self._ease(now)
        if self._rate:
            self._tokens = min(self._tokens + (now - self._filled_at) * self._growth, self._depth)
        self._filled_at = now

    def _ease(self, now: float) -> None:
        """Speed up by a tenth for every ten quiet seconds, up to what was agreed."""
        ceiling = self._agreed or self._peak
        while self._rate and self._rate != self._agreed and now - self._eased_at >= _QUIET_SECONDS:
            self._eased_at += _QUIET_SECONDS
            self._rate *= _FASTER
            if self._rate >= ceiling:
                self._rate = self._agreed
