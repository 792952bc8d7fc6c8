"""The hot path of submissions, events and dedupe marks on PostgreSQL.

A commit number is the transaction's id (plus an offset, see session.py). Transactions end in another order than they begin,
so `after` stops below the oldest one that is still running (`pg_snapshot_xmin`): what comes out is final, and no event can
turn up later behind a position that somebody has read. A sequence could not promise that: its numbers are drawn before the
commit, by transactions that may end in any order.
"""

# ruff: noqa: S608  # statements are put together from our own column names only

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Boolean, ColumnElement, literal_column

from yanshu.adapters.stores.chunks import SUBMISSION_COLUMNS, submission_row, submissions_of
from yanshu.adapters.stores.nouns.events import EventQueries
from yanshu.adapters.stores.nouns.records import RecordRows
from yanshu.adapters.stores.nouns.submissions import SubmissionQueries
from yanshu.adapters.stores.packs import PACK_COLUMNS, PackRow, pack, unpack
from yanshu.adapters.stores.postgres.arrays import columns_of, unnest
from yanshu.adapters.stores.postgres.session import COMMIT_NUMBER, PostgresSession
from yanshu.adapters.stores.rows import micros
from yanshu.adapters.stores.tables.path import event_packs
from yanshu.adapters.stores.tables.path import submissions as submission_table
from yanshu.domain.events import Event
from yanshu.domain.submissions import Submission
from yanshu.ports.clock import Clock

_REPLACED = SUBMISSION_COLUMNS[3:]
_ADD_SUBMISSIONS = (
    f"INSERT INTO submissions ({', '.join(SUBMISSION_COLUMNS)}) SELECT * FROM {unnest(submission_table, SUBMISSION_COLUMNS)} "
    f"ON CONFLICT (message_id, attempt, segment) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _REPLACED)}"
)
_BY_KEYS = (
    f"SELECT {', '.join(SUBMISSION_COLUMNS)} FROM submissions "
    "WHERE carrier_key = ANY($1::text[]) AND carrier_key IS NOT NULL AND connector_id = $2"
)
_ADD_PACKS = (
    f"INSERT INTO event_packs (commit_number, {', '.join(PACK_COLUMNS)}) "
    f"SELECT {COMMIT_NUMBER}, c.* FROM {unnest(event_packs, PACK_COLUMNS)} RETURNING commit_number"
)
_SETTLED = (
    "commit_number < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + (SELECT value FROM counters WHERE name = 'commit_offset')"
)
_MARK = (
    "INSERT INTO marks (key, expires_at) SELECT * FROM unnest($1::text[], $2::bigint[]) "
    "ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE marks.expires_at <= $3 RETURNING key"
)


class PostgresSubmissions(SubmissionQueries):
    """See `ports.store.Submissions`."""

    def __init__(self, session: PostgresSession) -> None:
        super().__init__(session)
        self._hot = session

    async def add(self, submissions: Sequence[Submission]) -> None:
        """See `ports.store.Submissions.add`."""
        # The last one of a key wins, as if they came one by one; in key order, so that two chunks do not wait for each other.
        last = {(item.message_id, item.attempt, item.segment): item for item in submissions}
        if last:
            await self._hot.fetch(_ADD_SUBMISSIONS, *columns_of([submission_row(last[key]) for key in sorted(last)]))

    async def by_carrier_keys(self, connector_id: str, keys: Sequence[str]) -> list[Submission]:
        """See `ports.store.Submissions.by_carrier_keys`."""
        return submissions_of(await self._hot.fetch(_BY_KEYS, list(keys), connector_id))


class PostgresEvents(EventQueries):
    """See `ports.store.Events`."""

    def __init__(self, session: PostgresSession) -> None:
        super().__init__(session)
        self._hot = session

    def _settled(self) -> Sequence[ColumnElement[bool]]:
        return (literal_column(_SETTLED, Boolean),)

    async def add(self, events: Sequence[Event]) -> None:
        """See `ports.store.Events.add`."""
        if events:
            await self._append(pack(events, self._hot.appended), len(events))

    async def append(self, event: Event) -> Event:
        """See `ports.store.Events.append`."""
        rows = pack([event], self._hot.appended)
        number = await self._append(rows, 1)
        return next(unpack((number, *rows[0])))

    async def _append(self, rows: Sequence[PackRow], count: int) -> int:
        """Write packs; the number of this transaction."""
        self._hot.appended += count
        written = await self._hot.fetch(_ADD_PACKS, *columns_of(rows))
        return int(written[0][0])


class PostgresRecords(RecordRows):
    """See `ports.store.Records`."""

    def __init__(self, session: PostgresSession, clock: Clock) -> None:
        super().__init__(session, clock)
        self._hot = session

    async def mark_unique(self, marks: Mapping[str, datetime], now: datetime) -> set[str]:
        """See `ports.store.Records.mark_unique`."""
        keys = sorted(marks)
        rows = await self._hot.fetch(_MARK, keys, [micros(marks[key]) for key in keys], micros(now))
        return set(keys).difference(row[0] for row in rows)
