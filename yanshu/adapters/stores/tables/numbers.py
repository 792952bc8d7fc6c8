"""Tables of numbers: what was learned about them."""

from sqlalchemy import Index, Table

from yanshu.adapters.stores.tables.columns import key, metadata, numbers, times, words

lessons = Table(
    "lessons",
    metadata,
    key("number"),
    *times("updated_at", "expires_at"),
    *words("operator", "source", null=True),
    *numbers("confidence"),
    *words("evidence", null=True),
    *times("learned_at", "trusted_until", null=True),
    *words("moved_from", "strikes"),
    *times("dead_since", "probe_at", null=True),
)
Index("lessons_expires", lessons.c.expires_at)
Index("lessons_updated", lessons.c.updated_at, lessons.c.number)
