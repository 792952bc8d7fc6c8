"""News within a process: who waits is woken, and who is cancelled ends."""

import asyncio

import pytest

from yanshu.adapters.stores.news import News


async def test_news_between_two_waits_is_not_missed() -> None:
    news = News()
    assert not await news.wait("queue", 0.01)
    news.tell("queue")
    assert await news.wait("queue", 10)
    assert not await news.wait("queue", 0.01)


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_together_with_news_is_not_lost(turns: int) -> None:
    news = News()

    async def follow() -> None:
        while True:
            await news.wait("queue", 60)

    follower = asyncio.create_task(follow())
    for _ in range(3):
        await asyncio.sleep(0)
    news.tell("queue")
    for _ in range(turns):
        await asyncio.sleep(0)
    follower.cancel()
    ended, _ = await asyncio.wait([follower], timeout=5)
    follower.cancel()
    assert ended
