"""Backups: what is written can be restored, and is of one moment."""

import gzip
from pathlib import Path

from yanshu.adapters.stores import open_store
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock
from yanshu.testing.postgres import PostgresServer
from yanshu.testing.samples import Samples
from yanshu.testing.stores.messages import get, put


async def test_a_copy_of_the_embedded_store_opens_as_a_store(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(Settings(data_dir=str(tmp_path / "data")), clock)
    await store.migrate()
    samples = Samples(clock)
    chunk = samples.messages(3000, metadata={"a": "b"})
    await put(store, *chunk)
    (tmp_path / "restored").mkdir()
    await store.backup(str(tmp_path / "restored" / "yanshu.db"))
    later = samples.message()
    await put(store, later)
    await store.close()
    restored = open_store(Settings(data_dir=str(tmp_path / "restored")), clock)
    assert await restored.migrate() == []
    assert await get(restored, later.id, *[message.id for message in chunk]) == chunk
    await restored.close()


async def test_a_dump_of_postgresql_restores_into_a_migrated_database(
    postgres: PostgresServer, database: str, empty_database: str, tmp_path: Path, clock: FakeClock
) -> None:
    samples = Samples(clock)
    store = open_store(Settings(database_url=database), clock)
    chunk = samples.messages(300, text="tab\tline\nback\\slash 二", metadata={"a": "\\."})
    await put(store, *chunk)
    batch = samples.batch(send=b"\x00\xff\\")
    async with store.write() as uow:
        await uow.events.add([samples.event(chunk[0])])
        await uow.batches.add(batch)
        await uow.webhooks.advance_callbacks(77)
        await uow.commit()
    target = tmp_path / "dump.sql.gz"
    # As written in a cluster that has seen many more transactions than the one it is restored into.
    postgres.execute(database.rpartition("/")[2], "UPDATE event_packs SET commit_number = commit_number + 1000000000")
    await store.backup(str(target))
    await store.close()
    assert not target.with_name(f"{target.name}.partial").exists()

    restored = open_store(Settings(database_url=empty_database), clock)
    await restored.migrate()
    postgres.execute(empty_database.rpartition("/")[2], gzip.decompress(target.read_bytes()).decode())
    assert await get(restored, *[message.id for message in chunk]) == chunk
    async with restored.write() as uow:
        assert await uow.batches.get(batch.id) == batch
        assert await uow.webhooks.callbacks_position() == 77
        await uow.events.add([samples.event(chunk[1])])
        await uow.commit()
    async with restored.read() as uow:
        assert [event.object_id for event in await uow.events.after(0, 9)] == [chunk[0].id, chunk[1].id]
    await restored.close()
