"""The path of a message: messages, submissions, receipts, events, inbounds, batches."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables a message touches on its way."""
    _messages()
    _submissions()
    _receipts()
    _events()
    _inbounds()
    _batches()


def _messages() -> None:
    """Messages: the table is also the queue."""
    op.create_table(
        "messages",
        _column("id", TEXT),
        _column("workspace_id", TEXT),
        _column("livemode", sa.Boolean),
        _column("lane", TEXT),
        _column("recipient", TEXT),
        _column("sender", TEXT),
        _column("text", TEXT),
        _column("encoding", TEXT),
        _column("units", sa.Integer),
        _column("segments", sa.Integer),
        _column("status", TEXT),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("expires_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger, nullable=True),
        sa.Column("send_at", sa.BigInteger, nullable=True),
        sa.Column("submitted_at", sa.BigInteger, nullable=True),
        sa.Column("done_at", sa.BigInteger, nullable=True),
        _column("priority", sa.Integer),
        _column("risk", TEXT),
        sa.Column("batch_id", TEXT, nullable=True),
        sa.Column("connector_id", TEXT, nullable=True),
        _column("candidates", TEXT),
        _column("attempts", sa.Integer),
        sa.Column("reason_code", TEXT, nullable=True),
        sa.Column("reason_raw", TEXT, nullable=True),
        _column("duplicates_possible", sa.Boolean),
        sa.Column("client_reference", TEXT, nullable=True),
        sa.Column("callback_url", TEXT, nullable=True),
        sa.Column("metadata", TEXT, nullable=True),
        _column("version", sa.Integer),
        _column("trail", TEXT),
        sa.PrimaryKeyConstraint("id"),
    )
    _partial("messages_batch", "messages", ["batch_id", "id"], "batch_id IS NOT NULL")
    _partial("messages_due", "messages", ["due_at"], "due_at IS NOT NULL")
    _partial("messages_queue", "messages", ["connector_id", "lane", "workspace_id", sa.text("priority DESC"), "id"], "status = 'queued'")
    _partial("messages_status", "messages", ["workspace_id", "status", "id"], "status <> 'delivered'")
    op.create_index("messages_recipient", "messages", ["recipient", "id"])
    _partial("messages_reference", "messages", ["workspace_id", "client_reference", "id"], "client_reference IS NOT NULL")
    _partial(
        "messages_waiting",
        "messages",
        ["batch_id", "status", "id"],
        "batch_id IS NOT NULL AND status IN ('accepted', 'held', 'scheduled', 'queued')",
    )
    op.create_index("messages_workspace", "messages", ["workspace_id", "id"])


def _submissions() -> None:
    """Submissions."""
    op.create_table(
        "submissions",
        _column("message_id", TEXT),
        _column("attempt", sa.Integer),
        _column("segment", sa.Integer),
        _column("total", sa.Integer),
        _column("connector_id", TEXT),
        _column("recipient", TEXT),
        _column("status", TEXT),
        _column("answered_at", sa.BigInteger),
        sa.Column("carrier_message_id", TEXT, nullable=True),
        sa.Column("carrier_key", TEXT, nullable=True),
        sa.Column("code", TEXT, nullable=True),
        sa.Column("receipt_status", TEXT, nullable=True),
        sa.Column("receipt_code", TEXT, nullable=True),
        sa.Column("receipt_text", TEXT, nullable=True),
        sa.Column("receipt_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("message_id", "attempt", "segment"),
    )
    _partial("submissions_carrier", "submissions", ["carrier_key", "connector_id"], "carrier_key IS NOT NULL")


def _receipts() -> None:
    """Receipts without a submission."""
    op.create_table(
        "receipt_keys",
        _column("connector_id", TEXT),
        _column("key", TEXT),
        _column("receipt_id", TEXT),
        sa.PrimaryKeyConstraint("connector_id", "key", "receipt_id"),
    )
    op.create_index("receipt_keys_receipt", "receipt_keys", ["receipt_id"])
    op.create_table(
        "receipts",
        _column("id", TEXT),
        _column("connector_id", TEXT),
        _column("keys", TEXT),
        sa.Column("recipient", TEXT, nullable=True),
        _column("state", TEXT),
        _column("stat", TEXT),
        _column("err", TEXT),
        _column("text", TEXT),
        sa.Column("done_at", sa.BigInteger, nullable=True),
        _column("arrived_at", sa.BigInteger),
        _column("tries", sa.Integer),
        _column("next_try_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("receipts_next_try", "receipts", ["next_try_at"])


def _events() -> None:
    """The append-only history."""
    op.create_table(
        "event_packs",
        _column("commit_number", sa.BigInteger),
        _column("place", sa.Integer),
        _column("count", sa.Integer),
        _column("workspace_id", TEXT),
        _column("livemode", sa.Boolean),
        _column("types", TEXT),
        _column("called_back", sa.Boolean),
        sa.Column("object_id", TEXT, nullable=True),
        _column("created_at", sa.BigInteger),
        _column("body", TEXT),
        sa.PrimaryKeyConstraint("commit_number", "place"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Its compression costs more CPU per event than all the rest of writing a pack.
        op.execute("ALTER TABLE event_packs ALTER COLUMN body SET STORAGE EXTERNAL")
    op.create_index("event_packs_workspace", "event_packs", ["workspace_id", "commit_number", "place"])
    op.create_index("event_packs_created", "event_packs", ["workspace_id", "created_at"])
    _partial("event_packs_object", "event_packs", ["object_id"], "object_id IS NOT NULL")


def _inbounds() -> None:
    """Inbounds and their parts."""
    op.create_table(
        "inbound_digests",
        _column("digest", TEXT),
        _column("seen_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("inbound_digests_seen", "inbound_digests", ["seen_at"])
    op.create_table(
        "inbound_parts",
        _column("id", TEXT),
        _column("connector_id", TEXT),
        _column("sender", TEXT),
        _column("recipient", TEXT),
        _column("text", TEXT),
        _column("raw", sa.LargeBinary),
        _column("part", sa.Integer),
        _column("parts", sa.Integer),
        _column("reference", sa.Integer),
        _column("arrived_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inbound_parts_arrived", "inbound_parts", ["arrived_at"])
    op.create_index(
        "inbound_parts_place", "inbound_parts", ["connector_id", "sender", "recipient", "reference", "parts", "part"], unique=True
    )
    op.create_table(
        "inbounds",
        _column("id", TEXT),
        sa.Column("workspace_id", TEXT, nullable=True),
        _column("livemode", sa.Boolean),
        _column("connector_id", TEXT),
        _column("sender", TEXT),
        _column("recipient", TEXT),
        sa.Column("extension", TEXT, nullable=True),
        _column("text", TEXT),
        _column("parts", sa.Integer),
        _column("complete", sa.Boolean),
        sa.Column("in_reply_to", TEXT, nullable=True),
        _column("created_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inbounds_sender", "inbounds", ["workspace_id", "sender", "id"])
    op.create_index("inbounds_workspace", "inbounds", ["workspace_id", "id"])


def _batches() -> None:
    """Batches, counters, upload rows."""
    op.create_table(
        "batch_counts",
        _column("batch_id", TEXT),
        _column("status", TEXT),
        _column("n", sa.Integer),
        sa.PrimaryKeyConstraint("batch_id", "status"),
    )
    op.create_table(
        "batch_rows",
        _column("batch_id", TEXT),
        _column("line", sa.Integer),
        _column("to", TEXT),
        sa.Column("params", TEXT, nullable=True),
        sa.Column("client_reference", TEXT, nullable=True),
        sa.Column("code", TEXT, nullable=True),
        sa.Column("problem", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "line"),
    )
    _partial("batch_rows_bad", "batch_rows", ["batch_id", "line"], "code IS NOT NULL")
    op.create_table(
        "batches",
        _column("id", TEXT),
        _column("workspace_id", TEXT),
        _column("livemode", sa.Boolean),
        _column("status", TEXT),
        _column("send", sa.LargeBinary),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        sa.Column("send_at", sa.BigInteger, nullable=True),
        _column("total", sa.Integer),
        _column("expanded", sa.Integer),
        _column("invalid", sa.Integer),
        sa.Column("started_at", sa.BigInteger, nullable=True),
        sa.Column("done_at", sa.BigInteger, nullable=True),
        sa.Column("metadata", TEXT, nullable=True),
        _column("version", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batches_status", "batches", ["status", "id"])
    op.create_index("batches_workspace", "batches", ["workspace_id", "id"])


def _column(name: str, kind: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    """A column that always has a value."""
    return sa.Column(name, kind, nullable=False)


def _partial(name: str, table: str, columns: list[str | sa.TextClause], where: str) -> None:
    """An index over the rows that satisfy `where`."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
