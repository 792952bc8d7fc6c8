"""Batches, their counters and their upload rows."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.sql.base import Executable

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, given, keyset, save
from yanshu.adapters.stores.tables.path import batch_counts, batch_rows, batches
from yanshu.domain.batches import Batch, BatchRow, BatchStatus
from yanshu.ports.filters import Page

_CODEC = RowCodec(Batch, skip=("counts",))
_ROWS = RowCodec(BatchRow)


def counts_statement(session: Session) -> Executable | None:
    """What writes the counter changes this transaction has collected; None when there are none."""
    changes = session.tally.take()
    if not changes:
        return None
    rows = [{"batch_id": batch_id, "status": status, "n": count} for batch_id, status, count in changes]
    statement = session.insert(batch_counts).values(rows)
    added = {"n": batch_counts.c.n + statement.excluded.n}
    return statement.on_conflict_do_update(index_elements=["batch_id", "status"], set_=added)


async def write_counts(session: Session) -> None:
    """Have the counter changes of this transaction written."""
    statement = counts_statement(session)
    if statement is not None:
        await session.put(statement)


class BatchRows:
    """See `ports.store.Batches`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, batch: Batch) -> None:
        """See `ports.store.Batches.add`."""
        await self._session.put(insert(batches).values(_CODEC.row(batch)))

    async def get(self, ident: str) -> Batch | None:
        """See `ports.store.Batches.get`."""
        found = await self._counted(await self._session.rows(select(batches).where(batches.c.id == ident)))
        return found[0] if found else None

    async def page(self, workspace_id: str, livemode: bool | None, page: Page) -> list[Batch]:
        """See `ports.store.Batches.page`."""
        statement = select(batches).where(batches.c.workspace_id == workspace_id, *given((batches.c.livemode, livemode)))
        return await self._counted(await self._session.rows(keyset(statement, batches, page)))

    async def update(self, batch: Batch) -> bool:
        """See `ports.store.Batches.update`."""
        guard = (batches.c.id == batch.id, batches.c.version == batch.version - 1)
        return await self._session.run(update(batches).where(*guard).values(_CODEC.row(batch))) == 1

    async def add_rows(self, rows: Sequence[BatchRow]) -> None:
        """See `ports.store.Batches.add_rows`."""
        unique = {(row.batch_id, row.line): _ROWS.row(row) for row in rows}
        await save(self._session, batch_rows, list(unique.values()))

    async def clear_rows(self, batch_id: str) -> None:
        """See `ports.store.Batches.clear_rows`."""
        await self._session.put(delete(batch_rows).where(batch_rows.c.batch_id == batch_id))

    async def rows(self, batch_id: str, after_line: int, limit: int, *, good: bool) -> list[BatchRow]:
        """See `ports.store.Batches.rows`."""
        columns = batch_rows.c
        kind = columns.code.is_(None) if good else columns.code.is_not(None)
        statement = select(batch_rows).where(columns.batch_id == batch_id, columns.line > after_line, kind)
        rows = await self._session.bulk(statement.order_by(columns.line).limit(limit))
        return [_ROWS.item(dict(zip(columns.keys(), row, strict=True))) for row in rows]

    async def active(self, statuses: Sequence[BatchStatus], after: str | None, limit: int) -> list[Batch]:
        """See `ports.store.Batches.active`."""
        columns = batches.c
        statement = select(batches).where(columns.done_at.is_(None), columns.status.in_([str(status) for status in statuses]))
        if after is not None:
            statement = statement.where(columns.id > after)
        statement = statement.order_by(columns.id).limit(limit).with_for_update(skip_locked=True)
        return await self._counted(await self._session.rows(statement))

    async def _counted(self, rows: Sequence[Row[Any]]) -> list[Batch]:
        """Batches of rows, with their counters."""
        if not rows:
            return []
        await write_counts(self._session)
        counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        wanted = batch_counts.c.batch_id.in_([row.id for row in rows])
        for row in await self._session.rows(select(batch_counts).where(wanted, batch_counts.c.n != 0)):
            counts[row.batch_id][row.status] = row.n
        return [_CODEC.item(row._mapping, counts=counts[row.id]) for row in rows]
