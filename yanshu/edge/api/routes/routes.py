"""/v1/routes: which messages may use which connectors."""

import msgspec
from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.connectors import Route
from yanshu.domain.errors import Invalid, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint, given
from yanshu.edge.api.paging import ListOut, PageQuery, list_of
from yanshu.edge.api.schemas.messages import utc
from yanshu.edge.api.schemas.routes import (
    RouteDeletedOut,
    RouteIn,
    RouteOut,
    RoutePatch,
    RouteSavedOut,
    SimulationIn,
    SimulationOut,
    read_match,
    read_pool,
    show_route,
    show_saved,
)
from yanshu.edge.api.slices import slice_of
from yanshu.edge.api.trials import TrialQuery, warnings_in
from yanshu.edge.api.writing import Work, rehearse, write
from yanshu.pipeline.candidates import Trial, simulate
from yanshu.ports.store import UnitOfWork
from yanshu.rules.contacts.phones import parse_phone
from yanshu.rules.routing.match import Sending


async def post_route(call: Call) -> Answer:
    """Make a route."""
    body: RouteIn = call.body
    now = call.services.clock.now()
    route = Route(
        id=ids.make_id(ids.ROUTE, now, call.services.clock.entropy(ids.ENTROPY_BYTES)),
        name=body.name,
        rank=body.rank,
        pool=read_pool(body.connectors),
        created_at=now,
        updated_at=now,
        match=read_match(body.match),
        prefer=body.prefer,
        enabled=body.enabled,
        metadata=body.metadata,
    )
    return await _save(call, "route.created", 201, route)


async def patch_route(call: Call) -> Answer:
    """Change a route."""
    body: RoutePatch = call.body
    changes = given(**{name: getattr(body, name) for name in body.__struct_fields__})
    if "match" in changes:
        changes["match"] = read_match(changes["match"])
    if "connectors" in changes:
        changes["pool"] = read_pool(changes.pop("connectors"))
    route = await _find(call)
    return await _save(
        call, "route.changed", 200, replace(route, version=route.version + 1, updated_at=call.services.clock.now(), **changes)
    )


async def delete_route(call: Call) -> Answer:
    """Delete a route."""
    ident = (await _find(call)).id

    async def work(uow: UnitOfWork) -> tuple[str, RouteDeletedOut]:
        await uow.definitions.remove_route(ident)
        left = await warnings_in(call, uow)
        return ident, RouteDeletedOut(id=ident, object="route", deleted=not call.query.dry_run, dry_run=call.query.dry_run, warnings=left)

    return await _do(call, "route.deleted", 200, work)


async def list_routes(call: Call) -> Answer:
    """List routes."""
    async with call.services.store.read() as uow:
        rows = await uow.definitions.routes()
    return Answer(200, list_of(slice_of(rows, call.query, ids.ROUTE), call.query, show_route))


async def get_route(call: Call) -> Answer:
    """Return one route."""
    return Answer(200, show_route(await _find(call)))


async def simulate_message(call: Call) -> Answer:
    """Say where a message would go; nothing is stored or sent."""
    body: SimulationIn = call.body
    number = parse_phone(body.to, livemode=call.caller.livemode)
    trial = Trial(
        facts=(await call.services.numbers.facts_of(number, call.services.clock.now()))[0],
        sending=await _sending(call, body),
        signature=body.signature or "",
        segments=body.segments,
    )
    return Answer(200, msgspec.convert(simulate(call.services.router, trial, call.language), SimulationOut))


async def _sending(call: Call, body: SimulationIn) -> Sending:
    """Return what the message is thought to be sent as."""
    return Sending(
        workspace_id=await _workspace(call, body.workspace),
        lane=body.lane,
        livemode=call.caller.livemode,
        at=utc(body.send_at) or call.services.clock.now(),
        metadata=body.metadata,
        sender=body.sender,
        extension=body.extension or "",
    )


async def _workspace(call: Call, ident: str | None) -> str:
    """Return the workspace to think of: one that exists, or the caller's."""
    if ident is None:
        return call.caller.workspace_id
    async with call.services.store.read() as uow:
        if await uow.access.workspace(ident) is None:
            raise Invalid("parameter_invalid", param="workspace", fix="the id of a workspace; see GET /v1/workspaces")
    return ident


async def _find(call: Call) -> Route:
    async with call.services.store.read() as uow:
        found = next((r for r in await uow.definitions.routes() if r.id == call.ids["id"]), None)
    if found is None:
        raise Missing("route", call.ids["id"][:64])
    return found


async def _save(call: Call, action: str, status: int, route: Route) -> Answer:
    """Save a route whose connectors exist."""

    async def work(uow: UnitOfWork) -> tuple[str, RouteSavedOut]:
        known = {connector.id for connector in await uow.definitions.connectors()}
        for place, member in enumerate(route.pool):
            if member.connector_id not in known:
                raise Invalid("parameter_invalid", param=f"connectors[{place}]", fix="the id of a connector; see GET /v1/connectors")
        await uow.definitions.save_route(route)
        return route.id, show_saved(route, await warnings_in(call, uow), dry_run=call.query.dry_run)

    return await _do(call, action, status, work)


async def _do(call: Call, action: str, status: int, work: Work) -> Answer:
    """Change the routes, or find out what it would mean."""
    if call.query.dry_run:
        return await rehearse(call, work)
    answer = await write(call, action, status, work)
    await call.services.router.changed()
    return answer


_ONE = "/v1/routes/{id:str}"
_WRITE, _READ = "routes:write", "routes:read"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/routes",
        handler=post_route,
        scope=_WRITE,
        summary="Make a route",
        status=201,
        query=TrialQuery,
        body=RouteIn,
        answer=RouteSavedOut,
        other_answers=((200, RouteSavedOut),),
    ),
    Endpoint(
        method="GET", path="/v1/routes", handler=list_routes, scope=_READ, summary="List routes", query=PageQuery, answer=ListOut[RouteOut]
    ),
    Endpoint(
        method="POST",
        path="/v1/routes/simulate",
        handler=simulate_message,
        scope=_READ,
        summary="Say where a message would go",
        body=SimulationIn,
        answer=SimulationOut,
    ),
    Endpoint(method="GET", path=_ONE, handler=get_route, scope=_READ, summary="Get a route", answer=RouteOut, refuses=(404,)),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch_route,
        scope=_WRITE,
        summary="Change a route",
        query=TrialQuery,
        body=RoutePatch,
        answer=RouteSavedOut,
        refuses=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete_route,
        scope=_WRITE,
        summary="Delete a route",
        query=TrialQuery,
        answer=RouteDeletedOut,
        refuses=(404,),
    ),
)
