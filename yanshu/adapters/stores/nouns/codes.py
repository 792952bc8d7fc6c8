"""Overrides of codes, and the revision that grows with every change of them."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from yanshu.adapters.stores.rows import RowCodec
from yanshu.adapters.stores.session import Session, save
from yanshu.adapters.stores.tables.codes import code_overrides
from yanshu.adapters.stores.tables.surroundings import counters
from yanshu.domain.codes import CodeOverride

_CODEC = RowCodec(CodeOverride)
_COUNTER = counters.c.name == "codes"
_C = code_overrides.c


class CodeRows:
    """See `ports.codes.Codes`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def revision(self) -> int:
        """See `ports.codes.Codes.revision`."""
        return int((await self._session.rows(select(counters.c.value).where(_COUNTER)))[0][0])

    async def all(self) -> list[CodeOverride]:
        """See `ports.codes.Codes.all`."""
        rows = await self._session.rows(select(code_overrides).order_by(_C.carrier, _C.code))
        return [_CODEC.item(row._mapping) for row in rows]

    async def save(self, override: CodeOverride) -> None:
        """See `ports.codes.Codes.save`."""
        await self._grow()
        await save(self._session, code_overrides, [_CODEC.row(override)])

    async def remove(self, carrier: str, code: str) -> bool:
        """See `ports.codes.Codes.remove`."""
        await self._grow()
        return await self._session.run(delete(code_overrides).where(_C.carrier == carrier, _C.code == code)) == 1

    async def forget(self, carrier: str) -> None:
        """See `ports.codes.Codes.forget`."""
        await self._grow()
        await self._session.put(delete(code_overrides).where(_C.carrier == carrier))

    async def replace(self, overrides: Sequence[CodeOverride]) -> None:
        """See `ports.codes.Codes.replace`. The counter's row keeps a second writer waiting, so that two tables never mix."""
        await self._grow()
        await self._session.put(delete(code_overrides))
        await save(self._session, code_overrides, [_CODEC.row(override) for override in overrides])

    async def _grow(self) -> None:
        await self._session.put(update(counters).where(_COUNTER).values(value=counters.c.value + 1))
