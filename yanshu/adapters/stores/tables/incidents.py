"""Table of incidents."""

from sqlalchemy import Index, Table

from yanshu.adapters.stores.tables.columns import key, metadata, numbers, times, words

# `operator` is empty when it is about all numbers.
incidents = Table(
    "incidents",
    metadata,
    key(),
    *words("kind", "connector_id"),
    *times("opened_at", "updated_at"),
    *words("operator", "detail"),
    *numbers("count"),
    *times("closed_at", null=True),
    *numbers("version"),
)
_OPEN = incidents.c.closed_at.is_(None)
Index(
    "incidents_open",
    incidents.c.kind,
    incidents.c.connector_id,
    incidents.c.operator,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
