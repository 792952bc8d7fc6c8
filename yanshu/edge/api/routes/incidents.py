"""/v1/incidents: what is wrong with connectors, and what was."""

from yanshu.domain import ids
from yanshu.domain.errors import Missing
from yanshu.domain.incidents import Incident
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, list_of, page_of
from yanshu.edge.api.schemas.incidents import IncidentOut, IncidentsQuery, show_incident


async def list_incidents(call: Call) -> Answer:
    """List incidents, newest first."""
    query: IncidentsQuery = call.query
    is_open = None if query.status is None else query.status == "open"
    async with call.services.store.read() as uow:
        rows = await uow.incidents.page(page_of(query, ids.INCIDENT), is_open=is_open, connector_id=query.connector)
    return Answer(200, list_of(rows, query, lambda row: _show(call, row)))


async def get_incident(call: Call) -> Answer:
    """Return one incident."""
    async with call.services.store.read() as uow:
        found = await uow.incidents.get(call.ids["id"])
    if found is None:
        raise Missing("incident", call.ids["id"][:64])
    return Answer(200, _show(call, found))


def _show(call: Call, incident: Incident) -> IncidentOut:
    connector = call.services.router.connectors.get(incident.connector_id)
    return show_incident(incident, connector.name if connector else incident.connector_id, call.language)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/incidents",
        handler=list_incidents,
        scope="connectors:read",
        summary="List incidents of connectors",
        query=IncidentsQuery,
        answer=ListOut[IncidentOut],
    ),
    Endpoint(
        method="GET",
        path="/v1/incidents/{id:str}",
        handler=get_incident,
        scope="connectors:read",
        summary="Get an incident",
        answer=IncidentOut,
        refuses=(404,),
    ),
)
