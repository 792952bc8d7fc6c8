"""A thread that owns one SQLite connection, so that the event loop never waits for the disk."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from yanshu.adapters.stores.sqlite.faults import translate
from yanshu.domain.errors import StoreBusy

T = TypeVar("T")
# The writer keeps the ends of its indexes in memory; readers look here and there. No memory map: it wins nothing measurable, counts
# as memory, and turns a failing disk into a signal instead of an error.
_CACHE_KIB = 65_536
_READER_CACHE_KIB = 8_192
# 64 MB: pages that change again and again are copied back once.
_CHECKPOINT_PAGES = 16_000
_BUSY_SECONDS = 5.0


def engine_of(path: str, *, read_only: bool = False) -> Engine:
    """An engine whose connections leave transactions to us (BEGIN and COMMIT are written out)."""

    def connect() -> sqlite3.Connection:
        # 512 prepared statements: every hot statement is prepared for several chunk sizes.
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in _pragmas(read_only):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def _pragmas(read_only: bool) -> list[str]:
    """Settings of one connection. FULL: a commit is on disk when it returns."""
    if read_only:
        return [f"cache_size = -{_READER_CACHE_KIB}", "mmap_size = 0", "temp_store = MEMORY", "query_only = ON"]
    durable = ["journal_mode = WAL", "synchronous = FULL", f"wal_autocheckpoint = {_CHECKPOINT_PAGES}"]
    return [*durable, f"cache_size = -{_CACHE_KIB}", "mmap_size = 0", "temp_store = MEMORY"]


async def _translated(done: Awaitable[T]) -> T:
    try:
        return await done
    except (sqlite3.Error, DBAPIError) as error:
        raise translate(error) from error


class Worker:
    """Runs functions, one after another, on its own connection in its own thread."""

    def __init__(self, name: str, path: str, *, read_only: bool = False) -> None:
        self._engine = engine_of(path, read_only=read_only)
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._refused_at = float("-inf")

    def call(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Send `work` to the thread, now; awaited, it returns what that returned. Store errors come out translated."""
        return _translated(asyncio.get_running_loop().run_in_executor(self._thread, self._do, work))

    def begin(self, driver: sqlite3.Connection, statement: str, asked_at: float) -> None:
        """Open a transaction; only inside the thread.

        A locked file is waited for, once: whoever asked before that wait was over, and stands behind it, has waited as long.
        """
        if asked_at < self._refused_at:
            raise StoreBusy("SQLite: the file was locked a moment ago")
        try:
            driver.execute(statement)
        except sqlite3.Error:
            self._refused_at = time.monotonic()
            raise

    def post(self, work: Callable[[Connection], object]) -> None:
        """Run `work` in the thread, behind what is queued, without waiting for it; its failure concerns nobody any more."""
        self._thread.submit(self._do, work)

    async def close(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        self._thread.submit(self._shut)
        await asyncio.to_thread(self._thread.shutdown)

    def _do(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        return work(self._connection)

    def _shut(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()
