"""Tables of what surrounds the path: definitions, access, webhooks, records."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table

from yanshu.adapters.stores.tables.columns import flags, key, metadata, numbers, partial, times, words

connectors = Table(
    "connectors",
    metadata,
    key(),
    *words("name", "protocol", "host"),
    *numbers("port"),
    *words("settings", "secret"),
    *times("created_at", "updated_at"),
    *numbers("window", "throughput", "links"),
    *words("sender"),
    *flags("simulated"),
    *words("prices", "filings"),
    *flags("requires_filing"),
    *numbers("sender_length"),
    *flags("own_senders"),
    *words("state"),
    *words("metadata", null=True),
    *numbers("version"),
)

routes = Table(
    "routes",
    metadata,
    key(),
    *words("name"),
    *numbers("rank"),
    *words("pool"),
    *times("created_at", "updated_at"),
    *words("match", "prefer"),
    *flags("enabled"),
    *words("metadata", null=True),
    *numbers("version"),
)

workspaces = Table(
    "workspaces",
    metadata,
    key(),
    *words("name"),
    *times("created_at", "updated_at"),
    *words("signing_secret"),
    *words("metadata", null=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    *words("workspace_id", "name", "digest", "hint"),
    *flags("livemode"),
    *words("scopes"),
    *times("created_at", "updated_at"),
    *words("cidrs"),
    *numbers("requests_per_second", "messages_per_second"),
    *times("expires_at", "revoked_at", "last_used_at", null=True),
    *words("metadata", null=True),
)
Index("api_keys_digest", api_keys.c.digest, unique=True)
Index("api_keys_workspace", api_keys.c.workspace_id, api_keys.c.id)

audit_entries = Table(
    "audit_entries",
    metadata,
    key(),
    *words("workspace_id", null=True),
    *words("actor", "action"),
    *words("object_id", null=True),
    *words("address"),
    *times("created_at"),
    *words("detail"),
)
Index("audit_entries_workspace", audit_entries.c.workspace_id, audit_entries.c.id)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    key(),
    *words("workspace_id", "url", "events", "secrets"),
    *times("created_at", "updated_at"),
    *flags("livemode"),
    *words("status"),
    *numbers("batch_max", "batch_ms"),
    *times("rotated_until", "failing_since", null=True),
    Column("position", BigInteger, nullable=False),
    *words("metadata", null=True),
)
Index("webhook_endpoints_workspace", webhook_endpoints.c.workspace_id, webhook_endpoints.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    key(),
    *words("workspace_id"),
    *words("endpoint_id", null=True),
    *words("url", "events", "objects", "status"),
    *times("created_at", "updated_at"),
    *times("next_at", null=True),
    *numbers("attempts"),
    *numbers("response_status", null=True),
    *words("error", null=True),
    *numbers("took_ms", null=True),
)
partial("deliveries_next", deliveries.c.next_at, where="status = 'pending'")
Index("deliveries_endpoint", deliveries.c.endpoint_id, deliveries.c.id)

# One row per pending delivery and object: what keeps an object's events in order per target (endpoint id or URL).
delivery_objects = Table(
    "delivery_objects",
    metadata,
    *words("target", "object_id", "delivery_id"),
    PrimaryKeyConstraint("target", "object_id", "delivery_id"),
)
Index("delivery_objects_delivery", delivery_objects.c.delivery_id)

idempotency = Table(
    "idempotency",
    metadata,
    key("key"),
    *words("fingerprint"),
    *numbers("status"),
    Column("body", LargeBinary, nullable=False),
    *times("expires_at"),
)
Index("idempotency_expires", idempotency.c.expires_at)

marks = Table("marks", metadata, key("key"), *times("expires_at"))
Index("marks_expires", marks.c.expires_at)

leases = Table("leases", metadata, key("name"), *words("owner"), *times("until"))
Index("leases_owner", leases.c.owner)

links = Table(
    "links",
    metadata,
    *words("connector_id"),
    *numbers("slot"),
    *words("node_id", "state", "detail"),
    *times("changed_at"),
    PrimaryKeyConstraint("connector_id", "slot"),
)

named_values = Table("named_values", metadata, key("name"), *words("value"))

# Rows exist from the first migration on: `definitions` (revision), `callbacks` (position) and `commit_offset` (postgres/history.py).
counters = Table("counters", metadata, key("name"), Column("value", BigInteger, nullable=False))
