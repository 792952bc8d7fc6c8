"""Numbers: what is known of them: the table of their ranges, and what receipts and lookups have taught about each.

While nothing was learned about any number, nothing is asked of the store.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lessons import Heard, Lesson
from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.pipeline.moved import Homes
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.contacts.lessons import NEWS, Policy, Taught, facts_with, homes, teach
from yanshu.rules.contacts.prefixes import Prefixes
from yanshu.runtime.metrics import Metrics

_POLL_SECONDS = 2.0

Learned = Mapping[str, NumberFacts]
"""The facts of those numbers of a chunk about which something was learned; of the others, their range is all there is."""
NOTHING_LEARNED: Learned = {}


class Effect(StrEnum):
    """What a lesson changed, for the metrics."""

    OPERATOR = "operator"
    DEAD = "dead"
    REVIVED = "revived"
    STRIKE = "strike"
    FORGOTTEN = "forgotten"


class Numbers:
    """Answers what is known of numbers, a chunk at a time, and learns from what became of messages to them."""

    def __init__(self, store: Store, prefixes: Prefixes, policy: Policy, metrics: Metrics) -> None:
        self._store = store
        self._prefixes = prefixes
        self._policy = policy
        self._metrics = metrics
        self._is_any = False
        self._wanted: set[str] = set()
        self._question: asyncio.Task[dict[str, Lesson]] | None = None
        self._turn = asyncio.Lock()

    @property
    def knows_any(self) -> bool:
        """Whether anything was learned about any number, as far as this process has heard: others tell within two seconds."""
        return self._is_any

    async def refresh(self) -> None:
        """See whether there are lessons."""
        async with self._store.read() as uow:
            self._is_any = await uow.lessons.is_any()

    async def run(self) -> None:
        """Follow for ever whether there are lessons."""
        while True:
            with contextlib.suppress(StoreBusy):
                await self.refresh()
            await self._store.wait("lessons", _POLL_SECONDS)

    async def learned_of(self, numbers: Sequence[str], now: datetime, uow: UnitOfWork | None = None) -> Learned:
        """Return what was learned about numbers (E.164) of a chunk; with `uow`, as its transaction sees it.

        Callers without one share: while one question is on its way, what others want collects for the next. A store that is too
        busy to answer has taught nothing: a message is not refused for that.
        """
        if not self._is_any:
            return NOTHING_LEARNED
        found: Mapping[str, Lesson] = {}
        if uow is not None:
            found = _by_number(await uow.lessons.of(numbers))
        else:
            with contextlib.suppress(StoreBusy):
                found = await self._share(numbers)
        return {number: self._facts(lesson, now) for number in numbers if (lesson := found.get(number))} if found else NOTHING_LEARNED

    def owner_of(self, number: str) -> Operator | None:
        """Return who owns the number's range."""
        return self._prefixes.operator_of(number)

    async def facts_of(self, number: str, now: datetime) -> tuple[NumberFacts, Lesson | None]:
        """Return what is known of one number, and the lesson behind it; for people, so the store is asked in any case."""
        async with self._store.read() as uow:
            lesson = next(iter(await uow.lessons.of([number])), None)
        return (self._prefixes.facts_of(number), None) if lesson is None else (self._facts(lesson, now), lesson)

    async def homes_of(self, uow: UnitOfWork, ported: Sequence[Heard]) -> Homes:
        """Return the operators that numbers may be with of which it was just heard that they have moved; nothing is learned yet."""
        lessons = _by_number(await uow.lessons.of([heard.number for heard in ported]))
        taught = (teach(lessons.get(heard.number), heard, self._policy) for heard in ported)
        return {lesson.number: homes(lesson) for lesson in taught if lesson is not None}

    async def learn(self, uow: UnitOfWork, heard: Sequence[Heard]) -> Counter[Effect]:
        """Learn from what became of messages, within the transaction that stores it; `learned` is called once that is committed."""
        heard = [each for each in heard if self._is_any or each.outcome in NEWS]
        if not heard:
            return Counter()
        before = _by_number(await uow.lessons.of([each.number for each in heard], lock=True))
        after: dict[str, Taught] = dict(before)
        for each in heard:
            after[each.number] = teach(after.get(each.number), each, self._policy)
        changed = {number: lesson for number, lesson in after.items() if lesson is not before.get(number)}
        await uow.lessons.save([lesson for lesson in changed.values() if lesson is not None])
        await uow.lessons.forget([number for number, lesson in changed.items() if lesson is None])
        return Counter(_change(before.get(number), lesson) for number, lesson in changed.items())

    def learned(self, changes: Counter[Effect]) -> None:
        """What `learn` changed is in the store: count it, and let others know that there is something to ask for."""
        if not changes:
            return
        self._metrics.learned({effect.value: count for effect, count in changes.items()})
        if not self._is_any:
            self._is_any = True
            self._store.wake("lessons")

    def _facts(self, lesson: Lesson, now: datetime) -> NumberFacts:
        return facts_with(self._prefixes.facts_of(lesson.number), lesson, now)

    async def _share(self, numbers: Sequence[str]) -> dict[str, Lesson]:
        """Go along with the next question."""
        self._wanted.update(numbers)
        if self._question is None:
            self._question = asyncio.create_task(self._ask())
        return await asyncio.shield(self._question)

    async def _ask(self) -> dict[str, Lesson]:
        """Ask for everything that is wanted once the question before is answered."""
        async with self._turn:
            wanted, self._wanted, self._question = self._wanted, set(), None
            async with self._store.read() as uow:
                return _by_number(await uow.lessons.of(list(wanted)))


def _by_number(lessons: Sequence[Lesson]) -> dict[str, Lesson]:
    return {lesson.number: lesson for lesson in lessons}


def _change(before: Taught, after: Taught) -> Effect:
    """Name the weightiest thing that a lesson changed."""
    was_dead, is_dead = (lesson is not None and lesson.dead_since is not None for lesson in (before, after))
    if was_dead is not is_dead:
        return Effect.DEAD if is_dead else Effect.REVIVED
    if after is None:
        return Effect.FORGOTTEN
    if (before.operator if before else None) is not after.operator:
        return Effect.OPERATOR
    return Effect.STRIKE if after.strikes else Effect.OPERATOR
