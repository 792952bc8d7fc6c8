"""Breaker and budget: whether, and how often, somebody outside is asked. Pure: time is given with every question."""

from datetime import date


class Breaker:
    """Closed while answers come. After `failures` in a row it is open for `pause_seconds`; then one question decides."""

    def __init__(self, failures: int, pause_seconds: float) -> None:
        self._limit = failures
        self._pause = pause_seconds
        self._failed = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it keeps questions back, or waits for the one that decides."""
        return self._open_until is not None

    def admits(self, now: float) -> bool:
        """Whether a question may be asked at this monotonic time; an open breaker lets one through a pause."""
        if self._open_until is None:
            return True
        if now < self._open_until:
            return False
        self._open_until = now + self._pause
        return True

    def answered(self) -> None:
        """An answer came."""
        self._failed = 0
        self._open_until = None

    def failed(self, now: float) -> bool:
        """None came; whether that opened the breaker just now."""
        self._failed += 1
        if self._failed < self._limit or self._open_until is not None:
            return False
        self._open_until = now + self._pause
        return True


class Budget:
    """So many questions a second, spread evenly, and so many a day."""

    def __init__(self, per_second: int, per_day: int) -> None:
        self._gap = 1 / per_second
        self._per_day = per_day
        self._next = 0.0
        self._day: date | None = None
        self._taken = 0

    def take(self, today: date) -> bool:
        """Whether one more may be asked today; it is counted if so."""
        if self._day != today:
            self._day, self._taken = today, 0
        self._taken += 1
        return self._taken <= self._per_day

    def wait(self, now: float) -> float:
        """Take the next turn: return the seconds until it comes."""
        turn = max(now, self._next)
        self._next = turn + self._gap
        return turn - now
