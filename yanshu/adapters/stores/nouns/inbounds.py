"""Inbounds, and the parts that wait for their siblings."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from yanshu.adapters.stores.rows import RowCodec, micros
from yanshu.adapters.stores.session import Session, given, insert_new, keyset, save
from yanshu.adapters.stores.tables.path import PART_PLACE, inbound_digests, inbound_parts, inbounds
from yanshu.domain.inbound import Inbound
from yanshu.domain.submissions import InboundPart
from yanshu.ports.filters import Page

_CODEC = RowCodec(Inbound)
_PARTS = RowCodec(InboundPart)


class InboundRows:
    """See `ports.store.Inbounds`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, inbounds_: Sequence[Inbound]) -> None:
        """See `ports.store.Inbounds.add`."""
        await insert_new(self._session, inbounds, [_CODEC.row(item) for item in inbounds_])

    async def get(self, ident: str) -> Inbound | None:
        """See `ports.store.Inbounds.get`."""
        rows = await self._session.rows(select(inbounds).where(inbounds.c.id == ident))
        return _CODEC.item(rows[0]._mapping) if rows else None

    async def page(
        self, workspace_id: str, *, sender: str | None, recipient: str | None, livemode: bool | None, page: Page
    ) -> list[Inbound]:
        """See `ports.store.Inbounds.page`."""
        columns = inbounds.c
        statement = select(inbounds).where(
            columns.workspace_id == workspace_id,
            *given((columns.sender, sender), (columns.recipient, recipient), (columns.livemode, livemode)),
        )
        rows = await self._session.rows(keyset(statement, inbounds, page))
        return [_CODEC.item(row._mapping) for row in rows]

    async def add_parts(self, parts: Sequence[InboundPart]) -> None:
        """See `ports.store.Inbounds.add_parts`."""
        await insert_new(self._session, inbound_parts, [_PARTS.row(part) for part in parts])

    async def parts_of(self, part: InboundPart) -> list[InboundPart]:
        """See `ports.store.Inbounds.parts_of`."""
        same = [inbound_parts.c[name] == getattr(part, name) for name in PART_PLACE[:-1]]
        rows = await self._session.rows(select(inbound_parts).where(*same).order_by(inbound_parts.c.part))
        return [_PARTS.item(row._mapping) for row in rows]

    async def remove_parts(self, ids: Sequence[str]) -> None:
        """See `ports.store.Inbounds.remove_parts`."""
        if ids:
            await self._session.put(delete(inbound_parts).where(inbound_parts.c.id.in_(list(ids))))

    async def stale_parts(self, before: datetime, limit: int) -> list[InboundPart]:
        """See `ports.store.Inbounds.stale_parts`."""
        arrived = inbound_parts.c.arrived_at
        statement = select(inbound_parts).where(arrived < micros(before)).order_by(arrived).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        return [_PARTS.item(row._mapping) for row in rows]

    async def seen(self, digest: str, since: datetime) -> bool:
        """See `ports.store.Inbounds.seen`."""
        columns = inbound_digests.c
        statement = select(columns.digest).where(columns.digest == digest, columns.seen_at >= micros(since))
        return bool(await self._session.rows(statement))

    async def mark_seen(self, digest: str, at: datetime) -> None:
        """See `ports.store.Inbounds.mark_seen`."""
        await save(self._session, inbound_digests, [{"digest": digest, "seen_at": micros(at)}])
