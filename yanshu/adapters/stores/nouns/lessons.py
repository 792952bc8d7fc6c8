"""Lessons: what was learned about single numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, delete, literal, select, tuple_, update

from yanshu.adapters.stores.rows import RowCodec, micros, moment
from yanshu.adapters.stores.session import Session, save
from yanshu.adapters.stores.tables.columns import TEXT
from yanshu.adapters.stores.tables.numbers import lessons
from yanshu.domain.lessons import Lesson

_CODEC = RowCodec(Lesson)
_C = lessons.c


class LessonRows:
    """See `ports.lessons.Lessons`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, numbers: Sequence[str], *, lock: bool = False) -> list[Lesson]:
        """See `ports.lessons.Lessons.of`."""
        if not numbers:
            return []
        statement = select(lessons).where(_C.number.in_(sorted(set(numbers)))).order_by(_C.number)
        rows = await self._session.rows(statement.with_for_update() if lock else statement)
        return [_CODEC.item(row._mapping) for row in rows]

    async def written(self, since: datetime, after: str, limit: int) -> list[tuple[str, datetime]]:
        """See `ports.lessons.Lessons.written`."""
        behind = tuple_(_C.updated_at, _C.number) > tuple_(literal(micros(since), BigInteger), literal(after, TEXT))
        statement = select(_C.number, _C.updated_at).where(behind).order_by(_C.updated_at, _C.number).limit(limit)
        return [(number, moment(written)) for number, written in await self._session.bulk(statement)]

    async def save(self, lessons_: Sequence[Lesson]) -> None:
        """See `ports.lessons.Lessons.save`."""
        await save(self._session, lessons, [_CODEC.row(lesson) for lesson in lessons_])

    async def postpone(self, probes: Mapping[str, datetime]) -> None:
        """See `ports.lessons.Lessons.postpone`."""
        for number, probe_at in sorted(probes.items()):
            await self._session.put(update(lessons).where(_C.number == number).values(probe_at=micros(probe_at)))

    async def forget(self, numbers: Sequence[str]) -> int:
        """See `ports.lessons.Lessons.forget`."""
        return await self._session.run(delete(lessons).where(_C.number.in_(list(numbers)))) if numbers else 0

    async def purge(self, now: datetime, limit: int) -> int:
        """See `ports.lessons.Lessons.purge`."""
        old = select(_C.number).where(_C.expires_at <= micros(now)).limit(limit).with_for_update(skip_locked=True)
        return await self._session.run(delete(lessons).where(_C.number.in_(old.scalar_subquery())))
