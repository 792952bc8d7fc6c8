"""Batches: many messages accepted by one request, and the rows of an upload that wait to become messages."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from yanshu.domain.messages import Message


class BatchStatus(StrEnum):
    """draft → validating → ready → scheduled → running ⇄ paused → completed | canceled | failed."""

    DRAFT = "draft"
    VALIDATING = "validating"
    READY = "ready"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"


class Batch(Struct, frozen=True, kw_only=True):
    """`send` is the encoded `Send` without recipients; `total` rows were given, `expanded` of them became messages.

    `invalid` counts rows that could not be read at all. `last_line` is the line of the last row that became a message.
    `counts` (status → messages) is filled in on reading.
    """

    id: str
    workspace_id: str
    livemode: bool
    status: BatchStatus
    send: bytes
    created_at: datetime
    updated_at: datetime
    send_at: datetime | None = None
    total: int = 0
    expanded: int = 0
    invalid: int = 0
    last_line: int = 0
    started_at: datetime | None = None
    done_at: datetime | None = None
    metadata: dict[str, Any] | None = None
    counts: dict[str, int] = {}
    version: int = 1


class BatchRow(Struct, frozen=True, kw_only=True):
    """One row of an upload: `line` is its number in the file; `code` and `problem` say why a bad row is bad."""

    batch_id: str
    line: int
    to: str
    params: dict[str, str] | None = None
    client_reference: str | None = None
    code: str | None = None
    problem: str | None = None


class BatchPreview(Struct, frozen=True, kw_only=True):
    """What the first rows would become (line and message), the first rows that cannot be read, and the totals."""

    total: int
    invalid: int
    sample: tuple[tuple[int, Message], ...]
    bad: tuple[BatchRow, ...]
