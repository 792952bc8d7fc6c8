"""Workspaces, API keys and the audit trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, select, update

from yanshu.adapters.stores.rows import RowCodec, micros
from yanshu.adapters.stores.session import Session, given, insert_new, keyset, save
from yanshu.adapters.stores.tables.surroundings import api_keys, audit_entries, workspaces
from yanshu.domain.access import ApiKey, AuditEntry, Workspace
from yanshu.ports.filters import Page

_WORKSPACES = RowCodec(Workspace)
_KEYS = RowCodec(ApiKey)
_AUDIT = RowCodec(AuditEntry)


class AccessRows:
    """See `ports.store.Access`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def save_workspace(self, workspace: Workspace) -> None:
        """See `ports.store.Access.save_workspace`."""
        await save(self._session, workspaces, [_WORKSPACES.row(workspace)])

    async def workspace(self, ident: str) -> Workspace | None:
        """See `ports.store.Access.workspace`."""
        rows = await self._session.rows(select(workspaces).where(workspaces.c.id == ident))
        return _WORKSPACES.item(rows[0]._mapping) if rows else None

    async def workspaces(self, page: Page) -> list[Workspace]:
        """See `ports.store.Access.workspaces`."""
        rows = await self._session.rows(keyset(select(workspaces), workspaces, page))
        return [_WORKSPACES.item(row._mapping) for row in rows]

    async def save_key(self, key: ApiKey) -> None:
        """See `ports.store.Access.save_key`."""
        await save(self._session, api_keys, [_KEYS.row(key)])

    async def key(self, ident: str) -> ApiKey | None:
        """See `ports.store.Access.key`."""
        return await self._key(api_keys.c.id == ident)

    async def key_by_digest(self, digest: str) -> ApiKey | None:
        """See `ports.store.Access.key_by_digest`."""
        return await self._key(api_keys.c.digest == digest)

    async def keys(self, workspace_id: str, page: Page) -> list[ApiKey]:
        """See `ports.store.Access.keys`."""
        rows = await self._session.rows(keyset(select(api_keys).where(api_keys.c.workspace_id == workspace_id), api_keys, page))
        return [_KEYS.item(row._mapping) for row in rows]

    async def touch_keys(self, used: Mapping[str, datetime]) -> None:
        """See `ports.store.Access.touch_keys`."""
        if used:
            moments = {ident: micros(moment) for ident, moment in used.items()}
            changed = case(moments, value=api_keys.c.id)
            await self._session.put(update(api_keys).where(api_keys.c.id.in_(sorted(moments))).values(last_used_at=changed))

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """See `ports.store.Access.add_audit`."""
        await insert_new(self._session, audit_entries, [_AUDIT.row(entry) for entry in entries])

    async def audit(self, workspace_id: str | None, page: Page) -> list[AuditEntry]:
        """See `ports.store.Access.audit`."""
        statement = select(audit_entries).where(*given((audit_entries.c.workspace_id, workspace_id)))
        rows = await self._session.rows(keyset(statement, audit_entries, page))
        return [_AUDIT.item(row._mapping) for row in rows]

    async def _key(self, condition: ColumnElement[bool]) -> ApiKey | None:
        rows = await self._session.rows(select(api_keys).where(condition))
        return _KEYS.item(rows[0]._mapping) if rows else None
