"""The part of the seam to the store that keeps what was learned about single numbers; see `ports.store`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from yanshu.domain.lessons import Lesson


class Lessons(Protocol):
    """What was learned about single numbers."""

    async def of(self, numbers: Sequence[str], *, lock: bool = False) -> list[Lesson]:
        """What is known of those numbers of which anything is; with `lock` the rows are held until the end."""

    async def written(self, since: datetime, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Numbers whose lessons were written since then, oldest first, with that time; of those at `since` the ones behind `after`."""

    async def save(self, lessons: Sequence[Lesson]) -> None:
        """Insert or replace."""

    async def postpone(self, probes: Mapping[str, datetime]) -> None:
        """Let the next probe of these dead numbers (number → time) wait."""

    async def forget(self, numbers: Sequence[str]) -> int:
        """Delete; how many were there."""

    async def purge(self, now: datetime, limit: int) -> int:
        """Delete what is not worth keeping any more; how many."""
