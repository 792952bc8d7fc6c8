"""Tables of customers' binds."""

from sqlalchemy import BigInteger, Column, Index, Table

from yanshu.adapters.stores.tables.columns import flags, key, metadata, numbers, times, words

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
