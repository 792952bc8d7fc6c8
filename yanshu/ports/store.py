"""The seam to the store: one unit of work per stage step, repositories by noun.

Every method takes and returns chunks. `UnitOfWork.commit` is written out; leaving without it rolls back. No network call
to anybody else happens in a unit of work. Failures: `StoreBusy` passes, `StoreConflict` is a taken key, `StoreUnusable` needs a person;
those of a write that returns nothing may come out with a later call, at the latest with the commit.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from yanshu.domain.access import ApiKey, AuditEntry, Workspace
from yanshu.domain.batches import Batch, BatchRow, BatchStatus
from yanshu.domain.commands import Idempotency, Saved
from yanshu.domain.connectors import Connector, LinkReport, Route
from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Change, Message, Status
from yanshu.domain.submissions import InboundPart, Receipt, Submission
from yanshu.domain.webhooks import Delivery, WebhookEndpoint
from yanshu.ports.binds import Binds
from yanshu.ports.codes import Codes
from yanshu.ports.filters import EVERY_EVENT, EventFilter, MessageFilter, MessagePage, Page
from yanshu.ports.health import Healths
from yanshu.ports.incidents import Incidents
from yanshu.ports.lessons import Lessons


class Messages(Protocol):
    """Messages; the table is also the queue."""

    async def add(self, messages: Sequence[Message]) -> None:
        """Insert a chunk; also counts them in their batches' status counters."""

    async def get(self, ids: Sequence[str]) -> list[Message]:
        """Those of `ids` that exist, any order, any workspace (callers check `workspace_id`)."""

    async def page(self, workspace_id: str, filters: MessageFilter, page: Page) -> MessagePage:
        """A keyset page by id. Filters without an index of their own look at so many rows at a time, not at all there are."""

    async def move(self, changes: Sequence[Change]) -> set[str]:
        """Apply guarded changes (stored version == change.expected), adjust batch counters; return the ids applied."""

    async def move_all(self, changes: Sequence[Change]) -> None:
        """As `move`, but all or nothing: `StoreStale`, here or with a later call, when one of the messages has changed."""

    async def due(self, now: datetime, limit: int) -> list[Message]:
        """Non-final messages whose `due_at` has passed, oldest first; rows locked for this unit of work, skipping locked ones."""

    async def waiting_of_batch(self, batch_id: str, statuses: Sequence[Status], limit: int) -> list[Message]:
        """Up to `limit` messages of a batch in one of `statuses`, locked as in `due`."""

    async def stranded(self, connector_ids: Sequence[str], limit: int) -> list[Message]:
        """Queued messages of these connectors that have another candidate left, locked as in `due`."""

    async def latest_to(self, recipient: str, connector_id: str, since: datetime) -> Message | None:
        """The newest message submitted to `recipient` over `connector_id` since then: what an inbound most likely answers."""

    async def unanswered_to(self, connector_id: str, recipients: Sequence[str], since: datetime) -> list[Message]:
        """Messages in `unknown` or `submitting` over that connector to these numbers, and those given up as unanswered since then."""

    async def queue_depth(self) -> dict[tuple[str, str], int]:
        """(connector_id, lane) → queued, each counted up to 100,000 at most: for metrics."""


class Submissions(Protocol):
    """Submissions per message, attempt and segment."""

    async def add(self, submissions: Sequence[Submission]) -> None:
        """Insert, or replace the row of the same (message, attempt, segment)."""

    async def of_messages(self, message_ids: Sequence[str]) -> list[Submission]:
        """All submissions of these messages, ordered by message, attempt, segment."""

    async def by_carrier_keys(self, connector_id: str, keys: Sequence[str]) -> list[Submission]:
        """Submissions over that connector stored under one of `keys`."""


class Receipts(Protocol):
    """Receipts that have not found their submission yet."""

    async def park(self, receipts: Sequence[Receipt], next_try_at: datetime) -> None:
        """Keep them (again): same id replaces."""

    async def parked_for(self, connector_id: str, keys: Sequence[str]) -> list[Receipt]:
        """Parked receipts of that connector with one of these keys."""

    async def due(self, now: datetime, limit: int) -> list[Receipt]:
        """Parked receipts to try again, locked, skipping locked."""

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget matched or given-up receipts."""

    async def count(self) -> int:
        """How many are parked."""


class Events(Protocol):
    """The append-only history."""

    async def add(self, events: Sequence[Event]) -> None:
        """Append in order, packed: what one call adds for one workspace is one row."""

    async def append(self, event: Event) -> Event:
        """Append one; as it is stored, with id and position."""

    async def of_object(self, workspace_id: str, object_id: str, limit: int = 200) -> list[Event]:
        """History of one object, oldest first."""

    async def after(self, position: int, limit: int, filters: EventFilter = EVERY_EVENT) -> list[Event]:
        """Events behind `position` in global order, none of which can still be preceded by an uncommitted one."""

    async def get(self, ids: Sequence[str]) -> list[Event]:
        """Those of `ids` that exist."""

    async def page(self, filters: EventFilter, page: Page) -> list[Event]:
        """A keyset page by position; `page.after` is an event's id."""

    async def position_before(self, workspace_id: str, moment: datetime) -> int:
        """A position behind which every event of the workspace since `moment` is found, and few older ones."""

    async def last_position(self) -> int:
        """Position of the newest event that `after` may already return (0 when none)."""


