"""The unit of work of either engine: its repositories, and the commit that writes the batch counters first."""

from collections.abc import Callable, Coroutine
from typing import Any

from yanshu.adapters.stores.nouns.access import AccessRows
from yanshu.adapters.stores.nouns.batches import BatchRows, write_counts
from yanshu.adapters.stores.nouns.binds import BindRows
from yanshu.adapters.stores.nouns.codes import CodeRows
from yanshu.adapters.stores.nouns.definitions import DefinitionRows
from yanshu.adapters.stores.nouns.health import HealthRows
from yanshu.adapters.stores.nouns.inbounds import InboundRows
from yanshu.adapters.stores.nouns.incidents import IncidentRows
from yanshu.adapters.stores.nouns.lessons import LessonRows
from yanshu.adapters.stores.nouns.receipts import ReceiptRows
from yanshu.adapters.stores.nouns.webhooks import WebhookRows
from yanshu.adapters.stores.session import Session
from yanshu.ports.binds import Binds
from yanshu.ports.codes import Codes
from yanshu.ports.health import Healths
from yanshu.ports.incidents import Incidents
from yanshu.ports.lessons import Lessons
from yanshu.ports.store import (
    Access,
    Batches,
    Definitions,
    Events,
    Inbounds,
    Messages,
    Receipts,
    Records,
    Submissions,
    UnitOfWork,
    Webhooks,
)


class Unit(UnitOfWork):
    """See `ports.store.UnitOfWork`. The engine gives the repositories that have a hot path, and claims in its own way."""

    def __init__(
        self,
        session: Session,
        commit: Callable[[], Coroutine[Any, Any, None]],
        hot: tuple[Messages, Submissions, Events, Records],
    ) -> None:
        self._session = session
        self._commit = commit
        self.messages, self.submissions, self.events, self.records = hot
        self.receipts: Receipts = ReceiptRows(session)
        self.inbounds: Inbounds = InboundRows(session)
        self.lessons: Lessons = LessonRows(session)
        self.batches: Batches = BatchRows(session)
        self.definitions: Definitions = DefinitionRows(session)
        self.access: Access = AccessRows(session)
        self.webhooks: Webhooks = WebhookRows(session)
        self.binds: Binds = BindRows(session)
        self.health: Healths = HealthRows(session)
        self.incidents: Incidents = IncidentRows(session)
        self.codes: Codes = CodeRows(session)

    async def commit(self) -> None:
        """See `ports.store.UnitOfWork.commit`."""
        await write_counts(self._session)
        await self._commit()
