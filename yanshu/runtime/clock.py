"""The real clock and the system's randomness."""

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """See `ports.clock.Clock`."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds for timers; never goes back."""
        return time.monotonic()

    def entropy(self, count: int) -> bytes:
        """`count` unpredictable bytes."""
        return os.urandom(count)
