"""Messages: everything but the hot path."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select, text, true

from yanshu.adapters.stores.chunks import MESSAGE_COLUMNS, messages_of
from yanshu.adapters.stores.rows import micros
from yanshu.adapters.stores.session import Session, given, keyset
from yanshu.adapters.stores.tables.path import QUEUED, UNDONE, WAITING, messages
from yanshu.domain.ids import MESSAGE, lowest_id
from yanshu.domain.messages import OUTCOME_UNKNOWN, Change, Message, Status
from yanshu.ports.filters import MessageFilter, MessagePage, Page

_C = messages.c
_MESSAGE = select(*(_C[name] for name in MESSAGE_COLUMNS))
_DEPTH_LIMIT = 100_000
# How many rows a page looks at before it says where to go on: some 10 ms, also when nothing matches.
_STRETCH = 10_000
_MILLISECOND = timedelta(milliseconds=1)

# A loose index scan: one probe of the queue's index for every pair (connector, lane) that has queued rows.
_QUEUES = """
WITH RECURSIVE pair (connector_id, lane) AS (
  SELECT * FROM (SELECT connector_id, lane FROM messages WHERE status = 'queued' ORDER BY connector_id, lane LIMIT 1) AS first
  UNION ALL
  SELECT (SELECT m.connector_id FROM messages m WHERE m.status = 'queued' AND (m.connector_id, m.lane) > (pair.connector_id, pair.lane)
          ORDER BY m.connector_id, m.lane LIMIT 1),
         (SELECT m.lane FROM messages m WHERE m.status = 'queued' AND (m.connector_id, m.lane) > (pair.connector_id, pair.lane)
          ORDER BY m.connector_id, m.lane LIMIT 1)
  FROM pair WHERE pair.connector_id IS NOT NULL
)
SELECT connector_id, lane,
  (SELECT count(*) FROM (SELECT 1 FROM messages m WHERE m.status = 'queued' AND m.connector_id = pair.connector_id AND m.lane = pair.lane
                         LIMIT :most) AS counted) AS depth
