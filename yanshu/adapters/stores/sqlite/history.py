"""The hot path of submissions, events and dedupe marks on SQLite."""

# ruff: noqa: S608  # statements are put together from our own column names only

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from yanshu.adapters.stores.chunks import SUBMISSION_COLUMNS, submission_row, submissions_of
from yanshu.adapters.stores.nouns.events import EventQueries
from yanshu.adapters.stores.nouns.records import RecordRows
from yanshu.adapters.stores.nouns.submissions import SubmissionQueries
from yanshu.adapters.stores.packs import PACK_COLUMNS, PackRow, pack, unpack
from yanshu.adapters.stores.rows import micros, to_json
from yanshu.adapters.stores.sqlite.session import SqliteSession
from yanshu.adapters.stores.sqlite.values import ChunkStatement
from yanshu.domain.events import Event
from yanshu.domain.submissions import Submission
from yanshu.ports.clock import Clock

_REPLACED = SUBMISSION_COLUMNS[3:]
_ADD_SUBMISSIONS = ChunkStatement(
    f"INSERT INTO submissions ({', '.join(SUBMISSION_COLUMNS)}) SELECT * FROM {{values}} WHERE column1 IS NOT NULL "
    f"ON CONFLICT (message_id, attempt, segment) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _REPLACED)}",
    len(SUBMISSION_COLUMNS),
)
_BY_KEYS = (
    f"SELECT json_group_array(json_array({', '.join(f's.{name}' for name in SUBMISSION_COLUMNS)})) "
    "FROM json_each(?) AS wanted CROSS JOIN submissions AS s "
    "ON s.carrier_key = wanted.value AND s.carrier_key IS NOT NULL AND s.connector_id = ?"
)
_ADD_PACK = f"INSERT INTO event_packs (commit_number, {', '.join(PACK_COLUMNS)}) VALUES (?{', ?' * len(PACK_COLUMNS)})"
_TAKEN = (
    "SELECT json_group_array(marks.key) FROM json_each(?) AS wanted CROSS JOIN marks ON marks.key = wanted.value WHERE marks.expires_at > ?"
)
_MARK = ChunkStatement(
    "INSERT INTO marks (key, expires_at) SELECT * FROM {values} WHERE column1 IS NOT NULL "
    "ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at",
    2,
)


class SqliteSubmissions(SubmissionQueries):
    """See `ports.store.Submissions`."""

    def __init__(self, session: SqliteSession) -> None:
        super().__init__(session)
        self._hot = session

    async def add(self, submissions: Sequence[Submission]) -> None:
        """See `ports.store.Submissions.add`."""
        rows = [submission_row(submission) for submission in submissions]
        self._hot.later(lambda driver: _ADD_SUBMISSIONS.run(driver, rows))

    async def by_carrier_keys(self, connector_id: str, keys: Sequence[str]) -> list[Submission]:
        """See `ports.store.Submissions.by_carrier_keys`."""
        values = (to_json(list(dict.fromkeys(keys))), connector_id)
        text = await self._hot.driver(lambda driver: driver.execute(_BY_KEYS, values).fetchone()[0])
        return submissions_of(msgspec.json.decode(text))


class SqliteEvents(EventQueries):
    """See `ports.store.Events`. There is one writer, so what is committed is in order."""

    def __init__(self, session: SqliteSession) -> None:
        super().__init__(session)
        self._hot = session

    async def add(self, events: Sequence[Event]) -> None:
        """See `ports.store.Events.add`."""
        self._append(events)

    async def append(self, event: Event) -> Event:
        """See `ports.store.Events.append`."""
        (row,) = self._append([event])
        return next(unpack((await self._hot.driver(self._hot.number), *row)))

    def _append(self, events: Sequence[Event]) -> list[PackRow]:
        """Have packs written; the rows without the number of this transaction."""
        rows = pack(events, self._hot.appended)
        self._hot.appended += len(events)

        def work(driver: sqlite3.Connection) -> None:
            number = self._hot.number(driver)
            for row in rows:
                driver.execute(_ADD_PACK, (number, *row))

        self._hot.later(work)
        return rows


class SqliteRecords(RecordRows):
    """See `ports.store.Records`."""

    def __init__(self, session: SqliteSession, clock: Clock) -> None:
        super().__init__(session, clock)
        self._hot = session

    async def mark_unique(self, marks: Mapping[str, datetime], now: datetime) -> set[str]:
        """See `ports.store.Records.mark_unique`."""
        wanted = (to_json(list(marks)), micros(now))
        text = await self._hot.driver(lambda driver: driver.execute(_TAKEN, wanted).fetchone()[0])
        taken: set[str] = set(msgspec.json.decode(text))
        rows = [(key, micros(until)) for key, until in marks.items() if key not in taken]
        self._hot.later(lambda driver: _MARK.run(driver, rows))
        return taken
