"""/v1/connectors: accounts at carriers."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.connectors import Connector, ConnectorState
from yanshu.domain.errors import Conflict, Missing
from yanshu.edge.api.endpoints import UNSET, Answer, Call, Endpoint, given
from yanshu.edge.api.paging import ListOut, PageQuery, list_of
from yanshu.edge.api.schemas.carriers import CallbacksOut, ConnectorIn, ConnectorOut, ConnectorPatch, TurnedOut, read_filings
from yanshu.edge.api.schemas.health import Counted, HealthOut, show_health
from yanshu.edge.api.schemas.money import read_prices
from yanshu.edge.api.schemas.platform import DeletedOut, EmptyIn
from yanshu.edge.api.schemas.shown import show_connector, show_turned
from yanshu.edge.api.slices import slice_of
from yanshu.edge.api.trials import TrialQuery, warnings_in
from yanshu.edge.api.writing import rehearse, write
from yanshu.pipeline.health_events import tell_state
from yanshu.ports.store import UnitOfWork

_MINUTE, _QUARTER_HOUR = 60, 900


async def post_connector(call: Call) -> Answer:
    """Make a connector; its links are opened at once."""
    body: ConnectorIn = call.body
    services, now = call.services, call.services.clock.now()
    services.check_connector(body.protocol, body.settings, body.password)
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "password"} | _read_tables(body)
    ident = ids.make_id(ids.CONNECTOR, now, services.clock.entropy(ids.ENTROPY_BYTES))
    connector = Connector(id=ident, secret=services.sealer.seal(body.password), created_at=now, updated_at=now, **fields)
    return await _save(call, "connector.created", 201, connector)


async def patch_connector(call: Call) -> Answer:
    """Change a connector; links are opened anew where that matters."""
    body: ConnectorPatch = call.body
    changes = given(**{name: getattr(body, name) for name in body.__struct_fields__})
    changes |= _read_tables(body)
    password = changes.pop("password", None)
    if password is not None:
        changes["secret"] = call.services.sealer.seal(password)
    connector = await _find(call)
    call.services.check_connector(connector.protocol, changes.get("settings", connector.settings), password)
    return await _save(call, "connector.changed", 200, _changed(call, connector, **changes))


def _read_tables(body: ConnectorIn | ConnectorPatch) -> dict[str, Any]:
    """Return what a body has of prices and filings."""
    readers: dict[str, Callable[[Any], Any]] = {"prices": read_prices, "filings": read_filings}
    return {name: read(given) for name, read in readers.items() if (given := getattr(body, name)) is not UNSET}


async def delete_connector(call: Call) -> Answer:
    """Delete a connector that no route names."""
    ident = (await _find(call)).id

    async def work(uow: UnitOfWork) -> tuple[str, DeletedOut]:
        if any(ident in route.connectors for route in await uow.definitions.routes()):
            raise Conflict("state_conflict", param="connectors", status="a route names it")
        await uow.definitions.remove_connector(ident)
        await uow.codes.forget(ident)
        return ident, DeletedOut(id=ident, object="connector")

    answer = await write(call, "connector.deleted", 200, work)
    await call.services.router.changed()
    return answer


async def drain_connector(call: Call) -> Answer:
    """Send nothing more over it; its queue moves to other candidates."""
    return await _turn(call, "connector.drained", ConnectorState.DRAINED)


async def resume_connector(call: Call) -> Answer:
    """Use it again."""
    return await _turn(call, "connector.resumed", ConnectorState.ACTIVE)


async def list_connectors(call: Call) -> Answer:
    """List connectors."""
    async with call.services.store.read() as uow:
        rows = await uow.definitions.connectors()
    return Answer(200, list_of(slice_of(rows, call.query, ids.CONNECTOR), call.query, show_connector))


async def get_connector(call: Call) -> Answer:
    """Return one connector."""
    return Answer(200, show_connector(await _find(call)))


async def get_health(call: Call) -> Answer:
    """Return how it does: its links, what waits for it, its weight and breaker, and what became of what it carried."""
    connector, health = await _find(call), call.services.health
    async with call.services.store.read() as uow:
        now = call.services.clock.now()
        reports = [report.as_of(now) for report in await uow.records.links() if report.connector_id == connector.id]
        depth = {lane: count for (ident, lane), count in (await uow.messages.queue_depth()).items() if ident == connector.id}
        kept = await uow.health.conditions()
    counted = Counted(health.figures(connector.id, _MINUTE), health.figures(connector.id, _QUARTER_HOUR))
    return Answer(200, show_health(connector.id, reports, depth, kept, counted))


async def reveal_callbacks(call: Call) -> Answer:
    """Return the URLs that its carrier shall call. They hold a secret, so reading connectors is not enough, and it is written down."""
    connector = await _find(call)
    urls = call.services.callback_urls(connector)
    if not urls.receipts:
        raise Conflict("state_conflict", param="callbacks", status="no callbacks: set YANSHU_CALLBACKS_LISTEN and YANSHU_CALLBACKS_URL")
    shown = CallbacksOut(connector=connector.id, receipts_url=urls.receipts, inbound_url=urls.inbound)

    async def work(uow: UnitOfWork) -> tuple[str, CallbacksOut]:  # noqa: ARG001 - nothing but the audit is written
        return connector.id, shown

    return await write(call, "connector.callbacks_revealed", 200, work, hidden=("receipts_url", "inbound_url"))


async def _find(call: Call) -> Connector:
    async with call.services.store.read() as uow:
        found = next((c for c in await uow.definitions.connectors() if c.id == call.ids["id"]), None)
    if found is None:
        raise Missing("connector", call.ids["id"][:64])
    return found


def _changed(call: Call, connector: Connector, **changes: object) -> Connector:
    return replace(connector, version=connector.version + 1, updated_at=call.services.clock.now(), **changes)


async def _turn(call: Call, action: str, state: ConnectorState) -> Answer:
    """Put a connector into a state, or find out what that would mean; that it has come into it is an event."""
    before, dry_run = await _find(call), call.query.dry_run
    connector = _changed(call, before, state=state)

    async def work(uow: UnitOfWork) -> tuple[str, TurnedOut]:
        await uow.definitions.save_connector(connector)
        if before.state is not state:
            await tell_state(uow, connector, action, connector.updated_at)
        return connector.id, show_turned(connector, await warnings_in(call, uow), dry_run=dry_run)

    if dry_run:
        return await rehearse(call, work)
    answer = await write(call, action, 200, work)
    await call.services.router.changed()
    call.services.store.wake("events")
    return answer


async def _save(call: Call, action: str, status: int, connector: Connector) -> Answer:
    async def work(uow: UnitOfWork) -> tuple[str, ConnectorOut]:
        await uow.definitions.save_connector(connector)
        return connector.id, show_connector(connector)

    answer = await write(call, action, status, work)
    await call.services.router.changed()
    return answer


_ONE = "/v1/connectors/{id:str}"
_WRITE, _READ = "connectors:write", "connectors:read"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/connectors",
        handler=post_connector,
        scope=_WRITE,
        summary="Make a connector",
        status=201,
        body=ConnectorIn,
        answer=ConnectorOut,
    ),
    Endpoint(
        method="GET",
        path="/v1/connectors",
        handler=list_connectors,
        scope=_READ,
        summary="List connectors",
        query=PageQuery,
        answer=ListOut[ConnectorOut],
    ),
    Endpoint(method="GET", path=_ONE, handler=get_connector, scope=_READ, summary="Get a connector", answer=ConnectorOut, refuses=(404,)),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch_connector,
        scope=_WRITE,
        summary="Change a connector",
        body=ConnectorPatch,
        answer=ConnectorOut,
        refuses=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete_connector,
        scope=_WRITE,
        summary="Delete a connector",
        answer=DeletedOut,
        refuses=(404, 409),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/drain",
        handler=drain_connector,
        scope=_WRITE,
        summary="Drain a connector",
        query=TrialQuery,
        body=EmptyIn,
        optional_body=True,
        answer=TurnedOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/resume",
        handler=resume_connector,
        scope=_WRITE,
        summary="Resume a connector",
        query=TrialQuery,
        body=EmptyIn,
        optional_body=True,
        answer=TurnedOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path=_ONE + "/health",
        handler=get_health,
        scope=_READ,
        summary="Health of a connector",
        answer=HealthOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/callbacks",
        handler=reveal_callbacks,
        scope=_WRITE,
        summary="Reveal what the carrier of a connector shall call",
        body=EmptyIn,
        optional_body=True,
        answer=CallbacksOut,
        refuses=(404, 409),
    ),
)
