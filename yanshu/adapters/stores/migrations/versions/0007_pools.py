"""Connectors have prices, and routes have pools: connectors with priority and weight instead of a plain list."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_ROUTES = sa.table("routes", sa.column("id", sa.Text), sa.column("pool", sa.Text))


def upgrade() -> None:
    """Add the columns; each connector of a list gets a priority of its own, so that it is tried when it was before."""
    _add("connectors", "prices", "[]")
    _add("routes", "prefer", "weight")
    op.execute("ALTER TABLE routes RENAME COLUMN connectors TO pool")
    bind = op.get_bind()
    for ident, listed in bind.execute(sa.select(_ROUTES.c.id, _ROUTES.c.pool)).fetchall():
        pool = [{"connector_id": connector, "priority": place, "weight": 100} for place, connector in enumerate(json.loads(listed), 1)]
        bind.execute(sa.update(_ROUTES).where(_ROUTES.c.id == ident).values(pool=json.dumps(pool)))


def _add(table: str, column: str, default: str) -> None:
    op.add_column(table, sa.Column(column, TEXT, nullable=False, server_default=default))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(table, column, server_default=None)
