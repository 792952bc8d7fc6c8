"""What customers submit over their binds, and what they are owed: parts of long texts, tickets, deliveries."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the three tables."""
    _parts()
    _tickets()
    _deliveries()


def _parts() -> None:
    """Segments that wait for their siblings."""
    op.create_table(
        "bind_parts",
        *_columns(TEXT, "id", "bind_id", "group"),
        *_columns(sa.Integer, "part", "parts"),
        *_columns(TEXT, "submit"),
        *_columns(sa.BigInteger, "arrived_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("bind_parts_place", "bind_parts", ["bind_id", "group", "part"], unique=True)


def _tickets() -> None:
    """Which submit became which message."""
    op.create_table(
        "bind_tickets",
        *_columns(TEXT, "message_id"),
        *_columns(sa.Integer, "segment"),
        *_columns(TEXT, "bind_id", "ident", "source", "destination", "wanted"),
        *_columns(sa.BigInteger, "created_at"),
        sa.Column("finished_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("message_id", "segment"),
    )
    op.create_index("bind_tickets_bind", "bind_tickets", ["bind_id"])
    finished = sa.text("finished_at IS NOT NULL")
    op.create_index("bind_tickets_finished", "bind_tickets", ["finished_at"], sqlite_where=finished, postgresql_where=finished)


def _deliveries() -> None:
    """Receipts and texts until they are acknowledged."""
    op.create_table(
        "bind_deliveries",
        *_columns(TEXT, "id", "bind_id", "object_id"),
        *_columns(sa.BigInteger, "created_at", "expires_at", "next_at"),
        *_columns(sa.Integer, "attempts"),
        sa.Column("receipt", TEXT, nullable=True),
        sa.Column("text", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("bind_deliveries_object", "bind_deliveries", ["bind_id", "object_id", "id"])
    op.create_index("bind_deliveries_next", "bind_deliveries", ["bind_id", "next_at"])
    op.create_index("bind_deliveries_expires", "bind_deliveries", ["expires_at"])


def _columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]
