"""Shapes of incidents."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from yanshu.domain.incidents import Incident, IncidentKind
from yanshu.domain.numbers import Operator
from yanshu.edge.api.paging import PageQuery


class IncidentsQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filters of incidents."""

    status: Literal["open", "closed"] | None = None
    connector: Annotated[str, Meta(max_length=64)] | None = None


class IncidentOut(Struct, kw_only=True):
    """Something that is wrong with a connector, or was. `sentence` says what to do, in the caller's language.

    `count` is how often it has begun since it was opened; `operator` null: with all numbers.
    """

    id: str
    object: Literal["incident"] = "incident"
    kind: IncidentKind
    connector: str
    operator: Operator | None
    status: Literal["open", "closed"]
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    count: int
    detail: str
    sentence: str


def show_incident(incident: Incident, name: str, language: str) -> IncidentOut:
    """Return the wire form; `name` is the connector's."""
    return IncidentOut(
        id=incident.id,
        kind=incident.kind,
        connector=incident.connector_id,
        operator=incident.operator,
        status="open" if incident.closed_at is None else "closed",
        opened_at=incident.opened_at,
        updated_at=incident.updated_at,
        closed_at=incident.closed_at,
        count=incident.count,
        detail=incident.detail,
        sentence=incident.sentence(name, language),
    )
