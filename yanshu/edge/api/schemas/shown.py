"""How stored objects are shown: domain structs to the shapes of `platform`."""

from typing import Any

from msgspec import UNSET

from yanshu.domain.access import ApiKey, AuditEntry, Workspace
from yanshu.domain.connectors import Connector, LinkReport
from yanshu.domain.events import Event
from yanshu.domain.webhooks import Delivery, WebhookEndpoint
from yanshu.edge.api.schemas.carriers import ConnectorOut, FilingIO, LinkOut, TurnedOut
from yanshu.edge.api.schemas.money import show_prices
from yanshu.edge.api.schemas.platform import (
    ApiKeyOut,
    AuditOut,
    BatchingIO,
    DeliveryOut,
    EventDataOut,
    EventOut,
    PreviousOut,
    WebhookOut,
    WorkspaceOut,
)
from yanshu.edge.api.trials import WarningOut


def show_connector(c: Connector) -> ConnectorOut:
    """Return the wire form of a connector, without its secret."""
    return ConnectorOut(**_connector_fields(c))


def show_turned(c: Connector, warnings: list[WarningOut], *, dry_run: bool) -> TurnedOut:
    """Return the wire form of a connector that was drained or resumed, or would be."""
    return TurnedOut(**_connector_fields(c), warnings=warnings, dry_run=dry_run)


def _connector_fields(c: Connector) -> dict[str, Any]:
    return {
        "id": c.id,
        "created_at": c.created_at,
        "updated_at": c.updated_at,
        "name": c.name,
        "protocol": c.protocol,
        "host": c.host,
        "port": c.port,
        "settings": c.settings,
        "window": c.window,
        "throughput": c.throughput,
        "links": c.links,
        "sender": c.sender,
        "simulated": c.simulated,
        "prices": show_prices(c.prices),
        "filings": [FilingIO(filing.signature, filing.state) for filing in c.filings],
        "requires_filing": c.requires_filing,
        "sender_length": c.sender_length,
        "own_senders": c.own_senders,
        "state": c.state,
        "metadata": c.metadata or {},
    }


def show_link(report: LinkReport) -> LinkOut:
    """Return the wire form of a link report."""
    return LinkOut(report.slot, report.node_id, report.state, report.detail, report.changed_at)


def show_workspace(w: Workspace, secret: str | None = None) -> WorkspaceOut:
    """Return the wire form of a workspace; `secret` only the one time it is shown."""
    return WorkspaceOut(id=w.id, created_at=w.created_at, updated_at=w.updated_at, name=w.name, secret=secret, metadata=w.metadata or {})


def show_key(k: ApiKey, secret: str | None = None) -> ApiKeyOut:
    """Return the wire form of a key; `secret` only the one time it is shown."""
    return ApiKeyOut(
        id=k.id,
        livemode=k.livemode,
        created_at=k.created_at,
        updated_at=k.updated_at,
        workspace=k.workspace_id,
        name=k.name,
        hint=k.hint,
        scopes=list(k.scopes),
        cidrs=list(k.cidrs),
        requests_per_second=k.requests_per_second,
        messages_per_second=k.messages_per_second,
        expires_at=k.expires_at,
        revoked_at=k.revoked_at,
        last_used_at=k.last_used_at,
        secret=secret,
        metadata=k.metadata or {},
    )


def show_webhook(e: WebhookEndpoint, secret: str | None = None) -> WebhookOut:
    """Return the wire form of a webhook endpoint; `secret` only the one time it is shown."""
    return WebhookOut(
        id=e.id,
        livemode=e.livemode,
        created_at=e.created_at,
        updated_at=e.updated_at,
        url=e.url,
        events=list(e.events),
        status=e.status,
        batch=BatchingIO(e.batch_max, e.batch_ms),
        failing_since=e.failing_since,
        secret=secret,
        metadata=e.metadata or {},
    )


def show_delivery(d: Delivery) -> DeliveryOut:
    """Return the wire form of a delivery."""
    return DeliveryOut(
        id=d.id,
        created_at=d.created_at,
        updated_at=d.updated_at,
        endpoint=d.endpoint_id,
        url=d.url,
        events=list(d.events),
        status=d.status,
        attempts=d.attempts,
        next_at=d.next_at,
        response_status=d.response_status,
        error=d.error,
        took_ms=d.took_ms,
    )


def show_event(e: Event, view: dict[str, Any]) -> EventOut:
    """Return the wire form of an event; `view` is its object as it was after the event."""
    previous = PreviousOut(e.data["previous"]) if "previous" in e.data else UNSET
    return EventOut(
        id=e.id,
        livemode=e.livemode,
        created_at=e.created_at,
        type=e.type,
        workspace=e.workspace_id,
        about=e.object_id,
        seq=e.seq,
        data=EventDataOut(view, previous),
    )


def show_audit(a: AuditEntry) -> AuditOut:
    """Return the wire form of an audit entry."""
    return AuditOut(
        id=a.id,
        created_at=a.created_at,
        workspace=a.workspace_id,
        actor=a.actor,
        action=a.action,
        about=a.object_id,
        address=a.address,
        detail=a.detail,
    )
