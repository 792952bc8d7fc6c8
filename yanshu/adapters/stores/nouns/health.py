"""Conditions of connectors, and the counts that processes share."""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, delete, not_, or_, select, update

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, save
from yanshu.adapters.stores.tables.health import conditions, tallies
from yanshu.domain.health import Bucket, Condition

_CONDITIONS = RowCodec(Condition)
_BUCKETS = RowCodec(Bucket)


class HealthRows:
    """See `ports.health.Healths`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def conditions(self) -> list[Condition]:
        """See `ports.health.Healths.conditions`."""
        rows = await self._session.rows(select(conditions).order_by(conditions.c.connector_id, conditions.c.operator))
        return [_CONDITIONS.item({**row._mapping, "operator": row.operator or None}) for row in rows]

    async def move(self, condition: Condition) -> bool:
        """See `ports.health.Healths.move`."""
        row = {**_CONDITIONS.row(condition), "operator": condition.operator or ""}
        if condition.version == 1:
            return await self._session.run(self._session.insert(conditions).values(row).on_conflict_do_nothing()) == 1
        columns = conditions.c
        is_it = and_(columns.connector_id == condition.connector_id, columns.operator == row["operator"])
        return await self._session.run(update(conditions).where(is_it, columns.version == condition.version - 1).values(row)) == 1

    async def count(self, buckets: Sequence[Bucket]) -> None:
        """See `ports.health.Healths.count`."""
        await save(self._session, tallies, [_BUCKETS.row(bucket) for bucket in buckets])

    async def buckets(self, seen: Mapping[str, int]) -> list[Bucket]:
        """See `ports.health.Healths.buckets`."""
        columns = tallies.c
        news = [and_(columns.node_id == node, columns.seq > seq) for node, seq in seen.items()]
        rows = await self._session.rows(select(tallies).where(or_(not_(columns.node_id.in_(list(seen))), *news)))
        return [_BUCKETS.item(row._mapping) for row in rows]

    async def purge(self, before: int, after: int) -> None:
        """See `ports.health.Healths.purge`."""
        await self._session.put(delete(tallies).where(or_(tallies.c.starts < before, tallies.c.starts > after)))

    async def forget(self, connector_id: str) -> None:
        """See `ports.health.Healths.forget`."""
        for table in (conditions, tallies):
            await self._session.put(delete(table).where(table.c.connector_id == connector_id))
