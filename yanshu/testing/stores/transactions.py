"""What holds of transactions, migrations, wake-ups and copies."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from pathlib import Path
from typing import Any

from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, raised
from yanshu.testing.stores.messages import get, put

_SOON = 5.0


class TransactionSuite:
    """See the module."""

    async def test_leaving_without_commit_undoes_everything(self, store: Store, clock: FakeClock) -> None:
        """Also when it is left by an error or a cancellation."""
        samples = Samples(clock)
        message = samples.message()

        async def leave(how: str) -> None:
            async with store.write() as uow:
                await uow.messages.add([message])
                if how == "error":
                    raise LookupError
                if how == "cancel":
                    await asyncio.Event().wait()

        await leave("quietly")
        for how in ("error", "cancel"):
            task = asyncio.create_task(leave(how))
            done, _ = await asyncio.wait([task], timeout=0.05)
            task.cancel()
            await asyncio.wait([task])
            assert bool(done) == (how == "error")
        assert await get(store, message.id) == []
        await put(store, message)
        assert await get(store, message.id) == [message]

    async def test_a_cancelled_statement_leaves_the_store_usable(self, store: Store, clock: FakeClock) -> None:
        """Whatever moment it is cut off at."""
        samples = Samples(clock)
        for steps in range(20):
            task = asyncio.create_task(put(store, *samples.messages(50)))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        message = samples.message()
        await put(store, message)
        assert await get(store, message.id) == [message]

    async def test_a_unit_of_work_is_over_after_its_commit(self, store: Store, clock: FakeClock) -> None:
        """Using it again is a defect, and says so."""
        async with store.write() as uow:
            await uow.commit()
            with raised(RuntimeError):
                await uow.messages.add([Samples(clock).message()])

    async def test_readers_see_one_moment_and_do_not_wait_for_writers(self, store: Store, clock: FakeClock) -> None:
        """A reader that has begun does not see a later commit."""
        samples = Samples(clock)
        first, second = samples.messages(2)
        async with store.read() as reader:
            assert await reader.messages.get([first.id]) == []
            async with store.write() as writer:
                await writer.messages.add([first])
                assert await reader.messages.get([first.id]) == []
                await writer.commit()
            assert await reader.messages.get([first.id]) == []
        await put(store, second)
        assert await get(store, first.id, second.id) == [first, second]

    async def test_many_units_of_work_at_once_all_get_their_turn(self, store: Store, clock: FakeClock) -> None:
        """More than there are connections."""
        samples = Samples(clock)
        messages = samples.messages(60)
        await asyncio.gather(*[put(store, message) for message in messages])
        found = await asyncio.gather(*[get(store, message.id) for message in messages])
        assert found == [[message] for message in messages]

    async def test_processes_that_migrate_at_once_do_every_step_once(self, store: Store, open_another: Any) -> None:
        """Here there is nothing left to do; `tests/integration` starts from nothing."""
        assert await asyncio.gather(*[each.migrate() for each in (store, open_another(), open_another())]) == [[], [], []]
        await store.ping()

    async def test_news_wakes_who_waits_in_this_process(self, store: Store) -> None:
        """Only on its topic, and not for news it has had."""
        waiting = asyncio.create_task(store.wait("queue", _SOON))
        other = asyncio.create_task(store.wait("batches", 0.05))
        await asyncio.sleep(0)
        store.wake("queue")
        assert await waiting
        assert not await other
        assert not await store.wait("queue", 0.01)

    async def test_news_between_two_waits_is_not_missed(self, store: Store) -> None:
        """The waiter was busy when it came."""
        assert not await store.wait("queue", 0.01)
        store.wake("queue")
        store.wake("queue")
        assert await store.wait("queue", 0)
        assert not await store.wait("queue", 0.01)

    async def test_a_copy_is_written(self, store: Store, clock: FakeClock, tmp_path: Path) -> None:
        """While the store is in use; restoring it is each engine's own test."""
        await put(store, *Samples(clock).messages(10))
        target = tmp_path / "copy"
        await store.backup(str(target))
        assert target.stat().st_size > 0
