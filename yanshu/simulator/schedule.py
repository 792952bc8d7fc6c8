"""A heap of things to do later: one timer for the whole simulator, no task a message."""

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], None]


class Schedule:
    """Actions by due time (monotonic seconds); equal times keep their order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, action: Action) -> None:
        """Do `action` at `due`."""
        heapq.heappush(self._heap, (due, next(self._order), action))

    def next_due(self) -> float | None:
        """When the earliest action is due, or None."""
        return self._heap[0][0] if self._heap else None

    def run_due(self, now: float) -> int:
        """Do what is due by `now`, earliest first; how many were done. Actions may add others."""
        done = 0
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
            done += 1
        return done
