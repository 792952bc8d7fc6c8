"""News between processes: LISTEN and NOTIFY on a connection of its own, which comes back by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from yanshu.adapters.stores.news import News
from yanshu.adapters.stores.postgres.faults import DRIVER_ERRORS

_CHANNEL = "yanshu"
_COALESCE_SECONDS = 0.02
_RETRY_SECONDS = 0.5

Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]


class Bulletin:
    """Tells this process's news to the others and theirs to this one. `mark` is this process's own, to know its own voice."""

    def __init__(self, connect: Connect, news: News, mark: str) -> None:
        self._connect = connect
        self._news = news
        self._mark = mark
        self._untold: set[str] = set()
        self._something = asyncio.Event()
        self._listened = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="store-bulletin")

    def tell(self, topic: str) -> None:
        """Tell the other processes soon; many calls within a moment become one."""
        self._untold.add(topic)
        self._something.set()

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                connection = await self._open()
                try:
                    await self._serve(connection)
                finally:
                    connection.terminate()
            except DRIVER_ERRORS:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _open(self) -> "asyncpg.Connection[Any]":
        """Connect. A cancellation waits for the connection, so that it can be closed."""
        opening = asyncio.ensure_future(self._connect())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])
            if not opening.exception():
                opening.result().terminate()
            raise

    async def _serve(self, connection: "asyncpg.Connection[Any]") -> None:
        """Listen and tell until the connection breaks."""
        await connection.add_listener(_CHANNEL, self._heard)
        connection.add_termination_listener(lambda _: self._something.set())
        for topic in self._missed():
            self._news.tell(topic)
        while not connection.is_closed():
            await self._something.wait()
            self._something.clear()
            topics = sorted(self._untold)
            self._untold.clear()
            if topics:
                await connection.execute(
                    "SELECT pg_notify($1, $2 || ' ' || topic) FROM unnest($3::text[]) AS topic", _CHANNEL, self._mark, topics
                )
            await asyncio.sleep(_COALESCE_SECONDS)
        raise ConnectionError("the listening connection was closed")

    def _missed(self) -> list[str]:
        """Topics with waiters, when the connection comes back: there may have been news while nobody listened."""
        topics = self._news.topics() if self._listened else []
        self._listened = True
        return topics

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        mark, _, topic = str(payload).partition(" ")
        if mark != self._mark:
            self._news.tell(topic)
