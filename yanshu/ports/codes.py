"""The part of the seam to the store that keeps how codes are read here; see `ports.store`."""

from collections.abc import Sequence
from typing import Protocol

from yanshu.domain.codes import CodeOverride


class Codes(Protocol):
    """Overrides of the table of codes; a small table, read whole. `revision` changes with every write."""

    async def revision(self) -> int:
        """Grows with every write."""

    async def all(self) -> list[CodeOverride]:
        """All, by carrier and code."""

    async def save(self, override: CodeOverride) -> None:
        """Insert or replace."""

    async def remove(self, carrier: str, code: str) -> bool:
        """Delete; whether it was there."""

    async def forget(self, carrier: str) -> None:
        """Delete all of a carrier that is gone."""

    async def replace(self, overrides: Sequence[CodeOverride]) -> None:
        """Put these in place of all there are."""
