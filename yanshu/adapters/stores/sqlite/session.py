"""One transaction on a SQLite worker."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Select, Table, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.base import Executable

from yanshu.adapters.stores.session import Tally
from yanshu.adapters.stores.sqlite.values import ChunkStatement
from yanshu.adapters.stores.sqlite.worker import Worker

T = TypeVar("T")
# There is one writer at a time, so the next number is taken by nobody else; a transaction that appends nothing wastes none.
_NEXT_NUMBER = "SELECT coalesce(max(commit_number), 0) + 1 FROM event_packs"


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's connection below SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # for the type checker
    return driver


class SqliteSession:
    """A transaction on the worker's thread, with as few trips there as its reads ask for.

    Writes that nobody waits for are collected and done with the next read or with the commit, so a transaction without
    reads is one trip; its failures come out there. `release` is called as soon as the last trip is under way: the thread
    takes one job after another, so the next transaction may be sent after it without waiting for it. `asked_at` is when (monotonic
    seconds) the caller began to wait.
    """

    def __init__(self, worker: Worker, begin: str, release: Callable[[], None], asked_at: float) -> None:
        self.tally = Tally()
        self.appended = 0
        self._number: int | None = None
        self._worker = worker
        self._begin = begin
        self._release = release
        self._asked_at = asked_at
        self._begun = False
        self._over = False
        self._pending: list[Callable[[Connection], object]] = []

    async def driver(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the driver's connection inside the transaction."""
        return await self._call(lambda connection: work(driver_of(connection)))

    def later(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Run `work` as `put` does a statement."""
        self._check()
        self._pending.append(lambda connection: work(driver_of(connection)))

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """See `Session.rows`."""
        return await self._call(lambda connection: connection.execute(statement).all())

    async def run(self, statement: Executable) -> int:
        """See `Session.run`."""
        return await self._call(lambda connection: connection.execute(statement).rowcount)

    async def put(self, statement: Executable) -> None:
        """See `Session.put`."""
        self._check()
        self._pending.append(lambda connection: connection.execute(statement))

    async def add_rows(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See `Session.add_rows`."""
        self.later(lambda driver: _insertion(table).run(driver, rows))

    async def bulk(self, statement: Select[Any]) -> Sequence[Sequence[Any]]:
        """See `Session.bulk`. The rows travel as one JSON array: every row fetched would give the GIL away and wait for it."""
        inner = statement.subquery()
        whole = select(func.json_group_array(func.json_array(*inner.c)))
        text = await self._call(lambda connection: connection.execute(whole).scalar_one())
        return msgspec.json.decode(text)  # type: ignore[no-any-return]

    def insert(self, table: Table) -> sqlite.Insert:
        """See `Session.insert`."""
        return sqlite.insert(table)

    def number(self, driver: sqlite3.Connection) -> int:
        """The number of this transaction in the order of commits; only inside `driver`'s or `later`'s work, in the writer's thread."""
        if self._number is None:
            self._number = driver.execute(_NEXT_NUMBER).fetchone()[0]
        return self._number

    async def commit(self) -> None:
        """Do what is pending, make it durable and end."""
        await self.finish(lambda _: None)

    async def finish(self, work: Callable[[Connection], T]) -> T:
        """Do what is pending and `work`, make it durable and end: the last trip, or the only one."""
        self._check()
        self._over = True
        try:
            # Shielded: a cancellation must not take the trip back while the next transaction is on its way behind it.
            done = asyncio.shield(self._worker.call(lambda connection: self._last(connection, work)))
        finally:
            self._release()
        return await done

    def close(self) -> None:
        """End; roll back unless committed. The thread does it before anything else that is asked of it later."""
        if not self._over:
            self._over = True
            self._worker.post(_roll_back)
            self._release()

    async def _call(self, work: Callable[[Connection], T]) -> T:
        self._check()
        return await self._worker.call(lambda connection: work(self._enter(connection)))

    def _check(self) -> None:
        if self._over:
            raise RuntimeError("the unit of work is over")

    def _enter(self, connection: Connection) -> Connection:
        """Be inside the transaction, with everything done that was asked for before."""
        if not self._begun:
            self._worker.begin(driver_of(connection), self._begin, self._asked_at)
            self._begun = True
        pending, self._pending = self._pending, []
        for work in pending:
            work(connection)
        return connection

    def _last(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """The last trip: whatever goes wrong in it, no transaction is left open for the next job to fall into."""
        try:
            result = work(self._enter(connection))
            driver_of(connection).execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        return result


@lru_cache(maxsize=64)
def _insertion(table: Table) -> ChunkStatement:
    """The statement that inserts rows into a table; its first column is never NULL."""
    columns = [f'"{column.name}"' for column in table.columns]
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM {{values}} WHERE column1 IS NOT NULL"  # noqa: S608
    return ChunkStatement(sql, len(columns))


def _roll_back(connection: Connection) -> None:
    """Undo an open transaction; the engine may have done so itself (disk full)."""
    driver = driver_of(connection)
    if driver.in_transaction:
        driver.execute("ROLLBACK")
