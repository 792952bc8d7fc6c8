"""What is known of numbers: operator learned, dead or alive."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet."""
