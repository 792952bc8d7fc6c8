"""How codes are read here, where the shipped table is not right for a carrier."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, and the counter of its changes."""
    op.create_table(
        "code_overrides",
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("carrier", "code"),
    )
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "codes", "value": 0}])
