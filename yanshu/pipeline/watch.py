"""Watch: says in the log when the store stops answering and when it is back, whether or not anybody asks for something."""

import asyncio

from yanshu.domain.errors import StoreError
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.runtime.logs import get_logger

INTERVAL_SECONDS = 5.0


class StoreWatch:
    """Asks the store every few seconds; one line for every change."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._log = get_logger("store")
        self._away_since: float | None = None

    async def run(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        """Watch for ever."""
        while True:
            await self.look()
            await asyncio.sleep(interval_seconds)

    async def look(self) -> None:
        """Ask once."""
        try:
            await self._store.ping()
        except StoreError as error:
            if self._away_since is None:
                self._away_since = self._clock.monotonic()
                self._log.error("store does not answer; nothing is accepted until it does", error=str(error))
        else:
            if self._away_since is not None:
                away = round(self._clock.monotonic() - self._away_since, 1)
                self._away_since = None
                self._log.warning("store answers again", away_seconds=away)
