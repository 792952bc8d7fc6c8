"""The gate asks the store once for a key that many use at once, and never remembers what it was told to forget."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from yanshu.domain.access import ApiKey
from yanshu.edge.api.endpoints import Endpoint
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.routes.messages import ENDPOINTS
from yanshu.rules.accounts.keys import digest_of
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

SECRET = "ys_live_" + "a" * 32
ENDPOINT: Endpoint = ENDPOINTS[0]


class SlowStore:
    """A store of one key that answers when it is let."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.asked = 0
        self.answers = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self.access = self
        yield self

    async def key_by_digest(self, digest: str) -> ApiKey | None:
        self.asked += 1
        found = self.key if digest == self.key.digest else None
        await self.answers.wait()
        return found


def opened() -> tuple[Gate, SlowStore, FakeClock]:
    clock = FakeClock()
    store = SlowStore(Samples(clock).key(digest=digest_of(SECRET)))
    return Gate(store, clock, Settings()), store, clock  # type: ignore[arg-type]


async def enter(gate: Gate) -> ApiKey:
    return (await gate.enter({"authorization": f"Bearer {SECRET}"}, "127.0.0.1", ENDPOINT))[1]


async def until_asked(store: SlowStore, times: int) -> None:
    async with asyncio.timeout(30):
        while store.asked < times:
            await asyncio.sleep(0)


async def test_many_who_come_at_once_with_one_key_are_one_question() -> None:
    gate, store, _ = opened()
    callers = [asyncio.create_task(enter(gate)) for _ in range(64)]
    await until_asked(store, 1)
    store.answers.set()
    assert {key.id for key in await asyncio.gather(*callers)} == {store.key.id}
    assert store.asked == 1


async def test_one_who_goes_away_does_not_take_the_answer_from_the_others() -> None:
    gate, store, _ = opened()
    first, second = asyncio.create_task(enter(gate)), asyncio.create_task(enter(gate))
    await until_asked(store, 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    store.answers.set()
    assert (await second).id == store.key.id


async def test_a_key_is_asked_for_again_when_its_time_is_over_or_it_was_forgotten_meanwhile() -> None:
    gate, store, clock = opened()
    early = asyncio.create_task(enter(gate))
    await until_asked(store, 1)
    gate.forget()
    store.answers.set()
    await early
    await enter(gate)
    await enter(gate)
    assert store.asked == 2
    clock.advance(2)
    await enter(gate)
    assert store.asked == 3
