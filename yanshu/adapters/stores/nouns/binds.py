"""Customers' binds, the parts and tickets of what they submitted, and what they are owed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from yanshu.adapters.stores.rows import RowCodec, micros
from yanshu.adapters.stores.session import Session, given, insert_new, keyset
from yanshu.adapters.stores.tables.binds import bind_deliveries, bind_parts, bind_tickets, binds
from yanshu.adapters.stores.tables.surroundings import leases
from yanshu.domain.binds import Bind, BindDelivery, BindPart, BindProtocol, Ticket, place_lease
from yanshu.ports.filters import Page

_BINDS = RowCodec(Bind)
_PARTS = RowCodec(BindPart)
_TICKETS = RowCodec(Ticket)
_DELIVERIES = RowCodec(BindDelivery)
_MOST_COUNTED = 100_000
# Whoever changes a bind has read it before: how far it has been served meanwhile must not be taken back.
_KEPT = frozenset({"id", "position"})


class BindRows:
    """See `ports.binds.Binds`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def save(self, bind: Bind) -> None:
        """See `ports.binds.Binds.save`."""
        row = _BINDS.row(bind)
        statement = self._session.insert(binds).values(row)
        replaced = {name: statement.excluded[name] for name in row if name not in _KEPT}
        await self._session.put(statement.on_conflict_do_update(index_elements=["id"], set_=replaced))

    async def get(self, ident: str) -> Bind | None:
        """See `ports.binds.Binds.get`."""
        rows = await self._session.rows(select(binds).where(binds.c.id == ident))
        return _BINDS.item(rows[0]._mapping) if rows else None

    async def by_system_id(self, protocol: BindProtocol, system_id: str) -> Bind | None:
        """See `ports.binds.Binds.by_system_id`."""
        columns = binds.c
        rows = await self._session.rows(select(binds).where(columns.protocol == str(protocol), columns.system_id == system_id))
        return _BINDS.item(rows[0]._mapping) if rows else None

    async def page(self, workspace_id: str, page: Page, livemode: bool | None = None) -> list[Bind]:
        """See `ports.binds.Binds.page`."""
        statement = select(binds).where(binds.c.workspace_id == workspace_id, *given((binds.c.livemode, livemode)))
        rows = await self._session.rows(keyset(statement, binds, page))
        return [_BINDS.item(row._mapping) for row in rows]

    async def remove(self, ident: str) -> bool:
        """See `ports.binds.Binds.remove`."""
        for table in (bind_deliveries, bind_tickets, bind_parts):
            await self._session.put(delete(table).where(table.c.bind_id == ident))
        return await self._session.run(delete(binds).where(binds.c.id == ident)) == 1

    async def behind(self, position: int, limit: int) -> list[Bind]:
        """See `ports.binds.Binds.behind`."""
        statement = select(binds).where(binds.c.position < position).order_by(binds.c.position).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        return [_BINDS.item(row._mapping) for row in rows]

    async def is_any_behind(self, position: int) -> bool:
        """See `ports.binds.Binds.is_any_behind`."""
        return bool(await self._session.rows(select(binds.c.id).where(binds.c.position < position).limit(1)))

    async def advance(self, bind_id: str, position: int) -> None:
        """See `ports.binds.Binds.advance`."""
        await self._session.put(update(binds).where(binds.c.id == bind_id).values(position=position))

    async def add_parts(self, parts: Sequence[BindPart]) -> None:
        """See `ports.binds.Binds.add_parts`."""
        await insert_new(self._session, bind_parts, [_PARTS.row(part) for part in parts])

    async def parts_of(self, bind_id: str, group: str) -> list[BindPart]:
        """See `ports.binds.Binds.parts_of`."""
        statement = select(bind_parts).where(*_of_group(bind_id, group)).order_by(bind_parts.c.part)
        return [_PARTS.item(row._mapping) for row in await self._session.rows(statement.with_for_update())]

    async def remove_parts(self, bind_id: str, group: str) -> None:
        """See `ports.binds.Binds.remove_parts`."""
        await self._session.put(delete(bind_parts).where(*_of_group(bind_id, group)))

    async def ripe_groups(self, complete_since: datetime, arrived_before: datetime, limit: int) -> list[tuple[str, str]]:
        """See `ports.binds.Binds.ripe_groups`."""
        columns = bind_parts.c
        last, first = func.max(columns.arrived_at), func.min(columns.arrived_at)
        complete = and_(func.count() >= func.max(columns.parts), last < micros(complete_since))
        statement = select(columns.bind_id, columns.group).group_by(columns.bind_id, columns.group)
        statement = statement.having(or_(complete, first < micros(arrived_before))).order_by(first).limit(limit)
        return [(row.bind_id, row.group) for row in await self._session.rows(statement)]

    async def add_tickets(self, tickets: Sequence[Ticket]) -> None:
        """See `ports.binds.Binds.add_tickets`."""
        await self._session.add_rows(bind_tickets, [tuple(_TICKETS.row(ticket).values()) for ticket in tickets])

    async def tickets_of(self, message_ids: Sequence[str]) -> list[Ticket]:
        """See `ports.binds.Binds.tickets_of`."""
        columns = bind_tickets.c
        statement = select(bind_tickets).where(columns.message_id.in_(list(message_ids))).order_by(columns.message_id, columns.segment)
        return [_TICKETS.item(_named(_TICKETS, row)) for row in await self._session.bulk(statement)]

    async def finish_tickets(self, message_ids: Sequence[str], at: datetime) -> None:
        """See `ports.binds.Binds.finish_tickets`."""
        ids = list(message_ids)
        await self._session.put(update(bind_tickets).where(bind_tickets.c.message_id.in_(ids)).values(finished_at=micros(at)))

    async def add_deliveries(self, deliveries: Sequence[BindDelivery]) -> None:
        """See `ports.binds.Binds.add_deliveries`."""
        await self._session.add_rows(bind_deliveries, [tuple(_DELIVERIES.row(delivery).values()) for delivery in deliveries])

    async def with_due(self, bind_ids: Sequence[str], now: datetime) -> set[str]:
        """See `ports.binds.Binds.with_due`."""
        due = exists().where(bind_deliveries.c.bind_id == binds.c.id, *_is_due(bind_deliveries.c, now))
        rows = await self._session.rows(select(binds.c.id).where(binds.c.id.in_(list(bind_ids)), due))
        return {row[0] for row in rows}

    async def claim_deliveries(self, bind_id: str, now: datetime, lease_until: datetime, limit: int) -> list[BindDelivery]:
        """See `ports.binds.Binds.claim_deliveries`."""
        columns, other = bind_deliveries.c, bind_deliveries.alias("other").c
        held_up = exists().where(
            other.bind_id == columns.bind_id, other.object_id == columns.object_id, other.id < columns.id, other.next_at > micros(now)
        )
        statement = select(bind_deliveries).where(columns.bind_id == bind_id, *_is_due(columns, now), ~held_up)
        statement = statement.order_by(columns.next_at, columns.id).limit(limit).with_for_update(skip_locked=True)
        rows = sorted((_named(_DELIVERIES, row) for row in await self._session.bulk(statement)), key=lambda row: str(row["id"]))
        if rows:
            ids = [row["id"] for row in rows]
            await self._session.put(update(bind_deliveries).where(columns.id.in_(ids)).values(next_at=micros(lease_until)))
        return [_DELIVERIES.item({**row, "next_at": micros(lease_until)}) for row in rows]

    async def count_sessions(self, bind: Bind, now: datetime) -> int:
        """See `ports.binds.Binds.count_sessions`."""
        names = [place_lease(bind.id, slot) for slot in range(bind.sessions)]
        held = select(func.count()).where(leases.c.name.in_(names), leases.c.until > micros(now))
        return int((await self._session.rows(held))[0][0])

    async def count_owed(self, bind_id: str) -> int:
        """See `ports.binds.Binds.count_owed`."""
        some = select(bind_deliveries.c.id).where(bind_deliveries.c.bind_id == bind_id).limit(_MOST_COUNTED).subquery()
        return int((await self._session.rows(select(func.count()).select_from(some)))[0][0])

    async def remove_deliveries(self, ids: Sequence[str]) -> None:
        """See `ports.binds.Binds.remove_deliveries`."""
        if ids:
            await self._session.put(delete(bind_deliveries).where(bind_deliveries.c.id.in_(list(ids))))

    async def postpone_deliveries(self, deliveries: Sequence[BindDelivery]) -> None:
        """See `ports.binds.Binds.postpone_deliveries`."""
        alike: dict[tuple[int, int], list[str]] = {}
        for delivery in deliveries:
            alike.setdefault((micros(delivery.next_at), delivery.attempts), []).append(delivery.id)
        for (next_at, attempts), ids in sorted(alike.items()):
            statement = update(bind_deliveries).where(bind_deliveries.c.id.in_(ids))
            await self._session.put(statement.values(next_at=next_at, attempts=attempts))

    async def expired_deliveries(self, now: datetime, limit: int) -> list[BindDelivery]:
        """See `ports.binds.Binds.expired_deliveries`."""
        columns = bind_deliveries.c
        statement = select(bind_deliveries).where(columns.expires_at <= micros(now), columns.next_at <= micros(now)).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        return [_DELIVERIES.item(row._mapping) for row in rows]

    async def purge_tickets(self, finished_before: datetime, limit: int) -> int:
        """See `ports.binds.Binds.purge_tickets`."""
        columns = bind_tickets.c
        done = columns.finished_at.is_not(None) & (columns.finished_at < micros(finished_before))
        rows = await self._session.rows(select(columns.message_id).where(done).limit(limit).distinct())
        if not rows:
            return 0
        return await self._session.run(delete(bind_tickets).where(columns.message_id.in_([row[0] for row in rows])))


def _of_group(bind_id: str, group: str) -> tuple[ColumnElement[bool], ...]:
    return bind_parts.c.bind_id == bind_id, bind_parts.c.group == group


def _is_due(columns: Any, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return columns.next_at <= micros(now), columns.expires_at > micros(now)


def _named(codec: RowCodec[Any], row: Sequence[Any]) -> dict[str, Any]:
    """A row that came by position, by the names of its columns."""
    return dict(zip(codec.columns, row, strict=True))
