"""The seam to the store, health: what is held of connectors, and the counts that processes share."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from yanshu.domain.health import Bucket, Condition


class Healths(Protocol):
    """Conditions by connector and operator, and buckets by process."""

    async def conditions(self) -> list[Condition]:
        """All, by connector and operator."""

    async def move(self, condition: Condition) -> bool:
        """Write it if the stored version is `condition.version - 1` (0: none is stored); whether it was."""

    async def count(self, buckets: Sequence[Bucket]) -> None:
        """Insert, or replace those of the same process, connector, operator and second."""

    async def buckets(self, seen: Mapping[str, int]) -> list[Bucket]:
        """Those whose `seq` is above what `seen` says of their process; of processes that it does not name all."""

    async def purge(self, before: int, after: int) -> None:
        """Delete buckets that start before the one second, or after the other."""

    async def forget(self, connector_id: str) -> None:
        """Delete what is held and counted of a connector that is gone."""
