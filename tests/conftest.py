"""Fixtures every floor may use: a fake clock, a real PostgreSQL, and migrated stores on both engines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from yanshu.adapters.stores import open_store
from yanshu.ports.store import Store
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock
from yanshu.testing.postgres import PostgresServer

_TEMPLATE = "template_yanshu"
_numbers = count(1)

OpenStore = Callable[[], Store]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run, with a migrated template database; failing to start fails the tests that need it."""
    server = PostgresServer(fsync=False)
    try:
        server.start()
        asyncio.run(_migrate(server.create_database(_TEMPLATE)))
        yield server
    finally:
        server.remove()


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    """A server of this test alone that writes what it says it has written, to be stopped and killed."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


async def _migrate(url: str) -> None:
    store = open_store(Settings(database_url=url), FakeClock())
    await store.migrate()
    await store.close()


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """URL of a PostgreSQL database without any table."""
    yield from _database(postgres, "template0")


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """URL of a migrated PostgreSQL database of this test alone."""
    yield from _database(postgres, _TEMPLATE)


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    yield server.create_database(name, template)
    server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a store of this test alone, once for each engine."""
    if request.param == "sqlite":
        return Settings(data_dir=str(tmp_path / "data"))
    return Settings(data_dir=str(tmp_path / "data"), database_url=request.getfixturevalue("database"), database_pool_size=4)


@pytest.fixture
async def open_another(store_settings: Settings, clock: FakeClock) -> AsyncIterator[OpenStore]:
    """Opens stores on one and the same database, as several processes would; they are closed afterwards."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(open_store(store_settings, clock))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_another: OpenStore) -> Store:
    """A migrated store, once for each engine."""
    store = open_another()
    await store.migrate()
    return store
