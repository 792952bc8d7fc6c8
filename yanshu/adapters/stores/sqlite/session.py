"""One transaction on a SQLite worker."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Select, Table, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.base import Executable

from yanshu.adapters.stores.session import Tally
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
    """A transaction that begins with its first statement, in the same hop to the thread."""

    def __init__(self, worker: Worker, begin: str) -> None:
        self.tally = Tally()
        self.appended = 0
        self._number: int | None = None
        self._worker = worker
        self._begin = begin
        self._begun = False
        self._over = False

    async def driver(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the driver's connection inside the transaction."""
        return await self._call(lambda connection: work(driver_of(connection)))

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """See `Session.rows`."""
        return await self._call(lambda connection: connection.execute(statement).all())

    async def run(self, statement: Executable) -> int:
        """See `Session.run`."""
        return await self._call(lambda connection: connection.execute(statement).rowcount)

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
        """The number of this transaction in the order of commits; only inside `driver`'s work, in the writer's thread."""
        if self._number is None:
            self._number = driver.execute(_NEXT_NUMBER).fetchone()[0]
        return self._number

    async def commit(self) -> None:
        """Make it durable and end."""
        await self._worker.call(lambda connection: driver_of(connection).execute("COMMIT") if self._begun else None)
        self._over = True

    def close(self) -> None:
        """End; roll back unless committed. The thread does it before anything else that is asked of it later."""
        self._over = True
        self._worker.post(_roll_back)

    async def _call(self, work: Callable[[Connection], T]) -> T:
        if self._over:
            raise RuntimeError("the unit of work is over")
        return await self._worker.call(lambda connection: work(self._enter(connection)))

    def _enter(self, connection: Connection) -> Connection:
        if not self._begun:
            driver_of(connection).execute(self._begin)
            self._begun = True
        return connection


def _roll_back(connection: Connection) -> None:
    """Undo an open transaction; the engine may have done so itself (disk full)."""
    driver = driver_of(connection)
    if driver.in_transaction:
        driver.execute("ROLLBACK")
