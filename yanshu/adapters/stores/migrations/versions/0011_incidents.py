"""What is wrong with connectors, and was: incidents."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; of one thing one incident is open."""
    op.create_table(
        "incidents",
        *_columns(TEXT, "id", "kind", "connector_id"),
        *_columns(sa.BigInteger, "opened_at", "updated_at"),
        *_columns(TEXT, "operator", "detail"),
        *_columns(sa.Integer, "count"),
        sa.Column("closed_at", sa.BigInteger, nullable=True),
        *_columns(sa.Integer, "version"),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "incidents_open", "incidents", ["kind", "connector_id", "operator"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )


def _columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]
