"""The embedded store: one writer, taken in turn, and readers beside it."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from yanshu.adapters.stores.migrate import upgrade
from yanshu.adapters.stores.news import News
from yanshu.adapters.stores.sqlite.history import SqliteEvents, SqliteRecords, SqliteSubmissions
from yanshu.adapters.stores.sqlite.messages import SqliteMessages
from yanshu.adapters.stores.sqlite.session import SqliteSession, driver_of
from yanshu.adapters.stores.sqlite.worker import Worker
from yanshu.adapters.stores.turns import Turns
from yanshu.adapters.stores.unit import Unit
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message
from yanshu.ports.clock import Clock
from yanshu.ports.store import UnitOfWork

_READERS = 3


class SqliteStore:
    """See `ports.store.Store`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = str(path)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._writer = Worker("store-writer", self._path)
        self._readers: asyncio.Queue[Worker] = asyncio.Queue()
        self._workers = [Worker(f"store-reader-{n}", self._path, read_only=True) for n in range(_READERS)]
        for worker in self._workers:
            self._readers.put_nowait(worker)
        self._news = News()
        self._turns = Turns()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """See `ports.store.Store.write`. When the file is locked, those who waited behind the one who found out have waited enough."""
        asked_at = time.monotonic()
        await self._turn.acquire()
        session = SqliteSession(self._writer, "BEGIN IMMEDIATE", self._turn.release, asked_at)
        try:
            yield self._unit(session)
        finally:
            session.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """See `ports.store.Store.read`."""
        worker = await self._readers.get()
        session = SqliteSession(worker, "BEGIN", lambda: self._readers.put_nowait(worker), time.monotonic())
        try:
            yield self._unit(session)
        finally:
            session.close()

    async def migrate(self) -> list[str]:
        """See `ports.store.Store.migrate`."""
        async with self._turn:
            return await self._writer.call(_migrate)

    async def ping(self) -> None:
        """See `ports.store.Store.ping`."""
        async with self._turn:
            await self._writer.call(_touch)

    async def backup(self, target: str) -> None:
        """See `ports.store.Store.backup`."""
        worker = await self._readers.get()
        try:
            await worker.call(lambda connection: _copy(driver_of(connection), target))
        finally:
            self._readers.put_nowait(worker)

    async def close(self) -> None:
        """See `ports.store.Store.close`."""
        for worker in (*self._workers, self._writer):
            await worker.close()

    def wake(self, topic: str) -> None:
        """See `ports.store.Store.wake`."""
        self._news.tell(topic)

    async def wait(self, topic: str, timeout_seconds: float) -> bool:
        """See `ports.store.Store.wait`."""
        return await self._news.wait(topic, timeout_seconds)

    def _unit(self, session: SqliteSession) -> Unit:
        return _Unit(session, SqliteMessages(session, self._turns), SqliteRecords(session, self._clock))


class _Unit(Unit):
    """The unit of work whose claim is a single trip to the writer's thread."""

    def __init__(self, session: SqliteSession, messages: SqliteMessages, records: SqliteRecords) -> None:
        super().__init__(session, session.commit, (messages, SqliteSubmissions(session), SqliteEvents(session), records))
        self._messages = messages

    async def claim(self, connector_id: str, lanes: Sequence[Lane], segments: int, now: datetime, lease_until: datetime) -> list[Message]:
        """See `ports.store.UnitOfWork.claim`."""
        return await self._messages.claim(connector_id, lanes, segments, now, lease_until)


def _migrate(connection: Connection) -> list[str]:
    """Upgrade under the lock that keeps every other process out."""
    driver = driver_of(connection)
    driver.execute("BEGIN EXCLUSIVE")
    try:
        steps = upgrade(connection)
    except BaseException:
        driver.execute("ROLLBACK")
        raise
    driver.execute("COMMIT")
    return steps


def _touch(connection: Connection) -> None:
    """Prove that the file can be locked for writing, and read."""
    driver = driver_of(connection)
    driver.execute("BEGIN IMMEDIATE")
    try:
        driver.execute("SELECT value FROM counters WHERE name = 'definitions'").fetchone()
    finally:
        driver.execute("ROLLBACK")


def _copy(driver: sqlite3.Connection, target: str) -> None:
    """Copy the whole file in one step: one snapshot, beside the writers. In several steps, every commit between two would start it over.

    It is written beside the target and renamed when it is whole: a copy that broke off is never taken for a good one.
    """
    partial = Path(f"{target}.partial")
    partial.unlink(missing_ok=True)
    copy = sqlite3.connect(partial)
    try:
        driver.backup(copy)
    finally:
        copy.close()
    partial.replace(target)
