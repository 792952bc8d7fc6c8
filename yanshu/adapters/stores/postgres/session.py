"""One transaction on a PostgreSQL connection."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Row, Select, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.base import Executable

from yanshu.adapters.stores.postgres.arrays import columns_of, unnest
from yanshu.adapters.stores.postgres.faults import DRIVER_ERRORS, translate
from yanshu.adapters.stores.session import Tally

T = TypeVar("T")
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
# Transaction ids begin anew in another database cluster; the offset, set by a restored dump, goes on above the old ones.
COMMIT_NUMBER = "(pg_current_xact_id()::text::bigint + (SELECT value FROM counters WHERE name = 'commit_offset'))"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


async def guarded(work: Awaitable[T]) -> T:
    """Await a call into the driver; its failures come out in our words."""
    try:
        return await work
    except DRIVER_ERRORS as error:
        raise translate(error) from error


class PostgresSession:
    """A transaction. SQLAlchemy leaves BEGIN and COMMIT to us, so that its statements and the driver's own share it."""

    def __init__(self, connection: AsyncConnection, driver: "asyncpg.Connection[Any]") -> None:
        self.tally = Tally()
        self.appended = 0
        self._connection = connection
        self._driver = driver
        self._over = False
        self._number: int | None = None

    async def number(self) -> int:
        """The number of this transaction: see postgres/history.py."""
        if self._number is None:
            self._number = (await self.fetch(f"SELECT {COMMIT_NUMBER}"))[0][0]  # a constant
        return self._number

    @property
    def driver(self) -> "asyncpg.Connection[Any]":
        """The driver's connection, inside the transaction; wrap what it is asked in `guarded`."""
        if self._over:
            raise RuntimeError("the unit of work is over")
        return self._driver

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Run one of our own statements in the driver's words and return its rows."""
        return await guarded(self.driver.fetch(sql, *values))

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """See `Session.rows`."""
        rows: Sequence[Row[Any]] = (await self._execute(statement)).all()
        return rows

    async def run(self, statement: Executable) -> int:
        """See `Session.run`."""
        return int((await self._execute(statement)).rowcount)

    async def put(self, statement: Executable) -> None:
        """See `Session.put`. A connection takes one statement at a time, so there is nothing to gain by waiting."""
        await self._execute(statement)

    async def add_rows(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See `Session.add_rows`."""
        if rows:
            await self.fetch(_insertion(table), *columns_of(rows))

    async def bulk(self, statement: Select[Any]) -> Sequence[Sequence[Any]]:
        """See `Session.bulk`."""
        return await self.rows(statement)

    async def sync(self, work: Callable[[Connection], T]) -> T:
        """Run a function that wants SQLAlchemy's blocking connection."""
        return await guarded(self._connection.run_sync(work))

    def insert(self, table: Table) -> postgresql.Insert:
        """See `Session.insert`."""
        return postgresql.insert(table)

    async def commit(self) -> None:
        """Make it durable and end."""
        await guarded(self.driver.execute("COMMIT"))
        self._over = True

    async def close(self) -> None:
        """End; roll back unless committed, and give the connection back, or up if it is broken. A cancellation waits for it."""
        ending = asyncio.create_task(self._end())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait([ending])
            raise

    async def _end(self) -> None:
        try:
            if not self._over:
                self._over = True
                await self._driver.execute("ROLLBACK")
        except DRIVER_ERRORS:
            await self._connection.invalidate()
        finally:
            await self._connection.close()

    async def _execute(self, statement: Executable) -> Any:
        if self._over:
            raise RuntimeError("the unit of work is over")
        return await guarded(self._connection.execute(statement))


@lru_cache(maxsize=64)
def _insertion(table: Table) -> str:
    """The statement that inserts rows into a table."""
    names = [column.name for column in table.columns]
    listed = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table.name} ({listed}) SELECT * FROM {unnest(table, names)}"  # noqa: S608  # our own names


async def begin(engine: AsyncEngine, how: str) -> PostgresSession:
    """Open a transaction. A cancellation waits until the connection is in our hands, so that none is lost."""
    opening = asyncio.create_task(_open(engine, how))
    try:
        return await guarded(asyncio.shield(opening))
    except asyncio.CancelledError:
        await asyncio.wait([opening])
        if not opening.exception():
            await opening.result().close()
        raise


async def _open(engine: AsyncEngine, how: str) -> PostgresSession:
    """Take a connection and begin; one that died while it was idle in the pool is replaced without anybody noticing."""
    connection = engine.connect()
    await connection.start()
    try:
        try:
            return await _begin(connection, how)
        except DRIVER_ERRORS:
            await connection.invalidate()
            return await _begin(connection, how)
    except BaseException:
        await connection.close()
        raise


async def _begin(connection: AsyncConnection, how: str) -> PostgresSession:
    """Begin on the connection below; a fresh one is opened if there is none."""
    driver = (await connection.get_raw_connection()).driver_connection
    await driver.execute(how)  # type: ignore[union-attr]
    return PostgresSession(connection, driver)
