"""The hot path of messages on SQLite: one statement a chunk, one trip to the thread, no row fetched by itself."""

# ruff: noqa: S608  # statements are put together from our own column names only

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate, zip_longest
from typing import Any

import msgspec
from sqlalchemy import Connection

from yanshu.adapters.stores.chunks import CHANGE_COLUMNS, MESSAGE_COLUMNS, change_row, message_row, messages_of
from yanshu.adapters.stores.nouns.batches import counts_statement
from yanshu.adapters.stores.nouns.messages import MessageQueries
from yanshu.adapters.stores.rows import micros, to_json
from yanshu.adapters.stores.sqlite.session import SqliteSession, driver_of
from yanshu.adapters.stores.sqlite.values import ChunkStatement
from yanshu.adapters.stores.turns import WORKSPACES_A_PASS, Turns
from yanshu.domain.errors import StoreStale
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Change, Message

_ROW = f"json_array({', '.join(f'm.{name}' for name in MESSAGE_COLUMNS)})"
_ADD = ChunkStatement(
    f"INSERT INTO messages (trail, {', '.join(MESSAGE_COLUMNS)}) SELECT ?, * FROM {{values}} WHERE column1 IS NOT NULL",
    len(MESSAGE_COLUMNS),
)
_GET = f"SELECT json_group_array({_ROW}) FROM json_each(?) AS wanted CROSS JOIN messages AS m ON m.id = wanted.value"
_UNCHANGED = (
    "SELECT json_group_array(m.id) FROM json_each(?) AS wanted CROSS JOIN messages AS m "
    "ON m.id = wanted.value ->> 0 AND m.version = wanted.value ->> 1"
)
_MOVE = ChunkStatement(
    f"UPDATE messages SET trail = trail || ?, {', '.join(f'{name} = c.column{place}' for place, name in enumerate(CHANGE_COLUMNS, 3))} "
    "FROM {values} AS c WHERE messages.id = c.column1 AND messages.version = c.column2",
    len(CHANGE_COLUMNS) + 2,
)

# The workspaces that have queued rows: a loose scan of messages_queue that begins behind the last one served.
_SERVED = """
WITH RECURSIVE served (workspace_id, place) AS (
  SELECT coalesce(
    (SELECT min(workspace_id) FROM messages
     WHERE status = 'queued' AND connector_id = :connector AND lane = :lane AND workspace_id > :after),
    (SELECT min(workspace_id) FROM messages WHERE status = 'queued' AND connector_id = :connector AND lane = :lane)), 1
  UNION ALL
  SELECT (SELECT min(m.workspace_id) FROM messages AS m
          WHERE m.status = 'queued' AND m.connector_id = :connector AND m.lane = :lane AND m.workspace_id > served.workspace_id), place + 1
  FROM served WHERE served.workspace_id IS NOT NULL AND place < :most
)
SELECT json_group_array(workspace_id) FROM served WHERE workspace_id IS NOT NULL
"""
# The head of one workspace's queue: ids and segments only, because segments decide how many of them are taken.
_HEAD = """
SELECT json_group_array(json_array(id, segments)) FROM (
  SELECT id, segments FROM messages WHERE status = 'queued' AND connector_id = :connector AND lane = :lane
    AND workspace_id = :workspace AND expires_at > :now ORDER BY priority DESC, id LIMIT :share)
"""
_CLAIM = (
    "UPDATE messages SET status = 'submitting', version = version + 1, attempts = attempts + 1, due_at = ?, updated_at = ? "
    "WHERE id IN (SELECT value FROM json_each(?))"
)


