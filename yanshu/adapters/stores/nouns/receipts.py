"""Receipts that wait for their submission."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from yanshu.adapters.stores.rows import RowCodec, micros
from yanshu.adapters.stores.session import Session, insert_new, save
from yanshu.adapters.stores.tables.path import receipt_keys, receipts
from yanshu.domain.submissions import Receipt

_CODEC = RowCodec(Receipt)


class ReceiptRows:
    """See `ports.store.Receipts`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def park(self, receipts_: Sequence[Receipt], next_try_at: datetime) -> None:
        """See `ports.store.Receipts.park`."""
        await save(self._session, receipts, [{**_CODEC.row(item), "next_try_at": micros(next_try_at)} for item in receipts_])
        keys = {(item.connector_id, key, item.id) for item in receipts_ for key in item.keys}
        rows = [{"connector_id": connector, "key": key, "receipt_id": ident} for connector, key, ident in sorted(keys)]
        await insert_new(self._session, receipt_keys, rows)

    async def parked_for(self, connector_id: str, keys: Sequence[str]) -> list[Receipt]:
        """See `ports.store.Receipts.parked_for`."""
        if not keys:
            return []
        wanted = select(receipt_keys.c.receipt_id).where(receipt_keys.c.connector_id == connector_id, receipt_keys.c.key.in_(list(keys)))
        rows = await self._session.rows(select(receipts).where(receipts.c.id.in_(wanted)).order_by(receipts.c.id))
        return [_CODEC.item(row._mapping) for row in rows]

    async def due(self, now: datetime, limit: int) -> list[Receipt]:
        """See `ports.store.Receipts.due`."""
        statement = select(receipts).where(receipts.c.next_try_at <= micros(now)).order_by(receipts.c.next_try_at).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        return [_CODEC.item(row._mapping) for row in rows]

    async def remove(self, ids: Sequence[str]) -> None:
        """See `ports.store.Receipts.remove`."""
        if ids:
            await self._session.put(delete(receipt_keys).where(receipt_keys.c.receipt_id.in_(list(ids))))
            await self._session.put(delete(receipts).where(receipts.c.id.in_(list(ids))))

    async def count(self) -> int:
        """See `ports.store.Receipts.count`."""
        return int((await self._session.rows(select(func.count()).select_from(receipts)))[0][0])
