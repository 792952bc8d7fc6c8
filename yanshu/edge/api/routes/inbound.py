"""/v1/inbound: what people wrote to us."""

from yanshu.domain import ids
from yanshu.domain.errors import Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, list_of, page_of
from yanshu.edge.api.schemas.messages import InboundOut, InboundQuery, show_inbound
from yanshu.edge.api.sending import phone_filter


async def list_inbound(call: Call) -> Answer:
    """List inbound texts, newest first."""
    query: InboundQuery = call.query
    async with call.services.store.read() as uow:
        rows = await uow.inbounds.page(
            call.caller.workspace_id,
            sender=phone_filter(query.sender, call),
            recipient=query.recipient,
            livemode=call.caller.livemode,
            page=page_of(query, ids.INBOUND),
        )
    return Answer(200, list_of(rows, query, show_inbound))


async def get_inbound(call: Call) -> Answer:
    """Return one inbound text."""
    async with call.services.store.read() as uow:
        found = await uow.inbounds.get(call.ids["id"])
    if found is None or found.workspace_id != call.caller.workspace_id or found.livemode != call.caller.livemode:
        raise Missing("inbound", call.ids["id"][:64])
    return Answer(200, show_inbound(found))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/inbound",
        handler=list_inbound,
        scope="inbound:read",
        summary="List inbound texts",
        query=InboundQuery,
        answer=ListOut[InboundOut],
    ),
    Endpoint(
        method="GET",
        path="/v1/inbound/{id:str}",
        handler=get_inbound,
        scope="inbound:read",
        summary="Get an inbound text",
        answer=InboundOut,
        refuses=(404,),
    ),
)
