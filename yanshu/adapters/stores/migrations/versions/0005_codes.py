"""Receipt codes that an installation reads otherwise than the table shipped."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing yet."""