class Inbounds(Protocol):
    """Inbound texts and the parts that wait for their siblings."""

    async def add(self, inbounds: Sequence[Inbound]) -> None:
        """Insert; an id already there is left as it is."""

    async def get(self, ident: str) -> Inbound | None:
        """One, or None."""

    async def page(
        self, workspace_id: str, *, sender: str | None, recipient: str | None, livemode: bool | None, page: Page
    ) -> list[Inbound]:
        """A keyset page by id."""

    async def add_parts(self, parts: Sequence[InboundPart]) -> None:
        """Keep parts; a repeated (connector, sender, recipient, reference, parts, part) is ignored."""

    async def parts_of(self, part: InboundPart) -> list[InboundPart]:
        """The part's siblings including itself, by number."""

    async def remove_parts(self, ids: Sequence[str]) -> None:
        """Forget parts that became an inbound."""

    async def stale_parts(self, before: datetime, limit: int) -> list[InboundPart]:
        """Parts that arrived before then, locked, skipping locked."""

    async def seen(self, digest: str, since: datetime) -> bool:
        """Whether an inbound with the same digest was recorded by `mark_seen` since then (the carrier repeats after a lost answer)."""

    async def mark_seen(self, digest: str, at: datetime) -> None:
        """Record a digest."""


class Batches(Protocol):
    """Batches and their upload rows."""

    async def add(self, batch: Batch) -> None:
        """Insert."""

    async def get(self, ident: str) -> Batch | None:
        """One with its counters, or None."""

    async def page(self, workspace_id: str, livemode: bool | None, page: Page) -> list[Batch]:
        """A keyset page by id, counters included."""

    async def update(self, batch: Batch) -> bool:
        """Write everything but counters if the stored version is `batch.version - 1`; say whether it was."""

    async def add_rows(self, rows: Sequence[BatchRow]) -> None:
        """Append upload rows; rows with the same (batch, line) replace."""

    async def clear_rows(self, batch_id: str) -> None:
        """Forget all rows (a new upload replaces an old one)."""

    async def rows(self, batch_id: str, after_line: int, limit: int, *, good: bool) -> list[BatchRow]:
        """Rows behind `after_line` by line: the good ones (code is None) or the bad ones."""

    async def active(self, statuses: Sequence[BatchStatus], after: str | None, limit: int) -> list[Batch]:
        """Batches in one of `statuses` that are not done (`done_at` is None), by id behind `after`, with counters.

        Rows are locked, locked ones skipped.
        """


class Definitions(Protocol):
    """Connectors and routes; small tables, read whole. `revision` changes with every write to either."""

    async def revision(self) -> int:
        """Grows with every write."""

    async def connectors(self) -> list[Connector]:
        """All, by id."""

    async def routes(self) -> list[Route]:
        """All, by rank then id."""

    async def save_connector(self, connector: Connector) -> None:
        """Insert or replace."""

    async def save_route(self, route: Route) -> None:
        """Insert or replace."""

    async def remove_connector(self, ident: str) -> bool:
        """Delete; whether it was there."""

    async def remove_route(self, ident: str) -> bool:
        """Delete; whether it was there."""


