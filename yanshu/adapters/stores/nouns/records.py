"""Idempotency records, leases, link reports and small named values; the engines add dedupe marks."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Table, delete, or_, select

from yanshu.adapters.stores.rows import RowCodec, micros, to_json
from yanshu.adapters.stores.session import Session, save
from yanshu.adapters.stores.tables.path import inbound_digests
from yanshu.adapters.stores.tables.surroundings import idempotency, leases, links, marks, named_values
from yanshu.domain.commands import Idempotency, Saved
from yanshu.domain.connectors import LinkReport
from yanshu.domain.errors import Conflict
from yanshu.ports.clock import Clock

_LINKS = RowCodec(LinkReport)
# How long the digest of an inbound is kept: carriers repeat within hours.
_DIGEST_LIFETIME = timedelta(days=7)


class RecordRows:
    """See `ports.store.Records`."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def remember(self, idempotency_: Idempotency, saved: Saved) -> Saved | None:
        """See `ports.store.Records.remember`. A concurrent remember of the key waits for this transaction and then sees it."""
        now = micros(self._clock.now())
        values = {
            "key": idempotency_.key,
            "fingerprint": idempotency_.fingerprint,
            "status": saved.status,
            "body": saved.body,
            "expires_at": micros(idempotency_.expires_at),
        }
        statement = self._session.insert(idempotency).values(values)
        replaced = {name: statement.excluded[name] for name in values if name != "key"}
        stored = await self._session.run(
            statement.on_conflict_do_update(index_elements=["key"], set_=replaced, where=idempotency.c.expires_at <= now)
        )
        return None if stored else await self.recall(idempotency_)

    async def recall(self, idempotency_: Idempotency) -> Saved | None:
        """See `ports.store.Records.recall`."""
        columns = idempotency.c
        unexpired = columns.expires_at > micros(self._clock.now())
        rows = await self._session.rows(select(idempotency).where(columns.key == idempotency_.key, unexpired))
        if not rows:
            return None
        if rows[0].fingerprint != idempotency_.fingerprint:
            raise Conflict("idempotency_key_reused")
        return Saved(rows[0].status, rows[0].body)

    async def purge(self, now: datetime, limit: int) -> int:
        """See `ports.store.Records.purge`."""
        purged = 0
        for table, column, before in (
            (idempotency, "expires_at", now),
            (marks, "expires_at", now),
            (inbound_digests, "seen_at", now - _DIGEST_LIFETIME),
        ):
            purged += await self._purge(table, column, micros(before), limit - purged)
        return purged

    async def acquire_lease(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """See `ports.store.Records.acquire_lease`."""
        statement = self._session.insert(leases).values(name=name, owner=owner, until=micros(until))
        free = or_(leases.c.owner == owner, leases.c.until <= micros(now))
        taken = {"owner": statement.excluded.owner, "until": statement.excluded.until}
        return await self._session.run(statement.on_conflict_do_update(index_elements=["name"], set_=taken, where=free)) == 1

    async def release_leases(self, owner: str) -> None:
        """See `ports.store.Records.release_leases`."""
        await self._session.put(delete(leases).where(leases.c.owner == owner))

    async def report_link(self, report: LinkReport) -> None:
        """See `ports.store.Records.report_link`."""
        await save(self._session, links, [_LINKS.row(report)])

    async def links(self) -> list[LinkReport]:
        """See `ports.store.Records.links`."""
        rows = await self._session.rows(select(links).order_by(links.c.connector_id, links.c.slot))
        return [_LINKS.item(row._mapping) for row in rows]

    async def get_value(self, name: str) -> Any | None:
        """See `ports.store.Records.get_value`."""
        rows = await self._session.rows(select(named_values.c.value).where(named_values.c.name == name))
        return msgspec.json.decode(rows[0].value) if rows else None

    async def set_value(self, name: str, value: Any) -> None:
        """See `ports.store.Records.set_value`."""
        await save(self._session, named_values, [{"name": name, "value": to_json(value)}])

    async def _purge(self, table: Table, column: str, before: int, limit: int) -> int:
        """Delete at most `limit` rows whose time has passed, leaving those somebody holds."""
        if limit <= 0:
            return 0
        key = next(iter(table.primary_key))
        old = select(key).where(table.c[column] <= before).limit(limit).with_for_update(skip_locked=True)
        return await self._session.run(delete(table).where(key.in_(old.scalar_subquery())))
