"""Events: packs of them are read here; each engine appends in its own words."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, not_, or_, select

from yanshu.adapters.stores.packs import PACK_COLUMNS, PLACE_BITS, holds, only, unpack
from yanshu.adapters.stores.rows import micros
from yanshu.adapters.stores.session import Session, given
from yanshu.adapters.stores.tables.path import event_packs, messages
from yanshu.domain.events import Event
from yanshu.domain.ids import place_of
from yanshu.ports.filters import EVERY_EVENT, EventFilter, Page

_C = event_packs.c
_PACK = select(_C.commit_number, *(_C[name] for name in PACK_COLUMNS))
_PLACES = (1 << PLACE_BITS) - 1
# How many packs one query brings: few at first, because a pack may be a thousand events.
_FIRST_PACKS = 4
_MOST_PACKS = 256
_NUMBERS_A_QUERY = 500
# Clocks of several processes differ a little: how many packs since a moment are looked at for the first position.
_SKEWED_PACKS = 100


class EventQueries:
    """The reading half of `ports.store.Events`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _settled(self) -> Sequence[ColumnElement[bool]]:
        """Conditions that hold for packs which no uncommitted one can still precede."""
        return ()

    async def of_object(self, workspace_id: str, object_id: str, limit: int = 200) -> list[Event]:
        """See `ports.store.Events.of_object`. A message's row knows the transactions that appended to its history."""
        rows = await self._session.rows(select(messages.c.trail).where(messages.c.id == object_id))
        statement = _PACK.where(_C.workspace_id == workspace_id)
        if rows:
            numbers = list(dict.fromkeys(int(number) for number in rows[0].trail.split(",")))
            statement = statement.where(_C.commit_number.in_(numbers[:_NUMBERS_A_QUERY]))
        else:
            statement = statement.where(_C.object_id == object_id)
        packs = await self._session.rows(_ordered(statement, descending=False))
        return [event for row in packs for event in unpack(row) if event.object_id == object_id][:limit]

    async def after(self, position: int, limit: int, filters: EventFilter = EVERY_EVENT) -> list[Event]:
        """See `ports.store.Events.after`."""
        return await self._walk(filters, position, limit, settled=self._settled())

    async def get(self, ids: Sequence[str]) -> list[Event]:
        """See `ports.store.Events.get`."""
        wanted: defaultdict[int, set[int]] = defaultdict(set)
        for ident in ids:
            if (position := place_of(ident)) is not None:
                wanted[position >> PLACE_BITS].add(position)
        known, found = set(ids), []
        numbers = sorted(wanted)
        for start in range(0, len(numbers), _NUMBERS_A_QUERY):
            statement = _PACK.where(_C.commit_number.in_(numbers[start : start + _NUMBERS_A_QUERY]))
            for row in await self._session.rows(statement):
                found += only(row, wanted[row.commit_number])
        return [event for event in found if event.id in known]

    async def page(self, filters: EventFilter, page: Page) -> list[Event]:
        """See `ports.store.Events.page`."""
        start = place_of(page.after) if page.after is not None else None
        if start is None:
            start = 1 << 62 if page.descending else -1
        if filters.object_id is None or filters.workspace_id is None:
            return await self._walk(filters, start, page.limit, descending=page.descending)
        history = await self.of_object(filters.workspace_id, filters.object_id, limit=1000)
        keeps = holds(filters)
        found = [event for event in history if keeps(event) and filters.livemode in (None, event.livemode)]
        if page.descending:
            return [event for event in reversed(found) if event.position < start][: page.limit]
        return [event for event in found if event.position > start][: page.limit]

    async def position_before(self, workspace_id: str, moment: datetime) -> int:
        """See `ports.store.Events.position_before`."""
        since = select(_C.commit_number).where(_C.workspace_id == workspace_id, _C.created_at >= micros(moment))
        rows = await self._session.rows(since.order_by(_C.created_at).limit(_SKEWED_PACKS))
        return (min(row.commit_number for row in rows) << PLACE_BITS) - 1 if rows else await self.last_position()

    async def last_position(self) -> int:
        """See `ports.store.Events.last_position`."""
        rows = await self._session.rows(_ordered(_PACK.where(*self._settled()), descending=True).limit(1))
        return (rows[0].commit_number << PLACE_BITS) + rows[0].place + rows[0].count - 1 if rows else 0

    async def _walk(
        self, filters: EventFilter, start: int, limit: int, *, descending: bool = False, settled: Sequence[ColumnElement[bool]] = ()
    ) -> list[Event]:
        """Go from pack to pack, on from `start` (exclusive), until `limit` events are found or there are no more."""
        statement = _PACK.where(*settled, *_conditions(filters))
        keeps = holds(filters)
        found: list[Event] = []
        size = _FIRST_PACKS
        while True:
            rows = await self._session.rows(_ordered(statement.where(_beyond(start, descending)), descending).limit(size))
            for row in rows:
                found += [event for event in unpack(row, descending) if _is_beyond(event.position, start, descending) and keeps(event)]
                if len(found) >= limit:
                    return found[:limit]
            if len(rows) < size:
                return found
            start, size = _end(rows[-1], descending), min(size * 2, _MOST_PACKS)


def _ordered(statement: Select[Any], descending: bool) -> Select[Any]:
    if descending:
        return statement.order_by(_C.commit_number.desc(), _C.place.desc())
    return statement.order_by(_C.commit_number, _C.place)


def _conditions(filters: EventFilter) -> list[ColumnElement[bool]]:
    """What of the filters a pack can tell."""
    conditions = [*given((_C.workspace_id, filters.workspace_id), (_C.livemode, filters.livemode))]
    if filters.types:
        conditions.append(or_(*(_C.types.contains(f" {kind} ", autoescape=True) for kind in filters.types)))
    if filters.called_back:
        conditions.append(_C.called_back)
    return conditions


def _beyond(start: int, descending: bool) -> ColumnElement[bool]:
    """Packs with an event beyond the position `start`."""
    number, place = start >> PLACE_BITS, start & _PLACES
    if descending:
        return and_(_C.commit_number <= number, not_(and_(_C.commit_number == number, _C.place >= place)))
    return and_(_C.commit_number >= number, not_(and_(_C.commit_number == number, _C.place + _C.count <= place + 1)))


def _is_beyond(position: int, start: int, descending: bool) -> bool:
    return position < start if descending else position > start


def _end(row: Row[Any], descending: bool) -> int:
    """The last position of a pack in the direction of the walk."""
    first = (row.commit_number << PLACE_BITS) + row.place
    return int(first if descending else first + row.count - 1)
