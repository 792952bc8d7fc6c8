"""The store at scale: a pool of PostgreSQL connections."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from yanshu.adapters.stores.migrate import upgrade
from yanshu.adapters.stores.news import News
from yanshu.adapters.stores.postgres.dump import dump
from yanshu.adapters.stores.postgres.history import PostgresEvents, PostgresRecords, PostgresSubmissions
from yanshu.adapters.stores.postgres.listen import Bulletin
from yanshu.adapters.stores.postgres.messages import PostgresMessages
from yanshu.adapters.stores.postgres.session import READ, WRITE, PostgresSession, begin, guarded
from yanshu.adapters.stores.turns import Turns
from yanshu.adapters.stores.unit import Unit
from yanshu.domain.errors import StoreBusy
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message
from yanshu.ports.clock import Clock
from yanshu.ports.store import UnitOfWork

_CONNECT_SECONDS = 5.0
_POOL_WAIT_SECONDS = 10.0
# A server that starts beside us needs a while; only `migrate`, the first thing we ask of it, waits for it.
_FIRST_TRIES = 40
_FIRST_PAUSE_SECONDS = 0.5
# Any number all our processes agree on: who holds this advisory lock migrates.
_MIGRATION_LOCK = 0x59414E53
# Chunks join by key and pages walk an index in its order. On a young table, without statistics, the planner would read all
# of it and sort; what is off here is only used where there is no other way.
_PLANNING = {
    "application_name": "yanshu",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "jit": "off",
}


class PostgresStore:
    """See `ports.store.Store`."""

    def __init__(self, url: str, pool_size: int, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._engine = _engine(url, pool_size)
        self._news = News()
        self._bulletin = Bulletin(lambda: _connect(url), self._news, clock.entropy(8).hex())
        self._turns = Turns()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """See `ports.store.Store.write`."""
        session = await begin(self._engine, WRITE)
        try:
            yield self._unit(session)
        finally:
            await session.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """See `ports.store.Store.read`."""
        session = await begin(self._engine, READ)
        try:
            yield self._unit(session)
        finally:
            await session.close()

    async def migrate(self) -> list[str]:
        """See `ports.store.Store.migrate`. Waits for a server that is still starting."""
        for _ in range(_FIRST_TRIES - 1):
            try:
                return await self._migrate()
            except StoreBusy:
                await asyncio.sleep(_FIRST_PAUSE_SECONDS)
        return await self._migrate()

    async def ping(self) -> None:
        """See `ports.store.Store.ping`."""
        session = await begin(self._engine, WRITE)
        try:
            await session.fetch("SELECT value FROM counters WHERE name = 'definitions' FOR SHARE")
        finally:
            await session.close()

    async def backup(self, target: str) -> None:
        """See `ports.store.Store.backup`; the form is told in `dump`."""
        session = await begin(self._engine, READ)
        try:
            await guarded(dump(session.driver, target))
        finally:
            await session.close()

    async def close(self) -> None:
        """See `ports.store.Store.close`."""
        await self._bulletin.stop()
        await self._engine.dispose()

    def wake(self, topic: str) -> None:
        """See `ports.store.Store.wake`."""
        self._news.tell(topic)
        self._bulletin.start()
        self._bulletin.tell(topic)

    async def wait(self, topic: str, timeout_seconds: float) -> bool:
        """See `ports.store.Store.wait`."""
        self._bulletin.start()
        return await self._news.wait(topic, timeout_seconds)

    def _unit(self, session: PostgresSession) -> Unit:
        return _Unit(session, PostgresMessages(session, self._turns), PostgresRecords(session, self._clock))

    async def _migrate(self) -> list[str]:
        session = await begin(self._engine, WRITE)
        try:
            await session.fetch("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            steps = await session.sync(upgrade)
            await session.commit()
        finally:
            await session.close()
        return steps


class _Unit(Unit):
    """The unit of work whose claim is one statement a lane."""

    def __init__(self, session: PostgresSession, messages: PostgresMessages, records: PostgresRecords) -> None:
        super().__init__(session, session.commit, (messages, PostgresSubmissions(session), PostgresEvents(session), records))
        self._messages = messages

    async def claim(self, connector_id: str, lanes: Sequence[Lane], segments: int, now: datetime, lease_until: datetime) -> list[Message]:
        """See `ports.store.UnitOfWork.claim`."""
        claimed = await self._messages.claim(connector_id, lanes, segments, now, lease_until)
        await self.commit()
        return claimed


def _engine(url: str, pool_size: int) -> AsyncEngine:
    """A pool whose connections leave transactions to us."""

    async def connect() -> "asyncpg.Connection[Any]":
        return await _connect(url)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
    )


async def _connect(url: str) -> "asyncpg.Connection[Any]":
    """One connection; the URL may hold whatever libpq's may (host, sslmode, …)."""
    return await asyncpg.connect(url, timeout=_CONNECT_SECONDS, server_settings=_PLANNING)
