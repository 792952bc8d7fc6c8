"""Health of connectors over time."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