class Access(Protocol):
    """Workspaces, keys and the audit trail."""

    async def save_workspace(self, workspace: Workspace) -> None:
        """Insert or replace."""

    async def workspace(self, ident: str) -> Workspace | None:
        """One, or None."""

    async def workspaces(self, page: Page) -> list[Workspace]:
        """A keyset page by id."""

    async def save_key(self, key: ApiKey) -> None:
        """Insert or replace."""

    async def key(self, ident: str) -> ApiKey | None:
        """One, or None."""

    async def key_by_digest(self, digest: str) -> ApiKey | None:
        """The key whose secret has this SHA-256, or None."""

    async def keys(self, workspace_id: str, page: Page) -> list[ApiKey]:
        """A keyset page by id."""

    async def touch_keys(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were last used."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""

    async def audit(self, workspace_id: str | None, page: Page) -> list[AuditEntry]:
        """A keyset page by id; None: the whole platform."""


class Webhooks(Protocol):
    """Endpoints and deliveries."""

    async def save_endpoint(self, endpoint: WebhookEndpoint) -> None:
        """Insert or replace."""

    async def endpoint(self, ident: str) -> WebhookEndpoint | None:
        """One, or None."""

    async def endpoints(self, workspace_id: str, page: Page, livemode: bool | None = None) -> list[WebhookEndpoint]:
        """A keyset page by id; `livemode` None: live and test."""

    async def remove_endpoint(self, ident: str) -> bool:
        """Delete with its pending deliveries; whether it was there."""

    async def behind(self, position: int, limit: int) -> list[WebhookEndpoint]:
        """Enabled endpoints that have not read up to `position`, locked, skipping locked."""

    async def is_any_behind(self, position: int) -> bool:
        """Whether `behind` may find something; locks nothing."""

    async def advance(self, endpoint_id: str, position: int) -> None:
        """Remember how far an endpoint has read."""

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Append."""

    async def claim_deliveries(self, now: datetime, lease_until: datetime, limit: int) -> list[Delivery]:
        """Pending deliveries due now, none of whose objects has an earlier pending delivery to the same endpoint or URL.

        `next_at` becomes `lease_until`, so a dead process's deliveries come back.
        """

    async def save_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Write back attempts and outcome."""

    async def delivery(self, ident: str) -> Delivery | None:
        """One, or None."""

    async def deliveries(self, endpoint_id: str, status: str | None, page: Page) -> list[Delivery]:
        """A keyset page by id."""

    async def callbacks_position(self) -> int:
        """How far per-message callbacks have been read; the row is locked for this unit of work."""

    async def advance_callbacks(self, position: int) -> None:
        """Remember how far."""


class Records(Protocol):
    """Idempotency records, dedupe marks, leases and small named values."""

    async def remember(self, idempotency: Idempotency, saved: Saved) -> Saved | None:
        """Store the answer under the key. If an unexpired record exists already, return it and store nothing.

        Raises `Conflict("idempotency_key_reused")` when that record has another fingerprint.
        """

    async def recall(self, idempotency: Idempotency) -> Saved | None:
        """The unexpired answer under the key, or None; raises as `remember` does."""

    async def mark_unique(self, marks: Mapping[str, datetime], now: datetime) -> set[str]:
        """Take marks (key → expires_at) that are free or expired; return those that were taken by somebody already."""

    async def purge(self, now: datetime, limit: int) -> int:
        """Delete expired idempotency records, marks and seen digests; how many."""

    async def acquire_lease(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take or extend the lease `name` if it is free, expired or ours."""

    async def release_leases(self, owner: str) -> None:
        """Give up all leases of an owner."""

    async def report_link(self, report: LinkReport) -> None:
        """Write the state of one link."""

    async def links(self) -> list[LinkReport]:
        """All reports."""

    async def get_value(self, name: str) -> Any | None:
        """A small named JSON value."""

    async def set_value(self, name: str, value: Any) -> None:
        """Write it."""


class UnitOfWork(Protocol):
    """One transaction."""

    messages: Messages
    submissions: Submissions
    receipts: Receipts
    events: Events
    inbounds: Inbounds
    lessons: Lessons
    codes: Codes
    batches: Batches
    definitions: Definitions
    access: Access
    webhooks: Webhooks
    binds: Binds
    health: Healths
    incidents: Incidents
    records: Records

    async def commit(self) -> None:
        """Make it durable. After this the unit of work is over."""

    async def claim(self, connector_id: str, lanes: Sequence[Lane], segments: int, now: datetime, lease_until: datetime) -> list[Message]:
        """Take queued messages for submission, and commit: `segments` segments in all, more only if one message alone is larger.

        Lanes in the given order (strict), fairly between workspaces (round robin), then by priority (high first) and id.
        Only `expires_at > now`. They become `submitting`: version + 1, attempts + 1, due_at = lease_until,
        and are returned as they are after that. Never gives one message to two callers.
        """


class Store(Protocol):
    """A database."""

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A read-write transaction. On SQLite there is one at a time (queued fairly); on PostgreSQL as many as the pool has."""

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A read-only snapshot that never waits for writers."""

    async def migrate(self) -> list[str]:
        """Bring the schema to this version; the names of the steps taken."""

    async def ping(self) -> None:
        """Raise `StoreBusy` when the store cannot be read and written."""

    async def backup(self, target: str) -> None:
        """Write a consistent copy to the path `target` (SQLite: online backup; PostgreSQL: a plain-data dump)."""

    async def close(self) -> None:
        """Release connections."""

    def wake(self, topic: str) -> None:
        """Tell all processes that there is news on `topic`; cheap, may be lost.

        Topics are `queue`, `urgent`, `events`, `definitions`, `codes`, `batches`, `deliveries`, `binds`.
        """

    async def wait(self, topic: str, timeout_seconds: float) -> bool:
        """Wait until woken or the time is over; whether woken. News between two waits of one caller is not missed in-process."""
