"""Stores whose database is locked, full, gone or restarting: `StoreBusy` while it lasts, and recovery without a restart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from yanshu.adapters.stores import open_store
from yanshu.adapters.stores.sqlite import worker
from yanshu.domain.errors import StoreBusy
from yanshu.ports.store import Store
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock
from yanshu.testing.postgres import PostgresServer
from yanshu.testing.samples import Samples
from yanshu.testing.stores.messages import get, put

_PATIENCE = 20.0


@pytest.fixture
async def remote(durable: PostgresServer, clock: FakeClock) -> AsyncIterator[Store]:
    store = open_store(Settings(database_url=durable.create_database("yanshu"), database_pool_size=4), clock)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture
async def local(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    store = open_store(Settings(data_dir=str(tmp_path)), clock)
    await store.migrate()
    yield store
    await store.close()


async def test_a_stopped_server_is_busy_and_then_back(durable: PostgresServer, remote: Store, clock: FakeClock) -> None:
    samples = Samples(clock)
    first, second = samples.messages(2)
    await asyncio.gather(*[put(remote, message) for message in (first, *samples.messages(6))])
    durable.stop()
    with pytest.raises(StoreBusy):
        await remote.ping()
    with pytest.raises(StoreBusy):
        await put(remote, second)
    durable.start()
    await put(remote, second)
    assert await get(remote, first.id, second.id) == [first, second]


async def test_a_restart_between_two_transactions_is_not_noticed(durable: PostgresServer, remote: Store, clock: FakeClock) -> None:
    samples = Samples(clock)
    await asyncio.gather(*[put(remote, message) for message in samples.messages(8)])
    durable.restart()
    await asyncio.gather(*[put(remote, message) for message in samples.messages(8)])


async def test_a_kill_inside_a_transaction_is_busy_and_loses_nothing_committed(
    durable: PostgresServer, remote: Store, clock: FakeClock
) -> None:
    samples = Samples(clock)
    committed, lost = samples.messages(2)
    await put(remote, committed)
    async with remote.write() as uow:
        await uow.messages.add([lost])
        durable.kill()
        with pytest.raises(StoreBusy):
            await uow.commit()
    durable.start()
    assert await get(remote, committed.id, lost.id) == [committed]


async def test_every_acknowledged_row_survives_kills_under_load(durable: PostgresServer, remote: Store, clock: FakeClock) -> None:
    samples = Samples(clock)
    acknowledged: list[str] = []
    ended = asyncio.Event()

    async def load() -> None:
        while not ended.is_set():
            chunk = samples.messages(20)
            try:
                await put(remote, *chunk)
            except StoreBusy:
                await asyncio.sleep(0.01)
            else:
                acknowledged.extend(message.id for message in chunk)

    async def hundred_more() -> None:
        goal = len(acknowledged) + 100

        async def reached() -> bool:
            await asyncio.sleep(0.01)
            return len(acknowledged) >= goal

        await _until(reached)

    writers = [asyncio.create_task(load()) for _ in range(3)]
    for _ in range(2):
        await hundred_more()
        await asyncio.to_thread(durable.kill)
        await asyncio.to_thread(durable.start)
    await hundred_more()
    ended.set()
    await asyncio.gather(*writers)
    assert len(await get(remote, *acknowledged)) == len(acknowledged)


async def test_migrating_waits_for_a_server_that_is_still_starting(durable: PostgresServer, clock: FakeClock) -> None:
    url = durable.create_database("later")
    durable.stop()
    store = open_store(Settings(database_url=url), clock)
    migrating = asyncio.create_task(store.migrate())
    await asyncio.sleep(0)
    await asyncio.to_thread(durable.start)
    assert await asyncio.wait_for(migrating, _PATIENCE)
    await store.close()


async def test_news_crosses_processes_and_comes_again_after_a_restart(durable: PostgresServer, remote: Store, clock: FakeClock) -> None:
    other = open_store(Settings(database_url=durable.url("yanshu")), clock)

    async def heard() -> bool:
        remote.wake("queue")
        return await other.wait("queue", 0.2)

    await _until(heard)
    durable.restart()
    await _until(heard)
    await other.close()


async def test_a_file_that_another_process_locks_is_busy_and_then_free(
    local: Store, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_BUSY_SECONDS", 0.05)
    impatient = open_store(Settings(data_dir=str(tmp_path)), clock)
    message = Samples(clock).message()
    other = sqlite3.connect(tmp_path / "yanshu.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        await put(impatient, message)
    assert await get(impatient, message.id) == []
    other.execute("ROLLBACK")
    other.close()
    await put(impatient, message)
    assert await get(local, message.id) == [message]
    await impatient.close()


async def test_all_who_wait_for_a_locked_file_are_told_together(
    local: Store, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_BUSY_SECONDS", 0.5)
    impatient = open_store(Settings(data_dir=str(tmp_path)), clock)
    messages = Samples(clock).messages(40)
    other = sqlite3.connect(tmp_path / "yanshu.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(10):  # one after another they would wait for 20 s
        ends = await asyncio.gather(*[put(impatient, message) for message in messages], return_exceptions=True)
    assert {type(end) for end in ends} == {StoreBusy}
    other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(*[put(impatient, message) for message in messages])
    assert len(await get(local, *[message.id for message in messages])) == 40
    await impatient.close()


async def test_a_full_disk_is_busy_and_nothing_is_half_done(local: Store, tmp_path: Path, clock: FakeClock) -> None:
    samples = Samples(clock)
    message = samples.message()
    await put(local, message)
    async with local.write() as uow:
        pages = await uow.messages._hot.driver(lambda driver: driver.execute("PRAGMA page_count").fetchone()[0])  # type: ignore[attr-defined]
        await uow.messages._hot.driver(lambda driver: driver.execute(f"PRAGMA max_page_count = {pages + 5}").fetchone())  # type: ignore[attr-defined]
    chunk = samples.messages(2000)
    with pytest.raises(StoreBusy):
        await put(local, *chunk)
    async with local.write() as uow:
        await uow.messages._hot.driver(lambda driver: driver.execute("PRAGMA max_page_count = 1000000").fetchone())  # type: ignore[attr-defined]
    assert await get(local, *[each.id for each in chunk]) == []
    await put(local, *chunk)
    assert len(await get(local, message.id, *[each.id for each in chunk])) == 2001


async def test_a_folder_that_is_not_there_is_busy(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(Settings(data_dir=str(tmp_path / "data")), clock)
    (tmp_path / "data").rmdir()
    with pytest.raises(StoreBusy):
        await store.migrate()
    (tmp_path / "data").mkdir()
    await store.migrate()
    await store.close()


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await condition():
            pass
