"""Tables of the message's path: messages, submissions, receipts, events, inbounds, batches."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table

from yanshu.adapters.stores.tables.columns import TEXT, flags, key, metadata, numbers, partial, times, words

# Predicates of partial indexes. Queries repeat them word for word: SQLite uses a partial index only then.
QUEUED = "status = 'queued'"
UNDONE = "status <> 'delivered'"
WAITING = "status IN ('accepted', 'held', 'scheduled', 'queued')"

# Columns stand in the order of the struct's fields: the hot path writes and reads rows by position.
messages = Table(
    "messages",
    metadata,
    key(),
    *words("workspace_id"),
    *flags("livemode"),
    *words("lane", "recipient", "sender", "text", "encoding"),
    *numbers("units", "segments"),
    *words("status"),
    *times("created_at", "updated_at", "expires_at"),
    *times("due_at", "send_at", "submitted_at", "done_at", null=True),
    *numbers("priority"),
    *words("risk"),
    *words("batch_id", "connector_id", null=True),
    *words("candidates"),
    *numbers("attempts"),
    *words("reason_code", "reason_raw", null=True),
    *flags("duplicates_possible"),
    *words("client_reference", "callback_url", "metadata", null=True),
    *numbers("version"),
    # Commit numbers of the transactions that appended to the message's history, oldest first, with commas between.
    *words("trail"),
)
Index("messages_workspace", messages.c.workspace_id, messages.c.id)
Index("messages_recipient", messages.c.recipient, messages.c.id)
partial(
    "messages_queue",
    messages.c.connector_id,
    messages.c.lane,
    messages.c.workspace_id,
    messages.c.priority.desc(),
    messages.c.id,
    where=QUEUED,
)
partial("messages_due", messages.c.due_at, where="due_at IS NOT NULL")
partial("messages_status", messages.c.workspace_id, messages.c.status, messages.c.id, where=UNDONE)
partial("messages_batch", messages.c.batch_id, messages.c.id, where="batch_id IS NOT NULL")
partial("messages_waiting", messages.c.batch_id, messages.c.status, messages.c.id, where=f"batch_id IS NOT NULL AND {WAITING}")
partial(
    "messages_reference",
    messages.c.workspace_id,
    messages.c.client_reference,
    messages.c.id,
    where="client_reference IS NOT NULL",
)

submissions = Table(
    "submissions",
    metadata,
    *words("message_id"),
    *numbers("attempt", "segment", "total"),
    *words("connector_id", "recipient", "status"),
    *times("answered_at"),
    *words("carrier_message_id", "carrier_key", "code", "receipt_status", "receipt_code", "receipt_text", null=True),
    *times("receipt_at", null=True),
    *words("outcome", null=True),
    PrimaryKeyConstraint("message_id", "attempt", "segment"),
)
partial("submissions_carrier", submissions.c.carrier_key, submissions.c.connector_id, where="carrier_key IS NOT NULL")

receipts = Table(
    "receipts",
    metadata,
    key(),
    *words("connector_id", "keys"),
    *words("recipient", null=True),
    *words("state", "stat", "err", "text"),
    *times("done_at", null=True),
    *times("arrived_at"),
    *numbers("tries"),
    *times("next_try_at"),
)
Index("receipts_next_try", receipts.c.next_try_at)

receipt_keys = Table(
    "receipt_keys",
    metadata,
    *words("connector_id", "key", "receipt_id"),
    PrimaryKeyConstraint("connector_id", "key", "receipt_id"),
)
Index("receipt_keys_receipt", receipt_keys.c.receipt_id)

# One row for all events that one call appends for one workspace: see packs.py and ADR 0006.
event_packs = Table(
    "event_packs",
    metadata,
    # SQLite counts; on PostgreSQL it follows from the transaction's id, see postgres/history.py.
    Column("commit_number", BigInteger, nullable=False),
    *numbers("place", "count"),
    *words("workspace_id"),
    *flags("livemode"),
    *words("types"),
    *flags("called_back"),
    *words("object_id", null=True),
    *times("created_at"),
    *words("body"),
    PrimaryKeyConstraint("commit_number", "place"),
)
Index("event_packs_workspace", event_packs.c.workspace_id, event_packs.c.commit_number, event_packs.c.place)
Index("event_packs_created", event_packs.c.workspace_id, event_packs.c.created_at)
partial("event_packs_object", event_packs.c.object_id, where="object_id IS NOT NULL")

inbounds = Table(
    "inbounds",
    metadata,
    key(),
    *words("workspace_id", null=True),
    *flags("livemode"),
    *words("connector_id", "sender", "recipient"),
    *words("extension", null=True),
    *words("text"),
    *numbers("parts"),
    *flags("complete"),
    *words("in_reply_to", null=True),
    *times("created_at"),
)
Index("inbounds_workspace", inbounds.c.workspace_id, inbounds.c.id)
Index("inbounds_sender", inbounds.c.workspace_id, inbounds.c.sender, inbounds.c.id)

inbound_parts = Table(
    "inbound_parts",
    metadata,
    key(),
    *words("connector_id", "sender", "recipient", "text"),
    Column("raw", LargeBinary, nullable=False),
    *numbers("part", "parts", "reference"),
    *times("arrived_at"),
)
PART_PLACE = ("connector_id", "sender", "recipient", "reference", "parts", "part")
Index("inbound_parts_place", *(inbound_parts.c[name] for name in PART_PLACE), unique=True)
Index("inbound_parts_arrived", inbound_parts.c.arrived_at)

inbound_digests = Table("inbound_digests", metadata, key("digest"), *times("seen_at"))
Index("inbound_digests_seen", inbound_digests.c.seen_at)

batches = Table(
    "batches",
    metadata,
    key(),
    *words("workspace_id"),
    *flags("livemode"),
    *words("status"),
    Column("send", LargeBinary, nullable=False),
    *times("created_at", "updated_at"),
    *times("send_at", null=True),
    *numbers("total", "expanded", "invalid", "last_line"),
    *times("started_at", "done_at", null=True),
    *words("metadata", null=True),
    *numbers("version"),
)
Index("batches_workspace", batches.c.workspace_id, batches.c.id)
Index("batches_status", batches.c.status, batches.c.id)

batch_counts = Table("batch_counts", metadata, *words("batch_id", "status"), *numbers("n"), PrimaryKeyConstraint("batch_id", "status"))

batch_rows = Table(
    "batch_rows",
    metadata,
    *words("batch_id"),
    *numbers("line"),
    Column("to", TEXT, nullable=False),
    *words("params", "client_reference", "code", "problem", null=True),
    PrimaryKeyConstraint("batch_id", "line"),
)
partial("batch_rows_bad", batch_rows.c.batch_id, batch_rows.c.line, where="code IS NOT NULL")
