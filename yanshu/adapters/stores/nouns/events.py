"""Events: everything but appending and the global order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from yanshu.adapters.stores.chunks import events_of
from yanshu.adapters.stores.session import Session, given, keyset
from yanshu.adapters.stores.tables import events
from yanshu.domain.events import Event
from yanshu.ports.store import Page

_C = events.c


class EventQueries:
    """The calm half of `ports.store.Events`; each engine adds add, and what of the order is settled."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _settled(self) -> Sequence[Any]:
        """Conditions that hold for events which no uncommitted one can still precede."""
        return ()

    async def of_object(self, workspace_id: str, object_id: str, limit: int = 200) -> list[Event]:
        """See `ports.store.Events.of_object`."""
        statement = select(events).where(_C.object_id == object_id, _C.workspace_id == workspace_id)
        return await self._events(statement.order_by(_C.seq, _C.position).limit(limit))

    async def after(
        self, position: int, limit: int, *, workspace_id: str | None = None, types: Sequence[str] = (), livemode: bool | None = None
    ) -> list[Event]:
        """See `ports.store.Events.after`."""
        statement = select(events).where(_C.position > position, *self._settled())
        statement = statement.where(*given((_C.workspace_id, workspace_id), (_C.livemode, livemode)))
        if types:
            statement = statement.where(_C.type.in_(list(types)))
        return await self._events(statement.order_by(_C.position).limit(limit))

    async def get(self, ids: Sequence[str]) -> list[Event]:
        """See `ports.store.Events.get`."""
        return await self._events(select(events).where(_C.id.in_(list(ids)))) if ids else []

    async def page(
        self, workspace_id: str, types: Sequence[str], object_id: str | None, page: Page, livemode: bool | None = None
    ) -> list[Event]:
        """See `ports.store.Events.page`."""
        statement = select(events).where(_C.workspace_id == workspace_id, *given((_C.object_id, object_id), (_C.livemode, livemode)))
        if types:
            statement = statement.where(_C.type.in_(list(types)))
        return await self._events(keyset(statement, events, page))

    async def last_position(self) -> int:
        """See `ports.store.Events.last_position`."""
        statement = select(_C.position).where(*self._settled()).order_by(_C.position.desc()).limit(1)
        rows = await self._session.rows(statement)
        return rows[0].position if rows else 0

    async def _events(self, statement: Select[Any]) -> list[Event]:
        return events_of(await self._session.bulk(statement))
