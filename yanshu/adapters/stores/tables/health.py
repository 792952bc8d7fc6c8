"""Tables of health: conditions of connectors, and what processes counted."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table

from yanshu.adapters.stores.tables.columns import flags, metadata, numbers, times, words

# One row a connector, and one more for each operator with whose numbers something was amiss; `operator` is empty for the first.
conditions = Table(
    "conditions",
    metadata,
    *words("connector_id", "operator"),
    *numbers("weight_percent"),
    *words("breaker"),
    *words("cause", null=True),
    *times("moved_at", "trial_at", "probe_at"),
    *numbers("trips"),
    *flags("reports"),
    *numbers("version"),
    PrimaryKeyConstraint("connector_id", "operator"),
)

tallies = Table(
    "tallies",
    metadata,
    *words("node_id", "connector_id", "operator"),
    Column("starts", BigInteger, nullable=False),
    *numbers("seq"),
    *words("tally"),
    PrimaryKeyConstraint("node_id", "connector_id", "operator", "starts"),
)
