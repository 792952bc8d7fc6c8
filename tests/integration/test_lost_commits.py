"""A commit whose answer is lost: it is done, and whoever asked must ask again without knowing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from yanshu.domain.errors import StoreBusy
from yanshu.domain.lanes import LANE_ORDER
from yanshu.domain.messages import Message, Status
from yanshu.domain.submissions import Answer, AnswerResult
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.route import Router
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.metrics import Metrics
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples
from yanshu.testing.stores.messages import put

CONNECTOR = "con_1"


class Forgetful:
    """A store that commits once and then says that it was busy, as one does that dies before its answer is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.committed = asyncio.Event()
        self.wake, self.wait, self.read = store.wake, store.wait, store.read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        async with self._store.write() as uow:
            yield uow if self.committed.is_set() else _Once(uow, self.committed)  # type: ignore[misc]


class _Once:
    def __init__(self, uow: UnitOfWork, committed: asyncio.Event) -> None:
        self._uow = uow
        self._committed = committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    async def commit(self) -> None:
        await self._uow.commit()
        self._committed.set()
        raise StoreBusy("gone before it answered")


async def claim(store: Store, clock: FakeClock) -> Message:
    async with store.write() as uow:
        now = clock.now()
        (message,) = await uow.claim(CONNECTOR, LANE_ORDER, 10, now, now + timedelta(seconds=30))
    return message


async def stored(store: Store, ident: str) -> Message:
    async with store.read() as uow:
        return (await uow.messages.get([ident]))[0]


def answer(message: Message, result: AnswerResult, clock: FakeClock) -> Answer:
    carrier_id = "c-1" if result is AnswerResult.ACCEPTED else None
    return Answer(message.id, message.attempts, 1, 1, CONNECTOR, result, clock.now(), carrier_id, "0x00000058")


@pytest.mark.parametrize("who", ["another process", "the same process"])
async def test_what_was_put_back_and_claimed_again_is_not_put_back_twice(store: Store, clock: FakeClock, who: str) -> None:
    forgetful = Forgetful(store)
    router = Router(store)
    outcome = Outcome(forgetful, clock, InboundStage(clock, router), Metrics(), Waits(), shipped_causes(router))  # type: ignore[arg-type]
    running = asyncio.create_task(outcome.run())
    await put(store, Samples(clock).message(status=Status.QUEUED, connector_id=CONNECTOR, segments=1))
    first = await claim(store, clock)
    outcome.expect([first])
    outcome.answered([answer(first, AnswerResult.THROTTLED, clock)])
    await asyncio.wait_for(forgetful.committed.wait(), 10)
    second = await claim(store, clock)
    assert (second.id, second.attempts) == (first.id, first.attempts)
    if who == "the same process":
        outcome.expect([second])
    await asyncio.wait_for(outcome.settled(), 10)
    message = await stored(store, first.id)
    assert (message.status, message.version) == (Status.SUBMITTING, second.version)
    if who == "the same process":
        outcome.answered([answer(second, AnswerResult.ACCEPTED, clock)])
        await asyncio.wait_for(outcome.settled(), 10)
        assert (await stored(store, first.id)).status is Status.SUBMITTED
        async with store.read() as uow:
            assert [row.carrier_key for row in await uow.submissions.of_messages([first.id])] == ["c-1"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_refusal_folded_twice_does_not_skip_a_candidate(store: Store, clock: FakeClock) -> None:
    forgetful = Forgetful(store)
    router = Router(store)
    outcome = Outcome(forgetful, clock, InboundStage(clock, router), Metrics(), Waits(), shipped_causes(router))  # type: ignore[arg-type]
    running = asyncio.create_task(outcome.run())
    candidates = (CONNECTOR, "con_2", "con_3")
    await put(store, Samples(clock).message(status=Status.QUEUED, connector_id=CONNECTOR, segments=1, candidates=candidates))
    first = await claim(store, clock)
    outcome.expect([first])
    outcome.answered([answer(first, AnswerResult.REFUSED, clock)])
    await asyncio.wait_for(outcome.settled(), 10)
    message = await stored(store, first.id)
    assert (message.status, message.connector_id) == (Status.QUEUED, "con_2")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
