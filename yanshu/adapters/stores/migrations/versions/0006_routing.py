"""Connectors and routes with what ranking needs."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
