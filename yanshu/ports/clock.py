"""Time and entropy, so that everything below the composition root is given both."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and randomness."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic(self) -> float:
        """Seconds for timers; never goes back."""

    def entropy(self, count: int) -> bytes:
        """`count` unpredictable bytes."""
