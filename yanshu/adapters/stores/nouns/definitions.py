"""Connectors and routes, and the revision that grows with every change of them."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Table, delete, select, update

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, save
from yanshu.adapters.stores.tables.surroundings import connectors, counters, routes
from yanshu.domain.connectors import Connector, Route

_CONNECTORS = RowCodec(Connector)
_ROUTES = RowCodec(Route)
_COUNTER = counters.c.name == "definitions"


class DefinitionRows:
    """See `ports.store.Definitions`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def revision(self) -> int:
        """See `ports.store.Definitions.revision`."""
        return int((await self._session.rows(select(counters.c.value).where(_COUNTER)))[0][0])

    async def connectors(self) -> list[Connector]:
        """See `ports.store.Definitions.connectors`."""
        rows = await self._session.rows(select(connectors).order_by(connectors.c.id))
        return [_CONNECTORS.item(row._mapping) for row in rows]

    async def routes(self) -> list[Route]:
        """See `ports.store.Definitions.routes`."""
        rows = await self._session.rows(select(routes).order_by(routes.c.rank, routes.c.id))
        return [_ROUTES.item(row._mapping) for row in rows]

    async def save_connector(self, connector: Connector) -> None:
        """See `ports.store.Definitions.save_connector`."""
        await self._save(connectors, _CONNECTORS, connector)

    async def save_route(self, route: Route) -> None:
        """See `ports.store.Definitions.save_route`."""
        await self._save(routes, _ROUTES, route)

    async def remove_connector(self, ident: str) -> bool:
        """See `ports.store.Definitions.remove_connector`."""
        return await self._remove(connectors, ident)

    async def remove_route(self, ident: str) -> bool:
        """See `ports.store.Definitions.remove_route`."""
        return await self._remove(routes, ident)

    async def _save(self, table: Table, codec: RowCodec[Any], item: Struct) -> None:
        await self._grow()
        await save(self._session, table, [codec.row(item)])

    async def _remove(self, table: Table, ident: str) -> bool:
        await self._grow()
        return await self._session.run(delete(table).where(table.c.id == ident)) == 1

    async def _grow(self) -> None:
        await self._session.put(update(counters).where(_COUNTER).values(value=counters.c.value + 1))
