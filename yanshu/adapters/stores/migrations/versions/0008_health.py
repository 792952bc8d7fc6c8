"""Connectors are watched: what is held of them, and what processes counted."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables of conditions and of tallies."""
    op.create_table(
        "conditions",
        *_columns(TEXT, "connector_id", "operator"),
        *_columns(sa.Integer, "weight_percent"),
        *_columns(TEXT, "breaker"),
        sa.Column("cause", TEXT, nullable=True),
        *_columns(sa.BigInteger, "moved_at", "trial_at", "probe_at"),
        *_columns(sa.Integer, "trips"),
        *_columns(sa.Boolean, "reports"),
        *_columns(sa.Integer, "version"),
        sa.PrimaryKeyConstraint("connector_id", "operator"),
    )
    op.create_table(
        "tallies",
        *_columns(TEXT, "node_id", "connector_id", "operator"),
        *_columns(sa.BigInteger, "starts"),
        *_columns(sa.Integer, "seq"),
        *_columns(TEXT, "tally"),
        sa.PrimaryKeyConstraint("node_id", "connector_id", "operator", "starts"),
    )


def _columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]
