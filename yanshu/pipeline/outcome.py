"""Outcome: answers and receipts of all links, folded into the store in chunks.

Whatever came since the last flush is one transaction: a submit answer and its receipt that arrive together cost one
update of the message, not two. A receipt is acknowledged to the carrier only after that transaction is committed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from msgspec import Struct

from yanshu.domain.connectors import LinkState
from yanshu.domain.errors import StoreBusy, StoreStale
from yanshu.domain.messages import Message
from yanshu.domain.submissions import Answer, Arrival, Receipt
from yanshu.pipeline.fold import Burst, Fold, Work
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.learn import Learner
from yanshu.pipeline.progress import Reading, Waits
from yanshu.pipeline.resend import ANYWHERE
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.metrics import Metrics

_FACTS_A_FLUSH = 2000
# More than this, and a burst, is never stored at once: statements have limits, and other writers wait meanwhile.
_FACTS_AT_MOST = 4 * _FACTS_A_FLUSH
# Answers not yet stored are what a crash makes unknown: with so many, links claim no more until the store has caught up.
_UNSTORED_LIMIT = 3 * _FACTS_A_FLUSH
_LINGER_SECONDS = 0.008
_BUSY_PAUSE_SECONDS = 0.25
# protocols.md §8: answer an inbound within 5 s; after that the carrier repeats it anyway, so refuse while we still can.
_ARRIVAL_PATIENCE_SECONDS = 4.0


class _Flight(Struct):
    """A message on the wire: what was claimed, and the answers so far, one a PDU."""

    message: Message
    answers: dict[int, Answer]


class _Storing(Struct, frozen=True):
    """A chunk on its way into the store; `task` tells whether it arrived."""

    work: Work
    fold: Fold
    task: asyncio.Task[bool]


class Outcome:
    """The pipeline's intake: every link of this process reports here."""

    def __init__(self, store: Store, clock: Clock, inbound: InboundStage, metrics: Metrics, waits: Waits, codes: Reading) -> None:
        self._store = store
        self._clock = clock
        self._inbound = inbound
        self._metrics = metrics
        self._waits = waits
        self._codes = codes
        self._flights: dict[str, _Flight] = {}
        self._ended: dict[str, list[Answer]] = {}
        self._bursts: list[Burst] = []
        self._facts = 0
        self._storing = 0
        self._news = asyncio.Event()
        self._full = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._learner: Learner | None = None
        self.on_window: Callable[[str], None] = lambda _: None
        self.on_link: Callable[[str, LinkState, str], None] = lambda *_: None
        self.reach = ANYWHERE
        self.on_stored: Callable[[Work, Fold], None] = lambda *_: None

    def attach(self, learner: Learner) -> None:
        """Tell it, in the transaction that stores them, of every last word on a segment."""
        self._learner = learner

    # --- what carriers call (ports.carrier.Intake) ---

    def answered(self, answers: Sequence[Answer]) -> None:
        """Collect answers; a message is folded once all its PDUs are answered."""
        self._metrics.answered(answers)
        for answer in answers:
            flight = self._flights.get(answer.message_id)
            if flight is None or flight.message.attempts != answer.attempt:
                self._ended.setdefault(answer.message_id, []).append(answer)
                continue
            flight.answers[answer.segment] = answer
            if len(flight.answers) == answer.total:
                self._ended.setdefault(answer.message_id, []).extend(flight.answers.values())
        self._tell(len(answers))

    def arrived(self, arrivals: Sequence[Arrival], done: Callable[[bool], None]) -> None:
        """Collect receipts and MO; `done` tells whether they are safe."""
        self._metrics.arrived(arrivals)
        self._bursts.append(Burst(arrivals, done, self._clock.monotonic()))
        self._tell(len(arrivals))

    def link_changed(self, connector_id: str, state: LinkState, detail: str) -> None:
        """Pass on that a link changed."""
        self.on_link(connector_id, state, detail)

    def window_opened(self, connector_id: str) -> None:
        """Pass on that permits are free."""
        self.on_window(connector_id)

    # --- what dispatch calls ---

    def expect(self, messages: Iterable[Message]) -> None:
        """These messages are about to be written to the wire."""
        for message in messages:
            if (old := self._ended.get(message.id)) and old[0].attempt == message.attempts:
                # Put back by a commit whose answer was lost, and claimed again: what it ended with then is stored.
                del self._ended[message.id]
            self._flights[message.id] = _Flight(message, {})

    @property
    def is_behind(self) -> bool:
        """Whether so much is collected and not stored that nothing more should be written to the wire."""
        return self._facts + self._storing > _UNSTORED_LIMIT

    async def settled(self) -> None:
        """Wait until everything collected is stored."""
        await self._idle.wait()

    async def run(self) -> None:
        """Fold and store what has been collected, for ever. While one chunk is being stored the next is already folded."""
        storing: _Storing | None = None
        try:
            while True:
                await self._news.wait()
                await self._linger()
                self._news.clear()
                self._full.clear()
                storing = await self._next(storing)
                if storing is None and not self._news.is_set():
                    self._idle.set()
        finally:
            if storing is not None:
                storing.task.cancel()

    async def _next(self, before: _Storing | None) -> _Storing | None:
        """Fold what has been collected, wait until the chunk `before` is stored, and begin to store this one."""
        work = self._take()
        fold = await self._fold_after(before, work) if work.count else None
        if before is not None and not await before.task:
            self._put_back(work)
            self._put_back(before.work)
        elif fold is not None:
            return self._begin(work, fold)
        elif work.count:
            self._put_back(work)
        else:
            return None
        await asyncio.sleep(_BUSY_PAUSE_SECONDS)
        return None

    def _begin(self, work: Work, fold: Fold) -> _Storing:
        task = asyncio.create_task(self._store_chunk(work, fold))
        task.add_done_callback(lambda _: self._news.set())
        return _Storing(work, fold, task)

    def _tell(self, count: int) -> None:
        self._facts += count
        self._idle.clear()
        self._news.set()
        if self._facts >= _FACTS_A_FLUSH // 2:
            self._full.set()

    async def _linger(self) -> None:
        """Give a few milliseconds for siblings to arrive, unless there is enough already."""
        if self._full.is_set():
            return
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                await self._full.wait()
        except TimeoutError:
            return

    def _take(self) -> Work:
        """Take what is collected, as much as is stored at once, with the claimed messages the answers belong to."""
        if self._facts <= _FACTS_AT_MOST:
            answers, self._ended = self._ended, {}
            bursts, self._bursts = self._bursts, []
            count, self._facts = self._facts, 0
        else:
            answers, bursts, count = self._take_some()
        self._storing += count
        flights = {ident: flight.message for ident in answers if (flight := self._flights.pop(ident, None)) is not None}
        return Work(answers, flights, bursts, count)

    def _take_some(self) -> tuple[dict[str, list[Answer]], list[Burst], int]:
        """Take the oldest of both, and have the rest taken next; how many facts they are."""
        answers = {ident: self._ended.pop(ident) for ident in list(islice(self._ended, _FACTS_AT_MOST // 2))}
        count, bursts = sum(map(len, answers.values())), 0
        while bursts < len(self._bursts) and count < _FACTS_AT_MOST:
            count += len(self._bursts[bursts].arrivals)
            bursts += 1
        taken, self._bursts = self._bursts[:bursts], self._bursts[bursts:]
        if self._ended or self._bursts:
            self._tell(-count)
        else:
            self._facts = 0
        return answers, taken, count

    def _put_back(self, work: Work) -> None:
        """The store was busy: keep everything for the next flush; refuse what the carrier will not wait for."""
        for ident, answers in work.answers.items():
            again = self._flights.get(ident)
            if again is not None and again.message.attempts == answers[0].attempt:
                continue  # see `expect`
            self._ended[ident] = answers + self._ended.get(ident, [])
            if again is None and ident in work.flights:
                self._flights[ident] = _Flight(work.flights[ident], {})
        self._facts += work.count
        self._storing -= work.count
        horizon = self._clock.monotonic() - _ARRIVAL_PATIENCE_SECONDS
        for burst in work.bursts:
            if burst.since < horizon:
                burst.done(False)
            else:
                self._bursts.append(burst)
        if self._ended or self._bursts:
            self._news.set()

    async def _fold_after(self, before: _Storing | None, work: Work) -> Fold | None:
        """Fold a chunk on top of one that may not be stored yet; None when the store is busy."""
        try:
            return await self._fold(work, before.fold if before is not None and not before.task.done() else None)
        except StoreBusy:
            return None

    async def _store_chunk(self, work: Work, fold: Fold) -> bool:
        """Store one chunk of facts, then acknowledge it; False when the store was busy."""
        started = self._clock.monotonic()
        try:
            while not await self._is_stored(fold):
                # Somebody else changed one of these messages meanwhile: nothing was written; read it anew and fold again.
                work.afresh = True
                fold = await self._fold(work, None)
        except StoreBusy:
            return False
        self._storing -= work.count
        self.on_stored(work, fold)
        self._metrics.committed("outcome", work.count, self._clock.monotonic() - started)
        self._metrics.failed(fold.failed)
        for burst in work.bursts:
            burst.done(True)
        self._store.wake("events")
        if fold.requeued:
            self._store.wake("queue")
        return True

    async def _is_stored(self, fold: Fold) -> bool:
        """Write what was folded; False, and nothing written, when it is out of date."""
        try:
            async with self._store.write() as uow:
                await fold.store(uow)
                if fold.parts:
                    await self._inbound.take(uow, fold.parts, fold.now)
                learned = await self._learner.take(uow, fold.said(), fold.now) if self._learner else None
                await uow.commit()
        except StoreStale:
            return False
        if self._learner and learned:
            self._learner.taken(learned)
        return True

    async def _fold(self, work: Work, before: Fold | None) -> Fold:
        """Fold before the write transaction is opened: what is only read must not hold up those who write."""
        fold = Fold(work, self._clock, self._waits, self._codes, before)
        async with self._store.read() as uow:
            await self._read(fold, work, uow)
        return fold

    async def _read(self, fold: Fold, work: Work, uow: UnitOfWork) -> None:
        fold.reach = self.reach
        if self._learner:
            fold.moved = await self._learner.moved(uow, work, self._codes, fold.now)
        await fold.read(uow)

    async def rematch(self, uow: UnitOfWork, receipts: Sequence[Receipt]) -> None:
        """Try parked receipts again within the caller's transaction; those still unmatched are parked again.

        `StoreStale`, here or with the commit, when a message changed meanwhile: then the caller tries later.
        """
        work = Work({}, {}, [Burst(receipts, lambda _: None, 0.0)], len(receipts))
        fold = Fold(work, self._clock, self._waits, self._codes)
        await self._read(fold, work, uow)
        await fold.store(uow)
        if self._learner:
            await self._learner.take(uow, fold.said(), fold.now)

    @property
    def waits(self) -> Waits:
        """How long each open state may last."""
        return self._waits
