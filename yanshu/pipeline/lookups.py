"""Lookups: asks a register who serves a number, beside the path of messages and never in its way.

Questions wait in a queue of their own. What cannot be asked (the queue is full, the budget used up, the breaker open) is left
out: the number's range, and what receipts have taught, are good enough to go on with.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from yanshu.domain.errors import LookupFailed, StoreBusy
from yanshu.domain.numbers import Operator
from yanshu.ports.clock import Clock
from yanshu.ports.lookup import LookupPlan, NumberLookup
from yanshu.runtime.breaker import Breaker, Budget
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

_QUEUE = 10_000
# A number that the register does not know, or failed on, is not asked about again so soon; so many of them are remembered.
_SILENCE_SECONDS = 3600.0
_SILENT = 65_536
_BUSY_PAUSE_SECONDS = 0.25

Found = dict[str, Operator]
Keep = Callable[[str, Operator, str, datetime, datetime], Awaitable[None]]
"""Keeps an answer: (number, operator, name of the register, when, until when it holds)."""


class Lookups:
    """One register, asked as its plan says."""

    def __init__(self, register: NumberLookup, plan: LookupPlan, clock: Clock, metrics: Metrics) -> None:
        self._register = register
        self._plan = plan
        self._clock = clock
        self._metrics = metrics
        self._log = get_logger("lookup")
        self._breaker = Breaker(plan.failures, plan.pause_seconds)
        self._budget = Budget(plan.per_second, plan.per_day)
        self._queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self._asked: dict[str, asyncio.Future[Operator | None]] = {}
        self._silent: dict[str, float] = {}
        self.keep: Keep = _forget

    @property
    def asks_every(self) -> bool:
        """Whether it is asked about every mainland number, not only about those that have moved."""
        return self._plan.ask == "every"

    @property
    def is_waited_for(self) -> bool:
        """Whether a message may wait for an answer."""
        return self._plan.wait_ms > 0

    def want(self, numbers: Sequence[str]) -> list[asyncio.Future[Operator | None]]:
        """Have numbers asked about; the answers to come, of those that will be."""
        return [future for number in numbers if (future := self._want(number)) is not None]

    async def ask(self, numbers: Sequence[str]) -> Found:
        """Have numbers asked about, and return the answers that come within the time a message may wait."""
        wanted = {number: future for number in numbers if (future := self._want(number)) is not None}
        if not wanted or not self._plan.wait_ms:
            return {}
        done, _ = await asyncio.wait(wanted.values(), timeout=self._plan.wait_ms / 1000)
        return {number: operator for number, future in wanted.items() if future in done and (operator := future.result()) is not None}

    async def run(self) -> None:
        """Ask for ever."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.parallel):
                group.create_task(self._serve())

    def _want(self, number: str) -> asyncio.Future[Operator | None] | None:
        asked = self._asked.get(number)
        if asked is None and self._silent.get(number, 0.0) <= self._clock.monotonic():
            try:
                self._queue.put_nowait(number)
            except asyncio.QueueFull:
                self._metrics.looked_up("skipped")
                return None
            asked = self._asked[number] = asyncio.get_running_loop().create_future()
        return asked

    async def _serve(self) -> None:
        """Ask one question after the other; until its answer is kept, whoever wants the same gets this one."""
        while True:
            number = await self._queue.get()
            asked = self._asked[number]
            try:
                operator = await self._find(number)
                asked.set_result(operator)
                if operator is not None:
                    await self._keep(number, operator)
            finally:
                del self._asked[number]
                if not asked.done():
                    asked.set_result(None)

    async def _find(self, number: str) -> Operator | None:
        """Ask about one number, if that may be asked now."""
        if not self._breaker.admits(self._clock.monotonic()) or not self._budget.take(self._clock.now().date()):
            self._metrics.looked_up("skipped")
            return None
        await asyncio.sleep(self._budget.wait(self._clock.monotonic()))
        began = self._clock.monotonic()
        try:
            operator = await self._register.find(number)
        except LookupFailed as error:
            self._metrics.looked_up("failed", self._clock.monotonic() - began)
            if self._breaker.failed(self._clock.monotonic()):
                self._log.warning("register is not asked for a while", register=self._register.name, error=str(error))
            self._be_silent(number)
            return None
        if self._breaker.is_open:
            self._log.info("register answers again", register=self._register.name)
        self._breaker.answered()
        self._metrics.looked_up("found" if operator else "unknown", self._clock.monotonic() - began)
        if operator is None:
            self._be_silent(number)
        return operator

    def _be_silent(self, number: str) -> None:
        """Do not ask about this one again for a while."""
        if len(self._silent) >= _SILENT:
            self._silent.clear()
        self._silent[number] = self._clock.monotonic() + _SILENCE_SECONDS

    async def _keep(self, number: str, operator: Operator) -> None:
        """Keep an answer, however long the store is busy: it was paid for."""
        now = self._clock.now()
        while True:
            try:
                return await self.keep(number, operator, self._register.name, now, now + timedelta(days=self._plan.ttl_days))
            except StoreBusy:
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)


async def _forget(*_: object) -> None:
    """Keep nothing, until somebody is attached who does."""
