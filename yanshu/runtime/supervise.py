"""Supervise: background tasks that come back after a crash, ordered start, reverse stop with named budgets."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

Factory = Callable[[], Coroutine[Any, Any, None]]
"""Makes the coroutine of a task; called again for every restart."""

_LAG_INTERVAL_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a restart: doubling from `first_seconds` to `longest_seconds`, each ±`spread`.

    A task that ran for `healthy_seconds` before it crashed starts again from the first pause.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    healthy_seconds: float = 60.0
    spread: float = 0.2

    def pause(self, crashes: int, chance: float) -> float:
        """Return the pause after `crashes` crashes in a row (1 or more); `chance` is uniform in [0, 1)."""
        plain: float = min(self.longest_seconds, self.first_seconds * 2.0 ** min(crashes - 1, 32))
        return plain * (1 - self.spread + 2 * self.spread * chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that is started once and stopped once.

    `start` prepares it, `run` is its supervised task, `stop` ends it gracefully within `budget_seconds`; all are optional.
    """

    name: str
    start: Callable[[], Awaitable[None]] | None = None
    run: Factory | None = None
    stop: Callable[[], Awaitable[None]] | None = None
    budget_seconds: float = 5.0


class Supervisor:
    """Owns the background tasks of a process."""

    def __init__(self, metrics: Metrics, backoff: Backoff | None = None) -> None:
        self._metrics = metrics
        self._backoff = backoff or Backoff()
        self._log = get_logger("supervise")
        self._started: list[tuple[Service, asyncio.Task[None] | None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, name: str, factory: Factory) -> asyncio.Task[None]:
        """Start a supervised task now; it ends when its coroutine returns or when it is cancelled."""
        task = asyncio.create_task(self._supervised(name, factory), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def start(self, service: Service) -> None:
        """Start a service after those before it. If `start` raises, nothing of it is left and the error is the caller's."""
        if service.start is not None:
            await service.start()
        task = self.spawn(service.name, service.run) if service.run is not None else None
        self._started.append((service, task))

    async def stop(self) -> None:
        """Stop all services in reverse order, each within its budget, then whatever was spawned besides."""
        while self._started:
            service, task = self._started.pop()
            await self._stop(service)
            if task is not None:
                await _cancel([task])
        await _cancel(list(self._tasks))

    async def watch_loop(self) -> None:
        """Measure how late the event loop wakes timers, for ever; to be spawned."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_INTERVAL_SECONDS
            await asyncio.sleep(_LAG_INTERVAL_SECONDS)
            self._metrics.lagged(max(0.0, loop.time() - due))

    async def _stop(self, service: Service) -> None:
        """Let one service end by itself; what it does not manage within its budget is cut off and said."""
        if service.stop is None:
            return
        try:
            async with asyncio.timeout(service.budget_seconds):
                await service.stop()
        except TimeoutError:
            self._log.warning("service did not stop in time", service=service.name, budget_seconds=service.budget_seconds)
        except Exception:  # noqa: BLE001  # a service that fails to stop must not keep the others from stopping
            self._log.exception("service failed to stop", service=service.name)

    async def _supervised(self, name: str, factory: Factory) -> None:
        """Run the coroutine, again after every crash, with growing pauses."""
        loop = asyncio.get_running_loop()
        crashes, last = 0, ""
        while True:
            began = loop.time()
            try:
                await factory()
            except Exception as error:  # noqa: BLE001  # whatever breaks one task, the process goes on
                crashes = 1 if loop.time() - began >= self._backoff.healthy_seconds else crashes + 1
                last = self._crashed(name, error, crashes, last)
            else:
                return
            await asyncio.sleep(self._backoff.pause(crashes, random.random()))  # noqa: S311

    def _crashed(self, name: str, error: Exception, crashes: int, last: str) -> str:
        """Count a crash and say it: with its traceback the first time, in one line while it keeps repeating."""
        self._metrics.restarted(name)
        what = f"{type(error).__name__}: {error}"
        if what == last:
            self._log.warning("task crashed again", task=name, error=what, crashes=crashes)
        else:
            self._log.error("task crashed and will be restarted", task=name, crashes=crashes, exc_info=error)
        return what


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """End tasks. One that lost its cancellation, as library code may that was just about to return, is told again."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
