"""Customers that bind to us, and what waits for them."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
