"""Tables of customers' binds: the binds, parts of long texts, tickets, and what is owed."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table

from yanshu.adapters.stores.tables.columns import flags, key, metadata, numbers, partial, times, words

binds = Table(
    "binds",
    metadata,
    key(),
    *words("workspace_id"),
    *flags("livemode"),
    *words("name", "protocol", "system_id", "secret"),
    *times("created_at", "updated_at"),
    *words("status", "cidrs"),
    *numbers("window", "throughput", "sessions"),
    *words("lane", "senders", "alphabet"),
    *flags("inbound"),
    Column("position", BigInteger, nullable=False),
    *words("metadata", null=True),
)
Index("binds_system_id", binds.c.protocol, binds.c.system_id, unique=True)
Index("binds_workspace", binds.c.workspace_id, binds.c.id)

bind_parts = Table(
    "bind_parts",
    metadata,
    key(),
    *words("bind_id", "group"),
    *numbers("part", "parts"),
    *words("submit"),
    *times("arrived_at"),
)
Index("bind_parts_place", bind_parts.c.bind_id, bind_parts.c.group, bind_parts.c.part, unique=True)

bind_tickets = Table(
    "bind_tickets",
    metadata,
    *words("message_id"),
    *numbers("segment"),
    *words("bind_id", "ident", "source", "destination", "wanted"),
    *times("created_at"),
    *times("finished_at", null=True),
    PrimaryKeyConstraint("message_id", "segment"),
)
Index("bind_tickets_bind", bind_tickets.c.bind_id)
partial("bind_tickets_finished", bind_tickets.c.finished_at, where="finished_at IS NOT NULL")

bind_deliveries = Table(
    "bind_deliveries",
    metadata,
    key(),
    *words("bind_id", "object_id"),
    *times("created_at", "expires_at", "next_at"),
    *numbers("attempts"),
    *words("receipt", "text", null=True),
)
Index("bind_deliveries_object", bind_deliveries.c.bind_id, bind_deliveries.c.object_id, bind_deliveries.c.id)
Index("bind_deliveries_next", bind_deliveries.c.bind_id, bind_deliveries.c.next_at)
Index("bind_deliveries_expires", bind_deliveries.c.expires_at)
