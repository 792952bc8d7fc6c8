"""Migrations: from nothing to the present schema, on both engines, also when several processes begin at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from yanshu.adapters.stores import open_store
from yanshu.adapters.stores.migrations import versions
from yanshu.adapters.stores.tables import metadata
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock

STEPS = sorted(path.name[:4] for path in Path(versions.__file__).parent.glob("0*.py"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("empty_database") if request.param == "postgres" else ""
    return Settings(data_dir=str(tmp_path / "data"), database_url=url)


async def test_an_empty_database_takes_every_step_and_then_none(empty_settings: Settings, clock: FakeClock) -> None:
    store = open_store(empty_settings, clock)
    steps = await store.migrate()
    assert [step.split()[0] for step in steps] == STEPS
    assert await store.migrate() == []
    await store.ping()
    await store.close()


async def test_processes_that_start_at_once_take_every_step_once(empty_settings: Settings, clock: FakeClock) -> None:
    stores = [open_store(empty_settings, clock) for _ in range(4)]
    results = await asyncio.gather(*[store.migrate() for store in stores])
    assert sorted(len(steps) for steps in results) == [0, 0, 0, len(STEPS)]
    for store in stores:
        await store.close()


async def test_the_steps_lead_to_the_tables_we_use(empty_settings: Settings, clock: FakeClock) -> None:
    store = open_store(empty_settings, clock)
    await store.migrate()
    await store.close()
    assert await _differences(empty_settings) == []


async def _differences(settings: Settings) -> list[Any]:
    if not settings.database_url:
        engine = create_engine(f"sqlite:///{settings.data_dir}/yanshu.db")
        with engine.connect() as connection:
            return _compare(connection)
    async_engine = create_async_engine(settings.database_url.replace("postgresql", "postgresql+asyncpg"))
    async with async_engine.connect() as opened:
        found = await opened.run_sync(_compare)
    await async_engine.dispose()
    return found


def _compare(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))
