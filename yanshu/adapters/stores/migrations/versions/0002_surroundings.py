"""What surrounds the path: definitions, access, webhooks, records."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables around the path."""
    _definitions()
    _access()
    _webhooks()
    _records()


def _definitions() -> None:
    """Connectors and routes."""
    op.create_table(
        "connectors",
        _column("id", TEXT),
        _column("name", TEXT),
        _column("protocol", TEXT),
        _column("host", TEXT),
        _column("port", sa.Integer),
        _column("settings", TEXT),
        _column("secret", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("window", sa.Integer),
        _column("throughput", sa.Integer),
        _column("links", sa.Integer),
        _column("sender", TEXT),
        _column("simulated", sa.Boolean),
        _column("state", TEXT),
        sa.Column("metadata", TEXT, nullable=True),
        _column("version", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "routes",
        _column("id", TEXT),
        _column("name", TEXT),
        _column("rank", sa.Integer),
        _column("connectors", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("match", TEXT),
        _column("enabled", sa.Boolean),
        sa.Column("metadata", TEXT, nullable=True),
        _column("version", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
    )


def _access() -> None:
    """Workspaces, keys, audit."""
    op.create_table(
        "api_keys",
        _column("id", TEXT),
        _column("workspace_id", TEXT),
        _column("name", TEXT),
        _column("digest", TEXT),
        _column("hint", TEXT),
        _column("livemode", sa.Boolean),
        _column("scopes", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("cidrs", TEXT),
        _column("requests_per_second", sa.Integer),
        _column("messages_per_second", sa.Integer),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.Column("last_used_at", sa.BigInteger, nullable=True),
        sa.Column("metadata", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_keys_digest", "api_keys", ["digest"], unique=True)
    op.create_index("api_keys_workspace", "api_keys", ["workspace_id", "id"])
    op.create_table(
        "audit_entries",
        _column("id", TEXT),
        sa.Column("workspace_id", TEXT, nullable=True),
        _column("actor", TEXT),
        _column("action", TEXT),
        sa.Column("object_id", TEXT, nullable=True),
        _column("address", TEXT),
        _column("created_at", sa.BigInteger),
        _column("detail", TEXT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_entries_workspace", "audit_entries", ["workspace_id", "id"])
    op.create_table(
        "workspaces",
        _column("id", TEXT),
        _column("name", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("signing_secret", TEXT),
        sa.Column("metadata", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def _webhooks() -> None:
    """Endpoints and deliveries."""
    op.create_table(
        "deliveries",
        _column("id", TEXT),
        _column("workspace_id", TEXT),
        sa.Column("endpoint_id", TEXT, nullable=True),
        _column("url", TEXT),
        _column("events", TEXT),
        _column("objects", TEXT),
        _column("status", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger, nullable=True),
        _column("attempts", sa.Integer),
        sa.Column("response_status", sa.Integer, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("took_ms", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("deliveries_endpoint", "deliveries", ["endpoint_id", "id"])
    _partial("deliveries_next", "deliveries", ["next_at"], "status = 'pending'")
    op.create_table(
        "delivery_objects",
        _column("target", TEXT),
        _column("object_id", TEXT),
        _column("delivery_id", TEXT),
        sa.PrimaryKeyConstraint("target", "object_id", "delivery_id"),
    )
    op.create_index("delivery_objects_delivery", "delivery_objects", ["delivery_id"])
    op.create_table(
        "webhook_endpoints",
        _column("id", TEXT),
        _column("workspace_id", TEXT),
        _column("url", TEXT),
        _column("events", TEXT),
        _column("secrets", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("livemode", sa.Boolean),
        _column("status", TEXT),
        _column("batch_max", sa.Integer),
        _column("batch_ms", sa.Integer),
        sa.Column("rotated_until", sa.BigInteger, nullable=True),
        sa.Column("failing_since", sa.BigInteger, nullable=True),
        _column("position", sa.BigInteger),
        sa.Column("metadata", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_endpoints_workspace", "webhook_endpoints", ["workspace_id", "id"])


def _records() -> None:
    """Idempotency, marks, leases, links, values, counters."""
    op.create_table(
        "counters",
        _column("name", TEXT),
        _column("value", sa.BigInteger),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "idempotency",
        _column("key", TEXT),
        _column("fingerprint", TEXT),
        _column("status", sa.Integer),
        _column("body", sa.LargeBinary),
        _column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("idempotency_expires", "idempotency", ["expires_at"])
    op.create_table(
        "leases",
        _column("name", TEXT),
        _column("owner", TEXT),
        _column("until", sa.BigInteger),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("leases_owner", "leases", ["owner"])
    op.create_table(
        "links",
        _column("connector_id", TEXT),
        _column("slot", sa.Integer),
        _column("node_id", TEXT),
        _column("state", TEXT),
        _column("detail", TEXT),
        _column("changed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("connector_id", "slot"),
    )
    op.create_table(
        "marks",
        _column("key", TEXT),
        _column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("marks_expires", "marks", ["expires_at"])
    op.create_table(
        "named_values",
        _column("name", TEXT),
        _column("value", TEXT),
        sa.PrimaryKeyConstraint("name"),
    )
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in ("definitions", "callbacks", "commit_offset")])


def _column(name: str, kind: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    """A column that always has a value."""
    return sa.Column(name, kind, nullable=False)


def _partial(name: str, table: str, columns: list[str | sa.TextClause], where: str) -> None:
    """An index over the rows that satisfy `where`."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
