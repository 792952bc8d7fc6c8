"""/v1/webhook_endpoints: where a workspace wants its events, and what became of the calls."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.errors import Invalid, Missing
from yanshu.domain.webhooks import EndpointStatus, WebhookEndpoint
from yanshu.edge.api.endpoints import Answer, Call, Endpoint, given
from yanshu.edge.api.making import new_endpoint
from yanshu.edge.api.paging import ListOut, PageQuery, list_of, page_of
from yanshu.edge.api.schemas.messages import utc
from yanshu.edge.api.schemas.platform import (
    DeletedOut,
    DeliveriesQuery,
    DeliveryOut,
    EmptyIn,
    ReplayIn,
    ReplayOut,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from yanshu.edge.api.schemas.shown import show_delivery, show_webhook
from yanshu.edge.api.writing import joining, write
from yanshu.pipeline.notify import Replay
from yanshu.ports.store import UnitOfWork
from yanshu.rules.webhooks.envelope import check_patterns
from yanshu.rules.webhooks.signing import make_secret
from yanshu.rules.webhooks.targets import check_url

_OVERLAP = timedelta(hours=24)


async def post_endpoint(call: Call) -> Answer:
    """Make an endpoint; it gets what happens from now on. The signing secret is in this answer and never again."""
    body: WebhookIn = call.body
    _check(call, body.url, body.events)
    secret = make_secret(call.services.clock.entropy(32))

    async def work(uow: UnitOfWork) -> tuple[str, WebhookOut]:
        endpoint = new_endpoint(call, secret, await uow.events.last_position())
        await uow.webhooks.save_endpoint(endpoint)
        return endpoint.id, show_webhook(endpoint, secret)

    return await write(call, "webhook_endpoint.created", 201, work, hidden=("secret",))


async def patch_endpoint(call: Call) -> Answer:
    """Change an endpoint; one that is enabled again begins with what happens from then on."""
    changes = _changes(call)

    async def work(uow: UnitOfWork) -> tuple[str, WebhookOut]:
        old = await _find(uow, call)
        endpoint = replace(old, updated_at=call.services.clock.now(), **changes)
        if endpoint.status is EndpointStatus.ENABLED and old.status is not EndpointStatus.ENABLED:
            endpoint = replace(endpoint, failing_since=None, position=await uow.events.last_position())
            await uow.webhooks.advance(endpoint.id, endpoint.position)
        await uow.webhooks.save_endpoint(endpoint)
        return endpoint.id, show_webhook(endpoint)

    return await write(call, "webhook_endpoint.changed", 200, work)


def _changes(call: Call) -> dict[str, Any]:
    """Return the fields a PATCH changes, checked."""
    body: WebhookPatch = call.body
    changes = given(**{name: getattr(body, name) for name in body.__struct_fields__})
    _check(call, changes.get("url"), changes.get("events"))
    if (batch := changes.pop("batch", None)) is not None:
        changes |= {"batch_max": batch.max, "batch_ms": batch.ms}
    if "events" in changes:
        changes["events"] = tuple(changes["events"])
    if "status" in changes:
        changes["status"] = EndpointStatus(changes["status"])
    return changes


async def delete_endpoint(call: Call) -> Answer:
    """Delete an endpoint with its pending deliveries."""

    async def work(uow: UnitOfWork) -> tuple[str, DeletedOut]:
        endpoint = await _find(uow, call)
        await uow.webhooks.remove_endpoint(endpoint.id)
        return endpoint.id, DeletedOut(id=endpoint.id, object="webhook_endpoint")

    return await write(call, "webhook_endpoint.deleted", 200, work)


async def rotate_secret(call: Call) -> Answer:
    """Make a new signing secret; for 24 hours calls are signed with both."""
    clock, sealer = call.services.clock, call.services.sealer
    secret = make_secret(clock.entropy(32))

    async def work(uow: UnitOfWork) -> tuple[str, WebhookOut]:
        old, now = await _find(uow, call), clock.now()
        secrets = (sealer.seal(secret), *old.secrets[:1])
        endpoint = replace(old, secrets=secrets, rotated_until=now + _OVERLAP, updated_at=now)
        await uow.webhooks.save_endpoint(endpoint)
        return endpoint.id, show_webhook(endpoint, secret)

    return await write(call, "webhook_endpoint.secret_rotated", 200, work, hidden=("secret",))


async def test_endpoint(call: Call) -> Answer:
    """Send a test event to this endpoint alone."""
    async with call.services.store.read() as uow:
        endpoint = await _find(uow, call)
    also = joining(call, "webhook_endpoint.tested", endpoint.id, 202, show_delivery)
    return Answer(202, show_delivery(await call.services.notifier.send_test(endpoint, also)), kept=True)


async def replay_events(call: Call) -> Answer:
    """Deliver events again, with their old ids."""
    async with call.services.store.read() as uow:
        endpoint = await _find(uow, call)
    also = joining(call, "webhook_endpoint.replayed", endpoint.id, 202, _show_replay)
    return Answer(202, _show_replay(await call.services.notifier.replay(endpoint, _wish(call.body), also)), kept=True)


def _wish(body: ReplayIn) -> Replay:
    """Return what is asked for: one way to say it, so that none is passed over silently."""
    ways = [bool(body.events), body.delivery is not None, bool(body.since or body.until or body.types)]
    if not any(ways):
        raise Invalid("parameter_missing", param="events")
    if sum(ways) > 1:
        raise Invalid("parameter_invalid", param="events", fix="give one of events, delivery, or a range")
    since, until = utc(body.since), utc(body.until)
    if since is not None and until is not None and since >= until:
        raise Invalid("parameter_invalid", param="until", fix="a range that ends after it begins")
    check_patterns(body.types, "types")
    return Replay(events=tuple(body.events), delivery=body.delivery, since=since, until=until, types=tuple(body.types))


def _show_replay(count: int) -> ReplayOut:
    return ReplayOut(events=count)


async def list_endpoints(call: Call) -> Answer:
    """List endpoints."""
    async with call.services.store.read() as uow:
        rows = await uow.webhooks.endpoints(call.caller.workspace_id, page_of(call.query, ids.WEBHOOK_ENDPOINT), call.caller.livemode)
    return Answer(200, list_of(rows, call.query, show_webhook))


async def get_endpoint(call: Call) -> Answer:
    """Return one endpoint."""
    async with call.services.store.read() as uow:
        return Answer(200, show_webhook(await _find(uow, call)))


async def list_deliveries(call: Call) -> Answer:
    """List the calls made to an endpoint."""
    async with call.services.store.read() as uow:
        endpoint = await _find(uow, call)
        rows = await uow.webhooks.deliveries(endpoint.id, call.query.status, page_of(call.query, ids.DELIVERY))
    return Answer(200, list_of(rows, call.query, show_delivery))


async def _find(uow: UnitOfWork, call: Call) -> WebhookEndpoint:
    """Return the endpoint the path names; a test key that could change a live one would read live texts."""
    endpoint, caller = await uow.webhooks.endpoint(call.ids["id"]), call.caller
    if endpoint is None or endpoint.workspace_id != caller.workspace_id or endpoint.livemode != caller.livemode:
        raise Missing("webhook_endpoint", call.ids["id"][:64])
    return endpoint


def _check(call: Call, url: str | None, events: list[str] | None) -> None:
    """Refuse URLs we must not call and event types that do not exist."""
    if url is not None:
        check_url(url, call.services.webhook_allow)
    if events is not None:
        check_patterns(events, "events")


_PATH = "/v1/webhook_endpoints"
_ONE = _PATH + "/{id:str}"
_WRITE, _READ = "webhooks:write", "webhooks:read"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path=_PATH,
        handler=post_endpoint,
        scope=_WRITE,
        summary="Make a webhook endpoint",
        status=201,
        body=WebhookIn,
        answer=WebhookOut,
    ),
    Endpoint(
        method="GET",
        path=_PATH,
        handler=list_endpoints,
        scope=_READ,
        summary="List webhook endpoints",
        query=PageQuery,
        answer=ListOut[WebhookOut],
    ),
    Endpoint(
        method="GET", path=_ONE, handler=get_endpoint, scope=_READ, summary="Get a webhook endpoint", answer=WebhookOut, refuses=(404,)
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch_endpoint,
        scope=_WRITE,
        summary="Change a webhook endpoint",
        body=WebhookPatch,
        answer=WebhookOut,
        refuses=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete_endpoint,
        scope=_WRITE,
        summary="Delete a webhook endpoint",
        answer=DeletedOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/rotate_secret",
        handler=rotate_secret,
        scope=_WRITE,
        summary="Rotate the signing secret",
        body=EmptyIn,
        optional_body=True,
        answer=WebhookOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/test",
        handler=test_endpoint,
        scope=_WRITE,
        summary="Send a test event",
        status=202,
        body=EmptyIn,
        optional_body=True,
        answer=DeliveryOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/replay",
        handler=replay_events,
        scope=_WRITE,
        summary="Deliver events again",
        status=202,
        body=ReplayIn,
        answer=ReplayOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path=_ONE + "/deliveries",
        handler=list_deliveries,
        scope=_READ,
        summary="List deliveries",
        query=DeliveriesQuery,
        answer=ListOut[DeliveryOut],
        refuses=(404,),
    ),
)
