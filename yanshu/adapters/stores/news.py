"""Wake-ups within a process: who waits on a topic learns that there is news, also of news that came while it was busy."""

import asyncio
import weakref
from collections import defaultdict
from typing import Any


class News:
    """Counts news per topic; a waiter is every task that waits, and misses nothing between two of its waits."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._changed: dict[str, asyncio.Event] = {}
        self._read: weakref.WeakKeyDictionary[asyncio.Task[Any], dict[str, int]] = weakref.WeakKeyDictionary()

    def tell(self, topic: str) -> None:
        """Wake everybody who waits on `topic`."""
        self._counts[topic] += 1
        changed = self._changed.pop(topic, None)
        if changed is not None:
            changed.set()

    def topics(self) -> list[str]:
        """Topics somebody waits on."""
        return list(self._changed)

    async def wait(self, topic: str, timeout_seconds: float) -> bool:
        """Wait for news this task has not been told of yet, or until the time is over; whether there was any."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # coroutines run in tasks
        read = self._read.setdefault(task, {})
        if read.setdefault(topic, self._counts[topic]) == self._counts[topic]:
            changed = self._changed.setdefault(topic, asyncio.Event())
            try:
                # Not `wait_for`: before Python 3.12 it loses a cancellation that comes together with the news.
                async with asyncio.timeout(timeout_seconds):
                    await changed.wait()
            except TimeoutError:
                return False
        read[topic] = self._counts[topic]
        return True
