"""What was learned about numbers: who serves them, and which of them are dead."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of lessons."""
    op.create_table(
        "lessons",
        sa.Column("number", TEXT, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("operator", TEXT),
        sa.Column("source", TEXT),
        sa.Column("confidence", sa.Integer, nullable=False),
        sa.Column("evidence", TEXT),
        sa.Column("learned_at", sa.BigInteger),
        sa.Column("trusted_until", sa.BigInteger),
        sa.Column("moved_from", TEXT, nullable=False),
        sa.Column("strikes", TEXT, nullable=False),
        sa.Column("dead_since", sa.BigInteger),
        sa.Column("probe_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("lessons_expires", "lessons", ["expires_at"])
    op.create_index("lessons_updated", "lessons", ["updated_at", "number"])
