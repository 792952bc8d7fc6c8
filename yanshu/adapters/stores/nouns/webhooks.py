"""Webhook endpoints and the deliveries made to them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, update

from yanshu.adapters.stores.rows import RowCodec, micros
from yanshu.adapters.stores.session import Session, given, insert_new, keyset, save
from yanshu.adapters.stores.tables.surroundings import counters, deliveries, delivery_objects, webhook_endpoints
from yanshu.domain.webhooks import Delivery, DeliveryStatus, EndpointStatus, WebhookEndpoint
from yanshu.ports.filters import Page

_ENDPOINTS = RowCodec(WebhookEndpoint)
_DELIVERIES = RowCodec(Delivery)
_CALLBACKS = counters.c.name == "callbacks"


class WebhookRows:
    """See `ports.store.Webhooks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def save_endpoint(self, endpoint: WebhookEndpoint) -> None:
        """See `ports.store.Webhooks.save_endpoint`."""
        await save(self._session, webhook_endpoints, [_ENDPOINTS.row(endpoint)])

    async def endpoint(self, ident: str) -> WebhookEndpoint | None:
        """See `ports.store.Webhooks.endpoint`."""
        rows = await self._session.rows(select(webhook_endpoints).where(webhook_endpoints.c.id == ident))
        return _ENDPOINTS.item(rows[0]._mapping) if rows else None

    async def endpoints(self, workspace_id: str, page: Page, livemode: bool | None = None) -> list[WebhookEndpoint]:
        """See `ports.store.Webhooks.endpoints`."""
        columns = webhook_endpoints.c
        statement = select(webhook_endpoints).where(columns.workspace_id == workspace_id, *given((columns.livemode, livemode)))
        rows = await self._session.rows(keyset(statement, webhook_endpoints, page))
        return [_ENDPOINTS.item(row._mapping) for row in rows]

    async def remove_endpoint(self, ident: str) -> bool:
        """See `ports.store.Webhooks.remove_endpoint`."""
        pending = (deliveries.c.endpoint_id == ident, deliveries.c.status == str(DeliveryStatus.PENDING))
        await self._session.put(delete(delivery_objects).where(delivery_objects.c.target == ident))
        await self._session.put(delete(deliveries).where(*pending))
        return await self._session.run(delete(webhook_endpoints).where(webhook_endpoints.c.id == ident)) == 1

    async def behind(self, position: int, limit: int) -> list[WebhookEndpoint]:
        """See `ports.store.Webhooks.behind`."""
        statement = select(webhook_endpoints).where(*_is_behind(position)).order_by(webhook_endpoints.c.position).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        return [_ENDPOINTS.item(row._mapping) for row in rows]

    async def is_any_behind(self, position: int) -> bool:
        """See `ports.store.Webhooks.is_any_behind`."""
        return bool(await self._session.rows(select(webhook_endpoints.c.id).where(*_is_behind(position)).limit(1)))

    async def advance(self, endpoint_id: str, position: int) -> None:
        """See `ports.store.Webhooks.advance`."""
        await self._session.put(update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).values(position=position))

    async def add_deliveries(self, deliveries_: Sequence[Delivery]) -> None:
        """See `ports.store.Webhooks.add_deliveries`."""
        await insert_new(self._session, deliveries, [_DELIVERIES.row(item) for item in deliveries_])
        await self._keep_order(deliveries_)

    async def claim_deliveries(self, now: datetime, lease_until: datetime, limit: int) -> list[Delivery]:
        """See `ports.store.Webhooks.claim_deliveries`."""
        mine, other = delivery_objects.alias("mine"), delivery_objects.alias("other")
        earlier = exists().where(
            mine.c.delivery_id == deliveries.c.id,
            other.c.target == mine.c.target,
            other.c.object_id == mine.c.object_id,
            other.c.delivery_id < mine.c.delivery_id,
        )
        pending = deliveries.c.status == str(DeliveryStatus.PENDING)
        statement = select(deliveries).where(pending, deliveries.c.next_at <= micros(now), ~earlier)
        statement = statement.order_by(deliveries.c.next_at, deliveries.c.id).limit(limit)
        rows = await self._session.rows(statement.with_for_update(skip_locked=True))
        if rows:
            claimed = deliveries.c.id.in_([row.id for row in rows])
            await self._session.put(update(deliveries).where(claimed).values(next_at=micros(lease_until)))
        return [_DELIVERIES.item({**row._mapping, "next_at": micros(lease_until)}) for row in rows]

    async def save_deliveries(self, deliveries_: Sequence[Delivery]) -> None:
        """See `ports.store.Webhooks.save_deliveries`."""
        await save(self._session, deliveries, [_DELIVERIES.row(item) for item in deliveries_])
        done = [item.id for item in deliveries_ if item.status is not DeliveryStatus.PENDING]
        if done:
            await self._session.put(delete(delivery_objects).where(delivery_objects.c.delivery_id.in_(done)))
        await self._keep_order(deliveries_)

    async def delivery(self, ident: str) -> Delivery | None:
        """See `ports.store.Webhooks.delivery`."""
        rows = await self._session.rows(select(deliveries).where(deliveries.c.id == ident))
        return _DELIVERIES.item(rows[0]._mapping) if rows else None

    async def deliveries(self, endpoint_id: str, status: str | None, page: Page) -> list[Delivery]:
        """See `ports.store.Webhooks.deliveries`."""
        statement = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id, *given((deliveries.c.status, status)))
        rows = await self._session.rows(keyset(statement, deliveries, page))
        return [_DELIVERIES.item(row._mapping) for row in rows]

    async def callbacks_position(self) -> int:
        """See `ports.store.Webhooks.callbacks_position`."""
        return int((await self._session.rows(select(counters.c.value).where(_CALLBACKS).with_for_update()))[0][0])

    async def advance_callbacks(self, position: int) -> None:
        """See `ports.store.Webhooks.advance_callbacks`."""
        await self._session.put(update(counters).where(_CALLBACKS).values(value=position))

    async def _keep_order(self, deliveries_: Sequence[Delivery]) -> None:
        """Note which objects pending deliveries are about, so that later ones to the same target wait."""
        rows = [
            {"target": item.endpoint_id or item.url, "object_id": object_id, "delivery_id": item.id}
            for item in deliveries_
            if item.status is DeliveryStatus.PENDING
            for object_id in sorted(set(item.objects))
        ]
        await insert_new(self._session, delivery_objects, rows)


def _is_behind(position: int) -> tuple[ColumnElement[bool], ...]:
    """Enabled endpoints that have not read up to `position`."""
    return webhook_endpoints.c.status == str(EndpointStatus.ENABLED), webhook_endpoints.c.position < position
