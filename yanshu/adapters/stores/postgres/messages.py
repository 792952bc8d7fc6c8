"""The hot path of messages on PostgreSQL: one statement a chunk, sent by the driver as arrays or as COPY."""

# ruff: noqa: S608  # statements are put together from our own column names only

from collections.abc import Sequence
from datetime import datetime

from yanshu.adapters.stores.chunks import CHANGE_COLUMNS, MESSAGE_COLUMNS, change_row, message_row, messages_of
from yanshu.adapters.stores.nouns.messages import MessageQueries
from yanshu.adapters.stores.postgres.arrays import columns_of, unnest
from yanshu.adapters.stores.postgres.session import COMMIT_NUMBER, PostgresSession, guarded
from yanshu.adapters.stores.rows import micros
from yanshu.adapters.stores.tables.path import messages as table
from yanshu.adapters.stores.turns import WORKSPACES_A_PASS, Turns
from yanshu.domain.errors import StoreStale
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Change, Message

# From this many rows on COPY beats an insert from arrays.
_COPY_FROM = 20
_ROW = ", ".join(f"m.{name}" for name in MESSAGE_COLUMNS)
_ADD = f"INSERT INTO messages (trail, {', '.join(MESSAGE_COLUMNS)}) SELECT {COMMIT_NUMBER}::text, c.* FROM {unnest(table, MESSAGE_COLUMNS)}"
_GET = f"SELECT {_ROW} FROM messages AS m WHERE m.id = ANY($1::text[])"
_MOVE = (
    f"UPDATE messages AS m SET trail = m.trail || ',' || {COMMIT_NUMBER}, {', '.join(f'{name} = c.{name}' for name in CHANGE_COLUMNS)} "
    f"FROM {unnest(table, ('id', 'version AS expected', *CHANGE_COLUMNS))} "
    "WHERE m.id = c.id AND m.version = c.expected RETURNING m.id"
)

# As on SQLite (see sqlite/messages.py), with locks: rows another process is claiming are passed over. The first lane that
# has queued rows is taken, and it is told even when all its rows were locked.
_CLAIM = f"""
WITH RECURSIVE chosen AS (
  SELECT l.lane, l.after FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS l (lane, after, place)
  WHERE EXISTS (SELECT 1 FROM messages AS q WHERE q.status = 'queued' AND q.connector_id = $1 AND q.lane = l.lane AND q.expires_at > $5)
  ORDER BY l.place LIMIT 1
),
served (workspace_id, place) AS (
  SELECT coalesce(
    (SELECT min(q.workspace_id) FROM messages AS q WHERE q.status = 'queued' AND q.connector_id = $1 AND q.lane = chosen.lane
       AND q.workspace_id > chosen.after),
    (SELECT min(q.workspace_id) FROM messages AS q WHERE q.status = 'queued' AND q.connector_id = $1 AND q.lane = chosen.lane)), 1
  FROM chosen
  UNION ALL
  SELECT (SELECT min(q.workspace_id) FROM messages AS q WHERE q.status = 'queued' AND q.connector_id = $1
            AND q.lane = (SELECT lane FROM chosen) AND q.workspace_id > served.workspace_id), served.place + 1
  FROM served WHERE served.workspace_id IS NOT NULL AND served.place < least($4::int, {WORKSPACES_A_PASS})
),
share AS (SELECT ($4::int + count(workspace_id) - 1) / greatest(count(workspace_id), 1) AS rows FROM served),
picked AS MATERIALIZED (
  SELECT q.* FROM served CROSS JOIN LATERAL (
    SELECT m.id, m.segments, m.workspace_id, m.priority FROM messages AS m
    WHERE m.status = 'queued' AND m.connector_id = $1 AND m.lane = (SELECT lane FROM chosen)
      AND m.workspace_id = served.workspace_id AND m.expires_at > $5
    ORDER BY m.priority DESC, m.id LIMIT (SELECT rows FROM share) FOR UPDATE SKIP LOCKED) AS q
),
turns AS (SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY priority DESC, id) AS turn FROM picked),
summed AS (SELECT id, segments, sum(segments) OVER (ORDER BY turn, workspace_id) AS total FROM turns),
moved AS (
  UPDATE messages AS m SET status = 'submitting', version = m.version + 1, attempts = m.attempts + 1, due_at = $6, updated_at = $5
  FROM summed WHERE m.id = summed.id AND (summed.total <= $4::int OR ($7 AND summed.total = summed.segments))
  RETURNING {_ROW}
)
SELECT chosen.lane AS chosen_lane, moved.* FROM chosen LEFT JOIN moved ON true
"""


class PostgresMessages(MessageQueries):
    """See `ports.store.Messages`."""

    def __init__(self, session: PostgresSession, turns: Turns) -> None:
        super().__init__(session)
        self._hot = session
        self._turns = turns

    async def add(self, messages: Sequence[Message]) -> None:
        """See `ports.store.Messages.add`."""
        rows = [message_row(message) for message in messages]
        if len(rows) >= _COPY_FROM:
            trail = str(await self._hot.number())
            records = [(*row, trail) for row in rows]
            await guarded(self._hot.driver.copy_records_to_table("messages", records=records, columns=(*MESSAGE_COLUMNS, "trail")))
        elif rows:
            await self._hot.fetch(_ADD, *columns_of(rows))
        self._count_added(messages)

    async def get(self, ids: Sequence[str]) -> list[Message]:
        """See `ports.store.Messages.get`."""
        return messages_of(await self._hot.fetch(_GET, list(ids))) if ids else []

    async def claim(self, connector_id: str, lanes: Sequence[Lane], segments: int, now: datetime, lease_until: datetime) -> list[Message]:
        """See `ports.store.UnitOfWork.claim`; the caller commits."""
        waiting = [lane.value for lane in lanes]
        times = (micros(now), micros(lease_until))
        claimed: list[Message] = []
        left = segments
        while waiting and left > 0:
            after = [self._turns.after(connector_id, lane) for lane in waiting]
            rows = await self._hot.fetch(_CLAIM, connector_id, waiting, after, left, *times, not claimed)
            if not rows:
                break
            lane = rows[0]["chosen_lane"]
            found = messages_of(row[1:] for row in rows if row["id"] is not None)
            again = self._turns.note(connector_id, lane, left, found)
            waiting = waiting[waiting.index(lane) + (not again) :]
            claimed += found
            left -= sum(message.segments for message in found)
        self._count_claimed(claimed)
        return claimed

    async def move(self, changes: Sequence[Change]) -> set[str]:
        """See `ports.store.Messages.move`. In the order of ids, so that two chunks do not wait for each other."""
        if not changes:
            return set()
        rows = [change_row(change) for change in sorted(changes, key=_ident)]
        applied = {row[0] for row in await self._hot.fetch(_MOVE, *columns_of(rows))}
        self._count_moved(change for change in changes if change.message_id in applied)
        return applied

    async def move_all(self, changes: Sequence[Change]) -> None:
        """See `ports.store.Messages.move_all`."""
        if len(await self.move(changes)) < len(changes):
            raise StoreStale("a message has changed meanwhile")


def _ident(change: Change) -> str:
    """The key chunks are ordered by."""
    return change.message_id
