"""A submission remembers how the carrier's last word was read when it came: what follows was decided by that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the class; what was reported before has none and is read anew where it is told."""
    op.add_column("submissions", sa.Column("outcome", TEXT, nullable=True))