FROM pair WHERE connector_id IS NOT NULL
"""


class MessageQueries:
    """The calm half of `ports.store.Messages`; each engine adds add, get, claim, move and move_all."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(self, workspace_id: str, filters: MessageFilter, page: Page) -> MessagePage:
        """See `ports.store.Messages.page`."""
        # With a recipient, the workspace is an expression, so that the recipient's index is taken: SQLite keeps no statistics
        # of a growing table and would walk the whole workspace.
        workspace: ColumnElement[str] = _C.workspace_id if filters.recipient is None else _C.workspace_id.concat("")
        walked = _MESSAGE.where(workspace == workspace_id, *_walked(filters))
        stretch = keyset(walked, messages, replace(page, limit=_STRETCH)).subquery()
        looked_at = list(_looked_at(filters, stretch.c))
        if not looked_at:
            return MessagePage(await self._messages(keyset(walked, messages, page)))
        # Both engines hand on the rows of an ordered subquery as they come, and stop when the page is full.
        found = await self._messages(select(stretch).where(*looked_at).limit(page.limit))
        if len(found) >= page.limit:
            return MessagePage(found)
        last = keyset(walked, messages, replace(page, limit=1)).offset(_STRETCH - 1).with_only_columns(_C.id)
        rows = await self._session.rows(last)
        return MessagePage(found, rows[0].id if rows else None)

    async def due(self, now: datetime, limit: int) -> list[Message]:
        """See `ports.store.Messages.due`."""
        return await self._messages(_locked(_MESSAGE.where(_C.due_at <= micros(now)).order_by(_C.due_at).limit(limit)))

    async def waiting_of_batch(self, batch_id: str, statuses: Sequence[Status], limit: int) -> list[Message]:
        """See `ports.store.Messages.waiting_of_batch`."""
        wanted = [str(status) for status in statuses]
        waiting = all(f"'{status}'" in WAITING for status in wanted)
        statement = _MESSAGE.where(_C.batch_id == batch_id, _C.status.in_(wanted), text(WAITING) if waiting else true())
        return await self._messages(_locked(statement.limit(limit)))

    async def stranded(self, connector_ids: Sequence[str], limit: int) -> list[Message]:
        """See `ports.store.Messages.stranded`: another candidate is left while the present one is not the last."""
        is_last = _C.candidates.like('%"' + _C.connector_id + '"]')
        statement = _MESSAGE.where(text(QUEUED), _C.connector_id.in_(list(connector_ids)), _C.candidates.like("%,%"), ~is_last)
        return await self._messages(_locked(statement.limit(limit)))

    async def latest_to(self, recipient: str, connector_id: str, since: datetime) -> Message | None:
        """See `ports.store.Messages.latest_to`."""
        statement = _MESSAGE.where(_C.recipient == recipient, _C.connector_id == connector_id, _C.submitted_at >= micros(since))
        found = await self._messages(statement.order_by(_C.id.desc()).limit(1))
        return found[0] if found else None

    async def unanswered_to(self, connector_id: str, recipients: Sequence[str], since: datetime) -> list[Message]:
        """See `ports.store.Messages.unanswered_to`."""
        if not recipients:
            return []
        given_up = and_(_C.status == str(Status.UNDELIVERED), _C.reason_code == OUTCOME_UNKNOWN, _C.done_at >= micros(since))
        unanswered = or_(_C.status.in_([str(Status.UNKNOWN), str(Status.SUBMITTING)]), given_up)
        return await self._messages(_MESSAGE.where(_C.recipient.in_(list(recipients)), _C.connector_id == connector_id, unanswered))

    async def queue_depth(self) -> dict[tuple[str, str], int]:
        """See `ports.store.Messages.queue_depth`."""
        rows = await self._session.rows(text(_QUEUES).bindparams(most=_DEPTH_LIMIT))
        return {(row.connector_id, row.lane): row.depth for row in rows}

    async def _messages(self, statement: Select[Any]) -> list[Message]:
        return messages_of(await self._session.bulk(statement))

    def _count_added(self, added: Iterable[Message]) -> None:
        """Count new messages in their batches."""
        for message in added:
            if message.batch_id is not None:
                self._session.tally.add(message.batch_id, message.status.value, 1)

    def _count_claimed(self, claimed: Iterable[Message]) -> None:
        """Count messages that went from queued to submitting."""
        for message in claimed:
            if message.batch_id is not None:
                self._session.tally.add(message.batch_id, Status.QUEUED.value, -1)
                self._session.tally.add(message.batch_id, Status.SUBMITTING.value, 1)

    def _count_moved(self, changes: Iterable[Change]) -> None:
        """Count applied changes."""
        for change in changes:
            if change.batch_id is not None and change.previous is not change.status:
                self._session.tally.add(change.batch_id, change.previous.value, -1)
                self._session.tally.add(change.batch_id, change.status.value, 1)


def _locked(statement: Select[Any]) -> Select[Any]:
    """Lock the rows, passing over those that somebody else has; SQLite has one writer and ignores it."""
    return statement.with_for_update(skip_locked=True)


def _walked(filters: MessageFilter) -> Iterable[Any]:
    """Conditions that choose the index to walk along, or a range of it."""
    yield from given((_C.recipient, filters.recipient), (_C.batch_id, filters.batch_id), (_C.client_reference, filters.client_reference))
    # Ids sort by time, to the millisecond, so a time filter is also a range of the key.
    if filters.created_after is not None:
        yield _C.id >= lowest_id(MESSAGE, filters.created_after)
    if filters.created_before is not None:
        yield _C.id < lowest_id(MESSAGE, filters.created_before + _MILLISECOND)
    if filters.status is not None:
        yield from _of_status(filters.status)


def _looked_at(filters: MessageFilter, columns: Any) -> Iterable[Any]:
    """Conditions that every row on the way has to be looked at for."""
    yield from given(
        (columns.connector_id, filters.connector_id),
        (columns.lane, filters.lane and str(filters.lane)),
        (columns.livemode, filters.livemode),
    )
    if filters.created_after is not None:
        yield columns.created_at >= micros(filters.created_after)
    if filters.created_before is not None:
        yield columns.created_at < micros(filters.created_before)


def _of_status(status: Status) -> Iterable[Any]:
    """The status, with the predicate of the partial index that makes it quick."""
    yield _C.status == literal_column(f"'{status}'")
    if status is not Status.DELIVERED:
        yield text(UNDONE)
