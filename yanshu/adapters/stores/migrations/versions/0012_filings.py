"""Connectors know which signatures are filed with their carriers, and which senders they take."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns: nothing is filed, nothing has to be, and every sender is taken."""
    _add("filings", TEXT, "[]")
    _add("requires_filing", sa.Boolean(), sa.false())
    _add("sender_length", sa.Integer(), "20")
    _add("own_senders", sa.Boolean(), sa.true())


def _add(column: str, kind: Any, default: Any) -> None:
    op.add_column("connectors", sa.Column(column, kind, nullable=False, server_default=default))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("connectors", column, server_default=None)