class SqliteMessages(MessageQueries):
    """See `ports.store.Messages`."""

    def __init__(self, session: SqliteSession, turns: Turns) -> None:
        super().__init__(session)
        self._hot = session
        self._turns = turns

    async def add(self, messages: Sequence[Message]) -> None:
        """See `ports.store.Messages.add`."""
        rows = [message_row(message) for message in messages]
        self._hot.later(lambda driver: _ADD.run(driver, rows, str(self._hot.number(driver))))
        self._count_added(messages)

    async def get(self, ids: Sequence[str]) -> list[Message]:
        """See `ports.store.Messages.get`."""
        return messages_of(await self._fetch(_GET, to_json(list(dict.fromkeys(ids)))))

    async def claim(self, connector_id: str, lanes: Sequence[Lane], segments: int, now: datetime, lease_until: datetime) -> list[Message]:
        """See `ports.store.UnitOfWork.claim`: one trip to the thread, which ends the transaction."""
        claim = _Claim(self._turns, connector_id, segments, now, lease_until)

        def work(connection: Connection) -> list[Message]:
            claimed = claim.run(driver_of(connection), lanes)
            self._count_claimed(claimed)
            if (statement := counts_statement(self._hot)) is not None:
                connection.execute(statement)
            return claimed

        return await self._hot.finish(work)

    async def move(self, changes: Sequence[Change]) -> set[str]:
        """See `ports.store.Messages.move`."""
        if not changes:
            return set()
        rows = [change_row(change) for change in changes]
        guards = to_json([row[:2] for row in rows])

        def work(driver: sqlite3.Connection) -> set[str]:
            unchanged = set(_one_array(driver, _UNCHANGED, (guards,)))
            _MOVE.run(driver, rows, f",{self._hot.number(driver)}")
            return unchanged

        applied = await self._hot.driver(work)
        self._count_moved(change for change in changes if change.message_id in applied)
        return applied

    async def move_all(self, changes: Sequence[Change]) -> None:
        """See `ports.store.Messages.move_all`."""
        rows = [change_row(change) for change in changes]

        def work(driver: sqlite3.Connection) -> None:
            if _MOVE.run(driver, rows, f",{self._hot.number(driver)}") < len(rows):
                raise StoreStale("a message has changed meanwhile")

        self._hot.later(work)
        self._count_moved(changes)

    async def _fetch(self, sql: str, *values: Any) -> list[Any]:
        return await self._hot.driver(lambda driver: _one_array(driver, sql, values))


class _Claim:
    """One claim; runs in the writer's thread. A pass over a lane reads the head of each workspace's queue and updates once."""

    def __init__(self, turns: Turns, connector_id: str, segments: int, now: datetime, lease_until: datetime) -> None:
        self._turns = turns
        self._connector_id = connector_id
        self._left = segments
        self._now = now
        self._lease_until = lease_until
        self._claimed: list[Message] = []

    def run(self, driver: sqlite3.Connection, lanes: Sequence[Lane]) -> list[Message]:
        """Claim lane by lane until the segments are used up."""
        for lane in lanes:
            while self._left > 0 and self._pass(driver, lane.value):
                pass
        return self._claimed

    def _pass(self, driver: sqlite3.Connection, lane: str) -> bool:
        """Claim once round the workspaces of a lane; whether another pass may find more."""
        picked = self._picked(driver, lane)
        found: list[Message] = []
        if picked:
            ids = to_json(picked)
            driver.execute(_CLAIM, (micros(self._lease_until), micros(self._now), ids))
            found = messages_of(_one_array(driver, _GET, (ids,)))
        again = self._turns.note(self._connector_id, lane, self._left, found)
        self._claimed += found
        self._left -= sum(message.segments for message in found)
        return again

    def _picked(self, driver: sqlite3.Connection, lane: str) -> list[str]:
        """Ids for the segments that are left, turn by turn from the workspaces' shares; a lone first one may exceed them."""
        values: dict[str, Any] = {
            "connector": self._connector_id,
            "lane": lane,
            "after": self._turns.after(self._connector_id, lane),
            "most": min(self._left, WORKSPACES_A_PASS),
            "now": micros(self._now),
        }
        served = _one_array(driver, _SERVED, values)
        if not served:
            return []
        values["share"] = -(-self._left // len(served))
        shares = [_one_array(driver, _HEAD, values | {"workspace": workspace_id}) for workspace_id in served]
        turns = [row for turn in zip_longest(*shares) for row in turn if row is not None]
        totals = accumulate(segments for _, segments in turns)
        picked = [ident for (ident, _), total in zip(turns, totals, strict=True) if total <= self._left]
        return picked or ([] if self._claimed else [ident for ident, _ in turns[:1]])


def _one_array(driver: sqlite3.Connection, sql: str, values: Any) -> list[Any]:
    """The JSON array that a statement answers with."""
    return msgspec.json.decode(driver.execute(sql, values).fetchone()[0])  # type: ignore[no-any-return]
