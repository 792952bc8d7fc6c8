"""A register is asked beside the path: who waits and for how long, what is left out, and that every answer is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.domain.errors import LookupFailed, StoreBusy
from yanshu.domain.numbers import Operator
from yanshu.pipeline.lookups import Lookups
from yanshu.ports.lookup import LookupPlan
from yanshu.runtime.metrics import Metrics
from yanshu.testing.clocks import FakeClock

ONE, TWO, THREE = "+8613800000001", "+8613800000002", "+8613800000003"
PLAN = LookupPlan(per_second=1000, wait_ms=5000)


class FakeRegister:
    """Says of every number China Telecom, unless told otherwise; `gate` holds the answers back."""

    name = "register"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: dict[str, Operator | Exception | None] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, number: str) -> Operator | None:
        self.asked.append(number)
        await self.gate.wait()
        said = self.says.get(number, Operator.CTCC)
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None: ...


class Desk:
    """Lookups with a register and somebody who keeps the answers."""

    def __init__(self, plan: LookupPlan) -> None:
        self.register, self.clock, self.metrics = FakeRegister(), FakeClock(), Metrics()
        self.lookups = Lookups(self.register, plan, self.clock, self.metrics)
        self.lookups.keep = self._keep
        self.kept: dict[str, tuple[Operator, str, timedelta]] = {}
        self.busy = 0

    async def _keep(self, number: str, operator: Operator, name: str, now: datetime, until: datetime) -> None:
        if self.busy:
            self.busy -= 1
            raise StoreBusy("locked")
        self.kept[number] = (operator, name, until - now)

    def counted(self, result: str) -> float:
        return self.metrics.registry.get_sample_value("yanshu_number_lookups_total", {"result": result}) or 0.0


@asynccontextmanager
async def running(**plan: Any) -> AsyncIterator[Desk]:
    desk = Desk(replace(PLAN, **plan))
    task = asyncio.create_task(desk.lookups.run())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(ready: Any) -> None:
    async with asyncio.timeout(10):
        while not ready():
            await asyncio.sleep(0.005)


async def test_answers_come_and_are_kept() -> None:
    async with running() as desk:
        desk.register.says[TWO] = None
        assert await desk.lookups.ask([ONE, TWO]) == {ONE: Operator.CTCC}
        await until(lambda: desk.kept)
        assert desk.kept == {ONE: (Operator.CTCC, "register", timedelta(days=30))}
        assert (desk.counted("found"), desk.counted("unknown")) == (1, 1)


async def test_nobody_waits_longer_than_the_plan_says_and_the_answer_is_kept_all_the_same() -> None:
    async with running(wait_ms=20) as desk:
        desk.register.gate.clear()
        assert await desk.lookups.ask([ONE]) == {}
        desk.register.gate.set()
        await until(lambda: ONE in desk.kept)


async def test_where_no_wait_is_allowed_nobody_waits() -> None:
    async with running(wait_ms=0) as desk:
        assert await desk.lookups.ask([ONE]) == {}
        await until(lambda: ONE in desk.kept)


async def test_who_asks_about_the_same_number_shares_the_question() -> None:
    async with running() as desk:
        desk.register.gate.clear()
        asking = [asyncio.ensure_future(desk.lookups.ask([ONE])) for _ in range(50)]
        await until(lambda: desk.register.asked)
        desk.register.gate.set()
        assert await asyncio.gather(*asking) == [{ONE: Operator.CTCC}] * 50
        assert desk.register.asked == [ONE]


@pytest.mark.parametrize("said", [None, LookupFailed("no")], ids=["does not know it", "failed"])
async def test_what_brought_no_answer_is_not_asked_again_for_an_hour(said: Exception | None) -> None:
    async with running() as desk:
        desk.register.says[ONE] = said
        for _ in range(3):
            assert await desk.lookups.ask([ONE]) == {}
        assert desk.register.asked == [ONE]
        desk.clock.advance(3600)
        await desk.lookups.ask([ONE])
        assert desk.register.asked == [ONE, ONE]


async def test_a_register_that_fails_is_left_alone_and_one_question_finds_that_it_is_back() -> None:
    async with running(failures=2, pause_seconds=60, parallel=1) as desk:
        desk.register.says = dict.fromkeys((ONE, TWO), LookupFailed("down"))
        await desk.lookups.ask([ONE, TWO])
        assert (desk.register.asked, desk.counted("failed")) == ([ONE, TWO], 2)
        assert await desk.lookups.ask([THREE]) == {}
        assert (desk.register.asked, desk.counted("skipped")) == ([ONE, TWO], 1)
        desk.clock.advance(60)
        assert await desk.lookups.ask([THREE]) == {THREE: Operator.CTCC}, "what was not asked is not silent"


async def test_a_budget_ends_with_the_day() -> None:
    async with running(per_day=2) as desk:
        assert list(await desk.lookups.ask([ONE])) + list(await desk.lookups.ask([TWO])) == [ONE, TWO]
        assert await desk.lookups.ask([THREE]) == {}
        desk.clock.advance(86_400)
        assert list(await desk.lookups.ask([THREE])) == [THREE]


async def test_an_answer_waits_for_a_busy_store_and_is_not_asked_for_again_meanwhile() -> None:
    async with running() as desk:
        desk.busy = 2
        assert await desk.lookups.ask([ONE]) == {ONE: Operator.CTCC}
        assert await desk.lookups.ask([ONE]) == {ONE: Operator.CTCC}
        await until(lambda: ONE in desk.kept)
        assert desk.register.asked == [ONE]


async def test_more_than_can_be_asked_is_left_out() -> None:
    async with running(wait_ms=0) as desk:
        desk.register.gate.clear()
        wanted = desk.lookups.want([f"+86138{serial:08d}" for serial in range(10_050)])
        assert len(wanted) == 10_000
        assert desk.counted("skipped") == 50


async def test_questions_go_on_in_parallel_up_to_the_plan() -> None:
    async with running(parallel=3, wait_ms=0) as desk:
        desk.register.gate.clear()
        desk.lookups.want([f"+86138{serial:08d}" for serial in range(9)])
        await until(lambda: len(desk.register.asked) == 3)
        await asyncio.sleep(0.02)
        assert len(desk.register.asked) == 3
        desk.register.gate.set()
        await until(lambda: len(desk.kept) == 9)
