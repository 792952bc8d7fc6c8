"""Accept: the one way in. A send is composed, then committed together with whatever else is waiting, then answered.

Group commit: while one transaction is on its way to disk, the sends that arrive collect; the next transaction takes them
all. A single send is a list of one; sixty-four concurrent ones cost one commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

from msgspec import Struct

from yanshu.domain.commands import Accepted, Idempotency, Preview, Render, Saved, Send
from yanshu.domain.errors import CallerError, Conflict, Overloaded, RecipientRefused, StoreBusy
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Status
from yanshu.pipeline.compose import Composed, Composer
from yanshu.pipeline.suppress import NOBODY, Suppressed
from yanshu.ports.clock import Clock
from yanshu.ports.joining import Also
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.metrics import Metrics

# stack.md: a store transaction beyond 2,000-4,000 rows hurts latency.
_ROWS_A_COMMIT = 2000
_REFERENCE_WINDOW = timedelta(hours=24)


Taken: TypeAlias = list[Message] | CallerError
"""What became of one send of a chunk: its messages, or why it was refused."""


async def _nothing_else(uow: UnitOfWork) -> None:
    """Join a transaction without a wish."""


class _Waiting(Struct):
    """A composed send, or a chunk of them without keys of their own, that waits for its transaction, which `also` joins."""

    composed: Composed
    done: asyncio.Future[Accepted]
    send: Send | None = None
    idempotency: Idempotency | None = None
    render: Render | None = None
    also: Callable[[UnitOfWork], Awaitable[None]] = _nothing_else
    answer: Accepted | None = None


class Accepter:
    """First stage of every message, whichever door it came through."""

    def __init__(self, store: Store, clock: Clock, composer: Composer, metrics: Metrics, backlog: int) -> None:
        self._store = store
        self._clock = clock
        self._composer = composer
        self._metrics = metrics
        self._backlog = backlog
        self._waiting: deque[_Waiting] = deque()
        self._rows_waiting = 0
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def accept(
        self, send: Send, idempotency: Idempotency | None = None, render: Render | None = None, *, single: bool = True
    ) -> Accepted:
        """Take responsibility for `send` and return its messages once they are committed.

        With `single`, what is wrong with the recipient is raised; otherwise it becomes a message with status rejected.
        `render` makes the answer that an idempotency key replays. Raises `CallerError` leaves; `Overloaded` when the
        store cannot take it now, and then nothing was stored.
        """
        if self._rows_waiting >= self._backlog:
            raise Overloaded("overloaded", retry_after=1)
        if idempotency is not None and (replay := await self._recall(idempotency)):
            return replay
        composed = await self._composer.compose(send)
        if single and composed.errors:
            self._count(composed)
            raise composed.errors[0]
        done = asyncio.get_running_loop().create_future()
        return await self._commit_soon(_Waiting(composed, done, send, idempotency, render))

    async def accept_each(self, sends: Sequence[Send], also: Also[list[Taken]]) -> list[Taken]:
        """Take responsibility for a chunk of sends at once, none of which has a key; what became of each, in order.

        A send to one recipient is refused as a whole; of one to many, what is wrong with a recipient becomes a message with
        status rejected. `also` joins the transaction, unless all are refused. Raises `Overloaded` as `accept` does.
        """
        if self._rows_waiting >= self._backlog:
            raise Overloaded("overloaded", retry_after=1)
        taken: list[Taken] = []
        good: list[Composed] = []
        for send, composed in zip(sends, await self._composer.compose_each(sends), strict=True):
            if isinstance(composed, CallerError):
                taken.append(composed)
            elif composed.errors and len(send.recipients) == 1:
                self._count(composed)
                taken.append(composed.errors[0])
            else:
                good.append(composed)
                taken.append(composed.messages)
        if good:
            done = asyncio.get_running_loop().create_future()
            await self._commit_soon(_Waiting(_merged(good), done, also=lambda uow: also(uow, taken)))
        return taken

    async def _commit_soon(self, waiting: _Waiting) -> Accepted:
        """Have it stored with whatever else is waiting."""
        self._waiting.append(waiting)
        self._rows_waiting += len(waiting.composed.messages)
        self._idle.clear()
        self._news.set()
        return await waiting.done

    async def preview(self, send: Send) -> list[Preview]:
        """Return what would be sent; nothing is stored."""
        return await self._composer.preview(send)

    async def compose(self, send: Send, uow: UnitOfWork | None = None, refusal: CallerError | None = None) -> Composed:
        """Return what `send` would become, message by message, as the transaction `uow` sees it; nothing is stored.

        See `Composer.compose`.
        """
        return await self._composer.compose(send, uow, refusal)

    async def run(self) -> None:
        """Commit what is waiting, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._commit()
            self._idle.set()

    async def settled(self) -> None:
        """Wait until everything taken so far has been committed and answered."""
        await self._idle.wait()

    async def store(self, uow: UnitOfWork, composed: Composed) -> None:
        """Store composed messages in the caller's own transaction: for batches, whose progress moves in the same commit."""
        await self._store_chunk(uow, [composed])

    async def _recall(self, idempotency: Idempotency) -> Accepted | None:
        """Return the answer given before under this key, so that a replay is not judged by today's rules."""
        try:
            async with self._store.read() as uow:
                saved = await uow.records.recall(idempotency)
        except StoreBusy as error:
            raise Overloaded("overloaded", retry_after=1) from error
        return Accepted([], saved) if saved else None

    def _take(self) -> list[_Waiting]:
        """Take sends of up to one transaction's rows, at least one send."""
        taken: list[_Waiting] = []
        rows = 0
        while self._waiting and (not taken or rows + len(self._waiting[0].composed.messages) <= _ROWS_A_COMMIT):
            waiting = self._waiting.popleft()
            rows += len(waiting.composed.messages)
            taken.append(waiting)
        self._rows_waiting -= rows
        return taken

    async def _commit(self) -> None:
        """Store a chunk of sends in one transaction and answer each."""
        started = self._clock.monotonic()
        chunk: list[_Waiting] = []
        try:
            async with self._store.write() as uow:
                chunk = self._take()  # only now: who came while the writer was busy goes along
                good = [waiting for waiting in chunk if await self._admit(uow, waiting)]
                messages = await self._store_chunk(uow, [waiting.composed for waiting in good])
                await uow.commit()
        except StoreBusy:
            for waiting in chunk or self._take():
                _fail(waiting, Overloaded("overloaded", retry_after=1))
            return
        except BaseException as error:
            for waiting in chunk or self._take():
                _fail(waiting, error)
            raise
        self._metrics.committed("accept", len(messages), self._clock.monotonic() - started)
        self.announce(messages)
        for waiting in chunk:
            if waiting.answer is not None and not waiting.done.done():
                waiting.done.set_result(waiting.answer)

    def announce(self, messages: Sequence[Message]) -> None:
        """Tell who waits for work that these have been committed."""
        self._store.wake("events")
        lanes = {message.lane for message in messages if message.status is Status.QUEUED}
        if lanes:
            self._store.wake("queue")
        if Lane.OTP in lanes:
            self._store.wake("urgent")

    async def _store_chunk(self, uow: UnitOfWork, chunk: Sequence[Composed]) -> list[Message]:
        """Write messages and their events; the messages."""
        messages = [message for composed in chunk for message in composed.messages]
        if messages:
            await uow.messages.add(messages)
            await uow.events.add([event for composed in chunk for event in composed.events])
            self._metrics.accepted(len(messages))
        for composed in chunk:
            if composed.suppressed is not NOBODY:
                await uow.lessons.postpone(composed.suppressed.probes)
                self._count(composed)
        return messages

    def _count(self, composed: Composed) -> None:
        if composed.suppressed.refusals:
            self._metrics.suppressed(len(composed.suppressed.refusals))

    async def _admit(self, uow: UnitOfWork, waiting: _Waiting) -> bool:
        """Claim the send's keys inside the transaction; False when it is answered already (replayed or refused)."""
        try:
            if waiting.send is not None:
                waiting.answer = await self._replay_or_store(uow, waiting, waiting.send)
            else:
                waiting.answer = Accepted(waiting.composed.messages)
                await waiting.also(uow)
        except CallerError as error:
            _fail(waiting, error)
            return False
        return waiting.answer.replayed is None

    async def _replay_or_store(self, uow: UnitOfWork, waiting: _Waiting, send: Send) -> Accepted:
        """Answer from the record of the same key, or take the send's marks and leave the record.

        Marks come before the record: a refused send must leave none. A refusal looks for a record once more, because
        the marks may be those of this very request, taken by another process a moment ago.
        """
        key, messages = waiting.idempotency, waiting.composed.messages
        if key is None:
            await self._claim_marks(uow, send)
            return Accepted(messages)
        try:
            await self._claim_marks(uow, send)
        except CallerError:
            if saved := await uow.records.recall(key):
                return Accepted([], saved)
            raise
        answer = waiting.render(messages) if waiting.render else Saved(202, b"")
        saved = await uow.records.remember(key, answer)
        return Accepted([] if saved else messages, saved)

    async def _claim_marks(self, uow: UnitOfWork, send: Send) -> None:
        """Take the dedupe key and the unique client references, or refuse."""
        now = self._clock.now()
        if send.dedupe is not None:
            mark = f"dedupe:{send.workspace_id}:{send.livemode:d}:{send.dedupe.key}"
            until = now + timedelta(seconds=send.dedupe.window_seconds)
            if await uow.records.mark_unique({mark: until}, now):
                raise RecipientRefused("duplicate_content", param="dedupe.key")
        if send.unique_references:
            until = now + _REFERENCE_WINDOW
            marks = {
                f"reference:{send.workspace_id}:{send.livemode:d}:{recipient.client_reference}": until
                for recipient in send.recipients
                if recipient.client_reference
            }
            if marks and await uow.records.mark_unique(marks, now):
                raise Conflict("client_reference_exists", param="client_reference")


def _merged(chunk: Sequence[Composed]) -> Composed:
    """Return a chunk of composed sends as one that can only be stored."""
    probes = {number: at for composed in chunk for number, at in composed.suppressed.probes.items()}
    refused = [error for composed in chunk for error in composed.suppressed.refusals.values()]
    messages = [message for composed in chunk for message in composed.messages]
    events = [event for composed in chunk for event in composed.events]
    return Composed(messages, events, {}, Suppressed(dict(enumerate(refused)), probes) if probes or refused else NOBODY)


def _fail(waiting: _Waiting, error: BaseException) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
