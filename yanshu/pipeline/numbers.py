"""Numbers: what is known of them: the table of their ranges, and what receipts and lookups have taught about each.

A sieve in memory keeps the store out of it for numbers about which nothing was learned, which are nearly all.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lessons import Heard, Lesson
from yanshu.domain.numbers import NumberFacts, Operator, Source
from yanshu.pipeline.lookups import Lookups
from yanshu.pipeline.moved import Homes
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.contacts.lessons import NEWS, Policy, Taught, facts_with, homes, is_adrift, is_trusted, looked_up, teach
from yanshu.rules.contacts.prefixes import MAINLAND, Prefixes
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.sieve import Sieve

_POLL_SECONDS = 2.0
_PAGE = 10_000
# Lessons are read again that were written so long before the last one: by a slow transaction, or by a clock that is behind.
_OVERLAP = timedelta(seconds=10)
_START = datetime(1970, 1, 2, tzinfo=UTC)

Learned = Mapping[str, NumberFacts]
"""The facts of those numbers of a chunk about which something was learned; of the others, their range is all there is."""


class Effect(StrEnum):
    """What a lesson changed, for the metrics."""

    OPERATOR = "operator"
    DEAD = "dead"
    REVIVED = "revived"
    STRIKE = "strike"
    LOOKUP = "lookup"
    FORGOTTEN = "forgotten"


class Gained(Struct, frozen=True):
    """What a chunk has taught: how many lessons of what effect, and which numbers have moved to nobody knows where."""

    effects: Counter[Effect]
    adrift: tuple[str, ...] = ()


NOTHING_GAINED = Gained(Counter())


class Numbers:
    """Answers what is known of numbers, a chunk at a time, and learns from what became of messages to them."""

    def __init__(self, store: Store, clock: Clock, prefixes: Prefixes, policy: Policy, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._prefixes = prefixes
        self._policy = policy
        self._metrics = metrics
        self._lookups: Lookups | None = None
        self._sieve = Sieve()
        self._read_up_to = _START
        self._wanted: set[str] = set()
        self._question: asyncio.Task[dict[str, Lesson]] | None = None
        self._turn = asyncio.Lock()

    def attach(self, lookups: Lookups) -> None:
        """Ask a register too, and keep what it says."""
        self._lookups = lookups
        lookups.keep = self._keep

    @property
    def may_wait(self) -> bool:
        """Whether `learned_of` may take its time for most numbers: a register is asked about all of them, and waited for."""
        return self._lookups is not None and self._lookups.asks_every and self._lookups.is_waited_for

    def may_know(self, number: str) -> bool:
        """Whether something may have been learned about a number, as far as this process has heard: others tell within two seconds."""
        return self._sieve.may_hold(number)

    async def refresh(self) -> None:
        """Hear about which numbers something was learned since the last time."""
        async with self._store.read() as uow:
            # No later than now: a clock that ran ahead must not hide what is written by right ones.
            since, after = min(self._read_up_to, self._clock.now()) - _OVERLAP, ""
            while page := await uow.lessons.written(since, after, _PAGE):
                self._sieve.add(number for number, _ in page)
                after, since = page[-1]
                self._read_up_to = max(self._read_up_to, since)
                if len(page) < _PAGE:
                    return

    async def run(self) -> None:
        """Follow for ever what others learn."""
        while True:
            with contextlib.suppress(StoreBusy):
                await self.refresh()
            await asyncio.sleep(_POLL_SECONDS)

    async def learned_of(self, numbers: Sequence[str], now: datetime, uow: UnitOfWork | None = None, *, is_real: bool = True) -> Learned:
        """Return what was learned about numbers (E.164) of a chunk; with `uow`, as its transaction sees it.

        Callers without one share: while one question is on its way, what others want collects for the next. A store that is too
        busy to answer has taught nothing: a message is not refused for that. For what is not `real` no register is asked.
        """
        maybe = self._sieve.pass_on(numbers)
        known = await self._known(maybe, uow) if maybe else {}
        learned = {number: self._facts(lesson, now) for number in maybe if (lesson := known.get(number))}
        if self._lookups is None or not is_real:
            return learned
        wanted = [number for number in numbers if self._is_wanted(number, known.get(number), now)]
        found = await self._ask_register(self._lookups, wanted, uow) if wanted else {}
        for number, operator in found.items():
            facts = learned.get(number) or self._prefixes.facts_of(number)
            learned[number] = replace(facts, operator=operator, source=Source.LOOKUP, checked_at=now)
        return learned

    async def _known(self, numbers: Sequence[str], uow: UnitOfWork | None) -> Mapping[str, Lesson]:
        """Return the lessons about these numbers."""
        found: Mapping[str, Lesson] = {}
        if uow is not None:
            found = _by_number(await uow.lessons.of(numbers))
        else:
            with contextlib.suppress(StoreBusy):
                found = await self._share(numbers)
        return found

    def _is_wanted(self, number: str, lesson: Lesson | None, now: datetime) -> bool:
        """Whether a register should be asked about a number."""
        if lesson is not None and is_adrift(lesson):
            return True
        every = self._lookups is not None and self._lookups.asks_every
        return every and number.startswith(MAINLAND) and (lesson is None or not is_trusted(lesson, now))

    async def _ask_register(self, lookups: Lookups, numbers: Sequence[str], uow: UnitOfWork | None) -> Mapping[str, Operator]:
        """Ask about numbers, and return what comes in time; with a transaction open nobody is waited for."""
        if uow is None:
            return await lookups.ask(numbers)
        lookups.want(numbers)
        return {}

    async def _keep(self, number: str, operator: Operator, name: str, now: datetime, until: datetime) -> None:
        """Remember what a register has said."""
        async with self._store.write() as uow:
            before = next(iter(await uow.lessons.of([number], lock=True)), None)
            await uow.lessons.save([looked_up(before, number, operator, name, now, until)])
            self._sieve.add([number])  # before anybody can read it, so that nobody passes it by; too much does no harm
            await uow.commit()
        self.learned(Gained(Counter({Effect.LOOKUP: 1})))

    def owner_of(self, number: str) -> Operator | None:
        """Return who owns the number's range."""
        return self._prefixes.operator_of(number)

    async def facts_of(self, number: str, now: datetime) -> tuple[NumberFacts, Lesson | None]:
        """Return what is known of one number, and the lesson behind it; for people, so the store is asked in any case."""
        async with self._store.read() as uow:
            return await self.facts_in(uow, number, now)

    async def facts_in(self, uow: UnitOfWork, number: str, now: datetime) -> tuple[NumberFacts, Lesson | None]:
        """Return the same as the transaction `uow` sees it."""
        lesson = next(iter(await uow.lessons.of([number])), None)
        return (self._prefixes.facts_of(number), None) if lesson is None else (self._facts(lesson, now), lesson)

    async def homes_of(self, uow: UnitOfWork, ported: Sequence[Heard]) -> Homes:
        """Return the operators that numbers may be with of which it was just heard that they have moved; nothing is learned yet."""
        lessons = _by_number(await uow.lessons.of([heard.number for heard in ported]))
        taught = (teach(lessons.get(heard.number), heard, self._policy) for heard in ported)
        return {lesson.number: homes(lesson) for lesson in taught if lesson is not None}

    async def learn(self, uow: UnitOfWork, heard: Sequence[Heard]) -> Gained:
        """Learn from what became of messages, within the transaction that stores it; `learned` is called once that is committed."""
        heard = [each for each in heard if each.outcome in NEWS or self.may_know(each.number)]
        if not heard:
            return NOTHING_GAINED
        before = _by_number(await uow.lessons.of([each.number for each in heard], lock=True))
        after: dict[str, Taught] = dict(before)
        for each in heard:
            after[each.number] = teach(after.get(each.number), each, self._policy)
        changed = {number: lesson for number, lesson in after.items() if lesson is not before.get(number)}
        await uow.lessons.save([lesson for lesson in changed.values() if lesson is not None])
        await uow.lessons.forget([number for number, lesson in changed.items() if lesson is None])
        self._sieve.add(changed)
        adrift = tuple(number for number, lesson in changed.items() if lesson is not None and is_adrift(lesson))
        return Gained(Counter(_effect(before.get(number), lesson) for number, lesson in changed.items()), adrift)

    def learned(self, gained: Gained) -> None:
        """What `learn` has gained is in the store: count it, and ask the register where to numbers have moved."""
        self._metrics.learned({effect.value: count for effect, count in gained.effects.items()})
        if self._lookups is not None:
            self._lookups.want(gained.adrift)

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


def _effect(before: Taught, after: Taught) -> Effect:
    """Name the weightiest thing that a lesson changed."""
    was_dead, is_dead = (lesson is not None and lesson.dead_since is not None for lesson in (before, after))
    if was_dead is not is_dead:
        return Effect.DEAD if is_dead else Effect.REVIVED
    if after is None:
        return Effect.FORGOTTEN
    if (before.operator if before else None) is not after.operator:
        return Effect.OPERATOR
    return Effect.STRIKE if after.strikes else Effect.OPERATOR
