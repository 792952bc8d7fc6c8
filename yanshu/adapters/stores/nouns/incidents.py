"""Incidents of connectors."""

from typing import Any

from sqlalchemy import Select, select, update

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, given, keyset
from yanshu.adapters.stores.tables.incidents import incidents
from yanshu.domain.incidents import Incident
from yanshu.ports.filters import Page

_CODEC = RowCodec(Incident)
_C = incidents.c


class IncidentRows:
    """See `ports.incidents.Incidents`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, incident: Incident) -> bool:
        """See `ports.incidents.Incidents.open`."""
        return await self._session.run(self._session.insert(incidents).values(_row(incident)).on_conflict_do_nothing()) == 1

    async def save(self, incident: Incident) -> bool:
        """See `ports.incidents.Incidents.save`."""
        is_it = (_C.id == incident.id, _C.version == incident.version - 1)
        return await self._session.run(update(incidents).where(*is_it).values(_row(incident))) == 1

    async def current(self) -> list[Incident]:
        """See `ports.incidents.Incidents.current`."""
        return await self._read(select(incidents).where(_C.closed_at.is_(None)).order_by(_C.id))

    async def get(self, ident: str) -> Incident | None:
        """See `ports.incidents.Incidents.get`."""
        return next(iter(await self._read(select(incidents).where(_C.id == ident))), None)

    async def page(self, page: Page, *, is_open: bool | None = None, connector_id: str | None = None) -> list[Incident]:
        """See `ports.incidents.Incidents.page`."""
        statement = select(incidents).where(*given((_C.connector_id, connector_id)))
        if is_open is not None:
            statement = statement.where(_C.closed_at.is_(None) if is_open else _C.closed_at.is_not(None))
        return await self._read(keyset(statement, incidents, page))

    async def _read(self, statement: Select[Any]) -> list[Incident]:
        rows = await self._session.rows(statement)
        return [_CODEC.item({**row._mapping, "operator": row.operator or None}) for row in rows]


def _row(incident: Incident) -> dict[str, Any]:
    return {**_CODEC.row(incident), "operator": incident.operator or ""}
