"""What is known of numbers: nothing is asked while nothing was learned, askers share, and a busy store teaches nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lessons import Heard, Lesson
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.pipeline.numbers import Effect, Numbers
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.contacts.lessons import Policy
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.runtime.metrics import Metrics
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

ONE, TWO, THREE = "+8613800000001", "+8613800000002", "+8613800000003"


class FakeLessons:
    """Lessons in memory; `questions` are the numbers asked for, a question a list."""

    def __init__(self, *lessons: Lesson) -> None:
        self.known = {lesson.number: lesson for lesson in lessons}
        self.questions: list[list[str]] = []
        self.is_busy = False

    async def of(self, numbers: Sequence[str], *, lock: bool = False) -> list[Lesson]:
        await asyncio.sleep(0)
        if self.is_busy:
            raise StoreBusy("locked")
        self.questions.append(sorted(set(numbers)))
        return [self.known[number] for number in dict.fromkeys(numbers) if number in self.known]

    async def written(self, since: datetime, after: str, limit: int) -> list[tuple[str, datetime]]:
        rows = sorted((lesson.updated_at, number) for number, lesson in self.known.items())
        return [(number, at) for at, number in rows if (at, number) > (since, after)][:limit]

    async def save(self, lessons: Sequence[Lesson]) -> None:
        self.known.update({lesson.number: lesson for lesson in lessons})

    async def forget(self, numbers: Sequence[str]) -> int:
        return sum(self.known.pop(number, None) is not None for number in numbers)


class FakeStore:
    """As much of a store as lessons need."""

    def __init__(self, lessons: FakeLessons) -> None:
        self.lessons = lessons

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        yield self


def _numbers(lessons: FakeLessons) -> tuple[Numbers, FakeStore]:
    store = FakeStore(lessons)
    return Numbers(cast(Store, store), FakeClock(), shipped_prefixes(), Policy(), Metrics()), store


def _heard(clock: FakeClock, number: str, outcome: OutcomeClass) -> Heard:
    return Heard(number=number, owner=Operator.CMCC, serves=None, outcome=outcome, code="", message_id="msg_one", at=clock.now())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_while_nothing_was_learned_nothing_is_asked(clock: FakeClock) -> None:
    numbers, store = _numbers(FakeLessons())
    await numbers.refresh()
    assert await numbers.learned_of([ONE], clock.now()) == {}
    delivered = _heard(clock, ONE, OutcomeClass.DELIVERED)
    assert (await numbers.learn(cast(UnitOfWork, store), [delivered])).effects == {}
    assert store.lessons.questions == []


async def test_only_what_is_known_comes_back(clock: FakeClock) -> None:
    numbers, _ = _numbers(FakeLessons(Samples(clock).lesson(ONE)))
    await numbers.refresh()
    learned = await numbers.learned_of([ONE, TWO], clock.now())
    assert {number: facts.operator for number, facts in learned.items()} == {ONE: Operator.CTCC}


async def test_who_asks_while_a_question_is_on_its_way_shares_the_next(clock: FakeClock) -> None:
    numbers, store = _numbers(FakeLessons(Samples(clock).lesson(ONE), Samples(clock).lesson(TWO)))
    await numbers.refresh()
    first = asyncio.ensure_future(numbers.learned_of([ONE], clock.now()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(numbers.learned_of([number], clock.now())) for number in (TWO, THREE, TWO)]
    assert [list(found) for found in await asyncio.gather(first, *rest)] == [[ONE], [TWO], [], [TWO]]
    assert store.lessons.questions == [[ONE], [TWO]], "and what nothing was learned about is not asked for"


async def test_one_who_stops_waiting_does_not_stop_the_others(clock: FakeClock) -> None:
    numbers, _ = _numbers(FakeLessons(Samples(clock).lesson(ONE)))
    await numbers.refresh()
    impatient = asyncio.ensure_future(numbers.learned_of([ONE], clock.now()))
    patient = asyncio.ensure_future(numbers.learned_of([ONE], clock.now()))
    await asyncio.sleep(0)
    impatient.cancel()
    assert list(await patient) == [ONE]


async def test_a_busy_store_has_taught_nothing(clock: FakeClock) -> None:
    numbers, store = _numbers(FakeLessons(Samples(clock).lesson(ONE)))
    await numbers.refresh()
    store.lessons.is_busy = True
    assert await numbers.learned_of([ONE], clock.now()) == {}
    store.lessons.is_busy = False
    assert list(await numbers.learned_of([ONE], clock.now())) == [ONE]


async def test_what_was_learned_here_is_known_here_at_once(clock: FakeClock) -> None:
    numbers, store = _numbers(FakeLessons())
    for number in (ONE, TWO):
        gained = await numbers.learn(cast(UnitOfWork, store), [_heard(clock, number, OutcomeClass.PORTED)])
        assert (gained.effects, gained.adrift) == ({Effect.OPERATOR: 1}, (number,))
        numbers.learned(gained)
    assert [numbers.may_know(number) for number in (ONE, TWO, THREE)] == [True, True, False]


async def test_what_is_heard_twice_in_one_chunk_counts_in_its_order(clock: FakeClock) -> None:
    numbers, store = _numbers(FakeLessons())
    ported, delivered = (_heard(clock, ONE, outcome) for outcome in (OutcomeClass.PORTED, OutcomeClass.DELIVERED))
    strike = _heard(clock, TWO, OutcomeClass.INVALID_NUMBER)
    gained = await numbers.learn(cast(UnitOfWork, store), [ported, strike, strike, delivered])
    assert gained.effects == {Effect.OPERATOR: 1, Effect.STRIKE: 1}
    assert len(store.lessons.known[TWO].strikes) == 1
    assert (await numbers.learn(cast(UnitOfWork, store), [_heard(clock, THREE, OutcomeClass.HANDSET)])).effects == {}


async def test_lessons_of_others_are_heard_of_also_behind_one_from_a_clock_that_ran_ahead(clock: FakeClock) -> None:
    samples = Samples(clock)
    numbers, store = _numbers(FakeLessons(samples.lesson(ONE, updated_at=clock.now() + timedelta(days=1))))
    await numbers.refresh()
    await store.lessons.save([samples.lesson(TWO, updated_at=clock.now() - timedelta(seconds=9))])
    await numbers.refresh()
    assert [numbers.may_know(number) for number in (ONE, TWO, THREE)] == [True, True, False]


async def test_pages_of_lessons_are_read_to_the_last(clock: FakeClock) -> None:
    samples = Samples(clock)
    known = [f"+86138{serial:08d}" for serial in range(20_000)]
    numbers, _ = _numbers(FakeLessons(*(samples.lesson(number) for number in known)))
    await numbers.refresh()
    assert all(map(numbers.may_know, known))
