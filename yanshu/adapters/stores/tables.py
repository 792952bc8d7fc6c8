"""The schema, once, for SQLite and PostgreSQL: text ids, times as microseconds since 1970 UTC, JSON and enums as text."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects import postgresql

metadata = MetaData()

# Ids and keys compare by byte on both engines, so that key ranges and keyset pages agree.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

# Predicates of partial indexes. Queries repeat them word for word: SQLite uses a partial index only then.
QUEUED = "status = 'queued'"
UNDONE = "status <> 'delivered'"
WAITING = "status IN ('accepted', 'held', 'scheduled', 'queued')"


def _words(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of text."""
    return [Column(name, TEXT, nullable=null) for name in names]


def _times(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of microseconds since 1970 UTC."""
    return [Column(name, BigInteger, nullable=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of whole numbers."""
    return [Column(name, Integer, nullable=null) for name in names]


def _flags(*names: str) -> list[Column[Any]]:
    """Columns of booleans."""
    return [Column(name, Boolean, nullable=False) for name in names]


def _partial(name: str, *columns: Any, where: str) -> Index:
    """An index over the rows that satisfy `where`."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _key(name: str = "id") -> Column[Any]:
    """A text primary key."""
    return Column(name, TEXT, primary_key=True)


# Columns stand in the order of the struct's fields: the hot path writes and reads rows by position.
messages = Table(
    "messages",
    metadata,
    _key(),
    *_words("workspace_id"),
    *_flags("livemode"),
    *_words("lane", "recipient", "sender", "text", "encoding"),
    *_numbers("units", "segments"),
    *_words("status"),
    *_times("created_at", "updated_at", "expires_at"),
    *_times("due_at", "send_at", "submitted_at", "done_at", null=True),
    *_numbers("priority"),
    *_words("risk"),
    *_words("batch_id", "connector_id", null=True),
    *_words("candidates"),
    *_numbers("attempts"),
    *_words("reason_code", "reason_raw", null=True),
    *_flags("duplicates_possible"),
    *_words("client_reference", "callback_url", "metadata", null=True),
    *_numbers("version"),
    # Commit numbers of the transactions that appended to the message's history, oldest first, with commas between.
    *_words("trail"),
)
Index("messages_workspace", messages.c.workspace_id, messages.c.id)
Index("messages_recipient", messages.c.recipient, messages.c.id)
_partial(
    "messages_queue",
    messages.c.connector_id,
    messages.c.lane,
    messages.c.workspace_id,
    messages.c.priority.desc(),
    messages.c.id,
    where=QUEUED,
)
_partial("messages_due", messages.c.due_at, where="due_at IS NOT NULL")
_partial("messages_status", messages.c.workspace_id, messages.c.status, messages.c.id, where=UNDONE)
_partial("messages_batch", messages.c.batch_id, messages.c.id, where="batch_id IS NOT NULL")
_partial("messages_waiting", messages.c.batch_id, messages.c.status, messages.c.id, where=f"batch_id IS NOT NULL AND {WAITING}")
_partial(
    "messages_reference",
    messages.c.workspace_id,
    messages.c.client_reference,
    messages.c.id,
    where="client_reference IS NOT NULL",
)

submissions = Table(
    "submissions",
    metadata,
    *_words("message_id"),
    *_numbers("attempt", "segment", "total"),
    *_words("connector_id", "recipient", "status"),
    *_times("answered_at"),
    *_words("carrier_message_id", "carrier_key", "code", "receipt_status", "receipt_code", "receipt_text", null=True),
    *_times("receipt_at", null=True),
    PrimaryKeyConstraint("message_id", "attempt", "segment"),
)
_partial("submissions_carrier", submissions.c.carrier_key, submissions.c.connector_id, where="carrier_key IS NOT NULL")

receipts = Table(
    "receipts",
    metadata,
    _key(),
    *_words("connector_id", "keys"),
    *_words("recipient", null=True),
    *_words("state", "stat", "err", "text"),
    *_times("done_at", null=True),
    *_times("arrived_at"),
    *_numbers("tries"),
    *_times("next_try_at"),
)
Index("receipts_next_try", receipts.c.next_try_at)

receipt_keys = Table(
    "receipt_keys",
    metadata,
    *_words("connector_id", "key", "receipt_id"),
    PrimaryKeyConstraint("connector_id", "key", "receipt_id"),
)
Index("receipt_keys_receipt", receipt_keys.c.receipt_id)

# One row for all events that one call appends for one workspace: see packs.py and ADR 0006.
event_packs = Table(
    "event_packs",
    metadata,
    # SQLite counts; on PostgreSQL it follows from the transaction's id, see postgres/history.py.
    Column("commit_number", BigInteger, nullable=False),
    *_numbers("place", "count"),
    *_words("workspace_id"),
    *_flags("livemode"),
    *_words("types"),
    *_flags("called_back"),
    *_words("object_id", null=True),
    *_times("created_at"),
    *_words("body"),
    PrimaryKeyConstraint("commit_number", "place"),
)
Index("event_packs_workspace", event_packs.c.workspace_id, event_packs.c.commit_number, event_packs.c.place)
Index("event_packs_created", event_packs.c.workspace_id, event_packs.c.created_at)
_partial("event_packs_object", event_packs.c.object_id, where="object_id IS NOT NULL")

inbounds = Table(
    "inbounds",
    metadata,
    _key(),
    *_words("workspace_id", null=True),
    *_flags("livemode"),
    *_words("connector_id", "sender", "recipient"),
    *_words("extension", null=True),
    *_words("text"),
    *_numbers("parts"),
    *_flags("complete"),
    *_words("in_reply_to", null=True),
    *_times("created_at"),
)
Index("inbounds_workspace", inbounds.c.workspace_id, inbounds.c.id)
Index("inbounds_sender", inbounds.c.workspace_id, inbounds.c.sender, inbounds.c.id)

inbound_parts = Table(
    "inbound_parts",
    metadata,
    _key(),
    *_words("connector_id", "sender", "recipient", "text"),
    Column("raw", LargeBinary, nullable=False),
    *_numbers("part", "parts", "reference"),
    *_times("arrived_at"),
)
PART_PLACE = ("connector_id", "sender", "recipient", "reference", "parts", "part")
Index("inbound_parts_place", *(inbound_parts.c[name] for name in PART_PLACE), unique=True)
Index("inbound_parts_arrived", inbound_parts.c.arrived_at)

inbound_digests = Table("inbound_digests", metadata, _key("digest"), *_times("seen_at"))
Index("inbound_digests_seen", inbound_digests.c.seen_at)

batches = Table(
    "batches",
    metadata,
    _key(),
    *_words("workspace_id"),
    *_flags("livemode"),
    *_words("status"),
    Column("send", LargeBinary, nullable=False),
    *_times("created_at", "updated_at"),
    *_times("send_at", null=True),
    *_numbers("total", "expanded", "invalid", "last_line"),
    *_times("started_at", "done_at", null=True),
    *_words("metadata", null=True),
    *_numbers("version"),
)
Index("batches_workspace", batches.c.workspace_id, batches.c.id)
Index("batches_status", batches.c.status, batches.c.id)

batch_counts = Table("batch_counts", metadata, *_words("batch_id", "status"), *_numbers("n"), PrimaryKeyConstraint("batch_id", "status"))

batch_rows = Table(
    "batch_rows",
    metadata,
    *_words("batch_id"),
    *_numbers("line"),
    Column("to", TEXT, nullable=False),
    *_words("params", "client_reference", "code", "problem", null=True),
    PrimaryKeyConstraint("batch_id", "line"),
)
_partial("batch_rows_bad", batch_rows.c.batch_id, batch_rows.c.line, where="code IS NOT NULL")

connectors = Table(
    "connectors",
    metadata,
    _key(),
    *_words("name", "protocol", "host"),
    *_numbers("port"),
    *_words("settings", "secret"),
    *_times("created_at", "updated_at"),
    *_numbers("window", "throughput", "links"),
    *_words("sender"),
    *_flags("simulated"),
    *_words("state"),
    *_words("metadata", null=True),
    *_numbers("version"),
)

routes = Table(
    "routes",
    metadata,
    _key(),
    *_words("name"),
    *_numbers("rank"),
    *_words("connectors"),
    *_times("created_at", "updated_at"),
    *_words("match"),
    *_flags("enabled"),
    *_words("metadata", null=True),
    *_numbers("version"),
)

workspaces = Table(
    "workspaces",
    metadata,
    _key(),
    *_words("name"),
    *_times("created_at", "updated_at"),
    *_words("signing_secret"),
    *_words("metadata", null=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    _key(),
    *_words("workspace_id", "name", "digest", "hint"),
    *_flags("livemode"),
    *_words("scopes"),
    *_times("created_at", "updated_at"),
    *_words("cidrs"),
    *_numbers("requests_per_second", "messages_per_second"),
    *_times("expires_at", "revoked_at", "last_used_at", null=True),
    *_words("metadata", null=True),
)
Index("api_keys_digest", api_keys.c.digest, unique=True)
Index("api_keys_workspace", api_keys.c.workspace_id, api_keys.c.id)

audit_entries = Table(
    "audit_entries",
    metadata,
    _key(),
    *_words("workspace_id", null=True),
    *_words("actor", "action"),
    *_words("object_id", null=True),
    *_words("address"),
    *_times("created_at"),
    *_words("detail"),
)
Index("audit_entries_workspace", audit_entries.c.workspace_id, audit_entries.c.id)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    _key(),
    *_words("workspace_id", "url", "events", "secrets"),
    *_times("created_at", "updated_at"),
    *_flags("livemode"),
    *_words("status"),
    *_numbers("batch_max", "batch_ms"),
    *_times("rotated_until", "failing_since", null=True),
    Column("position", BigInteger, nullable=False),
    *_words("metadata", null=True),
)
Index("webhook_endpoints_workspace", webhook_endpoints.c.workspace_id, webhook_endpoints.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    _key(),
    *_words("workspace_id"),
    *_words("endpoint_id", null=True),
    *_words("url", "events", "objects", "status"),
    *_times("created_at", "updated_at"),
    *_times("next_at", null=True),
    *_numbers("attempts"),
    *_numbers("response_status", null=True),
    *_words("error", null=True),
    *_numbers("took_ms", null=True),
)
_partial("deliveries_next", deliveries.c.next_at, where="status = 'pending'")
Index("deliveries_endpoint", deliveries.c.endpoint_id, deliveries.c.id)

# One row per pending delivery and object: what keeps an object's events in order per target (endpoint id or URL).
delivery_objects = Table(
    "delivery_objects",
    metadata,
    *_words("target", "object_id", "delivery_id"),
    PrimaryKeyConstraint("target", "object_id", "delivery_id"),
)
Index("delivery_objects_delivery", delivery_objects.c.delivery_id)

idempotency = Table(
    "idempotency",
    metadata,
    _key("key"),
    *_words("fingerprint"),
    *_numbers("status"),
    Column("body", LargeBinary, nullable=False),
    *_times("expires_at"),
)
Index("idempotency_expires", idempotency.c.expires_at)

marks = Table("marks", metadata, _key("key"), *_times("expires_at"))
Index("marks_expires", marks.c.expires_at)

leases = Table("leases", metadata, _key("name"), *_words("owner"), *_times("until"))
Index("leases_owner", leases.c.owner)

links = Table(
    "links",
    metadata,
    *_words("connector_id"),
    *_numbers("slot"),
    *_words("node_id", "state", "detail"),
    *_times("changed_at"),
    PrimaryKeyConstraint("connector_id", "slot"),
)

named_values = Table("named_values", metadata, _key("name"), *_words("value"))

# Rows exist from the first migration on: `definitions` (revision), `callbacks` (position) and `commit_offset` (postgres/history.py).
counters = Table("counters", metadata, _key("name"), Column("value", BigInteger, nullable=False))
