"""What was learned about single numbers."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from datetime import timedelta
from typing import Any

from yanshu.domain.lessons import Lesson
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed

_DAY = timedelta(days=1)
_ONE, _TWO, _NONE = "+8613800000001", "+8613800000002", "+8613800000003"


class LessonSuite:
    """See the module."""

    async def test_a_lesson_is_kept_as_it_is_and_replaced_by_the_next(self, store: Store, clock: FakeClock) -> None:
        """With everything known, and with hardly anything."""
        full = Samples(clock).lesson(_ONE, dead_since=clock.now(), probe_at=clock.now() + _DAY)
        bare = Lesson(number=_TWO, updated_at=clock.now(), expires_at=clock.now() + _DAY)
        async with store.write() as uow:
            assert (await uow.lessons.of([_ONE]), await uow.lessons.of([])) == ([], [])
            await uow.lessons.save([full, bare])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.lessons.of([_TWO, _NONE, _ONE, _ONE]) == [full, bare]
        async with store.write() as uow:
            assert await uow.lessons.of([_ONE], lock=True) == [full]
            await uow.lessons.save([changed(full, strikes=(), operator=None)])
            await uow.lessons.save([])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.lessons.of([_ONE]) == [changed(full, strikes=(), operator=None)]

    async def test_a_chunk_of_numbers_is_one_question(self, store: Store, clock: FakeClock) -> None:
        """Of more than a statement may have rows."""
        samples = Samples(clock)
        lessons = [samples.lesson(f"+861380000{serial:04d}") for serial in range(3000)]
        async with store.write() as uow:
            await uow.lessons.save(lessons)
            await uow.commit()
        async with store.read() as uow:
            assert await uow.lessons.of([f"+861380000{serial:04d}" for serial in range(6000)]) == lessons

    async def test_what_was_written_is_followed_a_page_at_a_time(self, store: Store, clock: FakeClock) -> None:
        """In the order of time, and of numbers where that is the same; what is written again comes again."""
        samples, early = Samples(clock), clock.now()
        numbers = [f"+861380000000{n}" for n in range(6)]
        async with store.write() as uow:
            await uow.lessons.save([samples.lesson(number) for number in numbers[:3]])
            late = clock.advance(1)
            await uow.lessons.save([samples.lesson(number) for number in numbers[3:]])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.lessons.written(early, "", 2) == [(number, early) for number in numbers[:2]]
            assert await uow.lessons.written(early, numbers[1], 2) == [(numbers[2], early), (numbers[3], late)]
            assert await uow.lessons.written(late, numbers[3], 9) == [(number, late) for number in numbers[4:]]
            assert await uow.lessons.written(late, numbers[5], 9) == []
        async with store.write() as uow:
            clock.advance(1)
            await uow.lessons.save([samples.lesson(numbers[0])])
            await uow.commit()
        async with store.read() as uow:
            assert [number for number, _ in await uow.lessons.written(late, numbers[5], 9)] == numbers[:1]

    async def test_lessons_are_forgotten_one_by_one_and_when_they_expire(self, store: Store, clock: FakeClock) -> None:
        """A portion at a time."""
        samples = Samples(clock)
        async with store.write() as uow:
            await uow.lessons.save([samples.lesson(f"+861380000000{n}", expires_at=clock.now() + n * _DAY) for n in range(1, 6)])
            assert (await uow.lessons.forget([_ONE, "+8613900000000"]), await uow.lessons.forget([])) == (1, 0)
            late = clock.advance(4 * 86_400)
            assert (await uow.lessons.purge(late, 2), await uow.lessons.purge(late, 2), await uow.lessons.purge(late, 2)) == (2, 1, 0)
            assert [lesson.number for lesson in await uow.lessons.of([f"+861380000000{n}" for n in range(9)])] == ["+8613800000005"]
            await uow.commit()

    async def test_a_probe_that_is_under_way_is_postponed(self, store: Store, clock: FakeClock) -> None:
        """And nothing else of the lesson changes; a number without one gets none."""
        lesson = Samples(clock).lesson(_ONE, dead_since=clock.now(), probe_at=clock.now())
        async with store.write() as uow:
            await uow.lessons.save([lesson])
            await uow.lessons.postpone({_ONE: clock.now() + _DAY, _NONE: clock.now()})
            assert await uow.lessons.of([_ONE, _NONE]) == [changed(lesson, probe_at=clock.now() + _DAY)]
            await uow.commit()

    async def test_who_locks_a_lesson_sees_what_others_wrote_before(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """So that of changes made at once none is lost."""
        async with store.write() as uow:
            await uow.lessons.save([Samples(clock).lesson(_ONE, confidence=0)])
            await uow.commit()

        async def raise_confidence(each: Store) -> None:
            async with each.write() as uow:
                (lesson,) = await uow.lessons.of([_ONE], lock=True)
                await asyncio.sleep(0)
                await uow.lessons.save([changed(lesson, confidence=lesson.confidence + 1)])
                await uow.commit()

        await asyncio.gather(*[raise_confidence(each) for each in [store, open_another()] * 4])
        async with store.read() as uow:
            assert (await uow.lessons.of([_ONE]))[0].confidence == 8
