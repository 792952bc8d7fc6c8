"""Submissions: everything but the hot path."""

from collections.abc import Sequence

from sqlalchemy import select

from yanshu.adapters.stores.chunks import submissions_of
from yanshu.adapters.stores.session import Session
from yanshu.adapters.stores.tables.path import submissions
from yanshu.domain.submissions import Submission

_C = submissions.c


class SubmissionQueries:
    """The calm half of `ports.store.Submissions`; each engine adds add and by_carrier_keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_messages(self, message_ids: Sequence[str]) -> list[Submission]:
        """See `ports.store.Submissions.of_messages`."""
        if not message_ids:
            return []
        statement = select(submissions).where(_C.message_id.in_(list(message_ids)))
        return submissions_of(await self._session.bulk(statement.order_by(_C.message_id, _C.attempt, _C.segment)))
