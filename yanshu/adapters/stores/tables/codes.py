"""The table of codes that are read otherwise here."""

from sqlalchemy import PrimaryKeyConstraint, Table

from yanshu.adapters.stores.tables.columns import metadata, times, words

code_overrides = Table(
    "code_overrides",
    metadata,
    *words("carrier", "code", "outcome"),
    *times("updated_at"),
    *words("note", null=True),
    PrimaryKeyConstraint("carrier", "code"),
)
