"""Customers submit over SMPP and CMPP: their binds."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of binds."""
    op.create_table(
        "binds",
        *_columns(TEXT, "id", "workspace_id"),
        *_columns(sa.Boolean, "livemode"),
        *_columns(TEXT, "name", "protocol", "system_id", "secret"),
        *_columns(sa.BigInteger, "created_at", "updated_at"),
        *_columns(TEXT, "status", "cidrs"),
        *_columns(sa.Integer, "window", "throughput", "sessions"),
        *_columns(TEXT, "lane", "senders", "alphabet"),
        *_columns(sa.Boolean, "inbound"),
        *_columns(sa.BigInteger, "position"),
        sa.Column("metadata", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("binds_system_id", "binds", ["protocol", "system_id"], unique=True)
    op.create_index("binds_workspace", "binds", ["workspace_id", "id"])


def _columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]
