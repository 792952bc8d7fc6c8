"""Customers' binds."""

from sqlalchemy import delete, select

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, given, keyset
from yanshu.adapters.stores.tables.binds import binds
from yanshu.domain.binds import Bind, BindProtocol
from yanshu.ports.filters import Page

_BINDS = RowCodec(Bind)
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
        return await self._session.run(delete(binds).where(binds.c.id == ident)) == 1
