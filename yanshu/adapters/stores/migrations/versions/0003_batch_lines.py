"""A batch remembers the last line it took, apart from how many rows became messages: files have headings and empty lines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the line; until now `expanded` held it."""
    op.add_column("batches", sa.Column("last_line", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE batches SET last_line = expanded")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("batches", "last_line", server_default=None)
