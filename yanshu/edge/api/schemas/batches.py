"""Shapes of batches, their rows, and their previews."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from yanshu.domain.batches import Batch, BatchPreview, BatchRow
from yanshu.domain.messages import Status
from yanshu.edge.api.chinese import in_chinese
from yanshu.edge.api.paging import PageQuery

_ROW_STATUS = f"^({'|'.join([*Status, 'invalid'])})$"


class BatchRowsQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filters of a batch's recipients; `invalid` are the rows that could not be read."""

    status: Annotated[str, Meta(pattern=_ROW_STATUS)] | None = None


class BatchOut(Struct, kw_only=True):
    """A batch as the API shows it; `counts` is messages by status."""

    id: str
    object: Literal["batch"] = "batch"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    status: str
    total: int
    expanded: int
    invalid: int
    counts: dict[str, int]
    send_at: datetime | None
    started_at: datetime | None
    done_at: datetime | None
    metadata: dict[str, Any]


def show_batch(batch: Batch) -> BatchOut:
    """Return the wire form of a batch."""
    return BatchOut(
        id=batch.id,
        livemode=batch.livemode,
        created_at=batch.created_at,
        updated_at=batch.updated_at,
        status=batch.status,
        total=batch.total,
        expanded=batch.expanded,
        invalid=batch.invalid,
        counts=batch.counts,
        send_at=batch.send_at,
        started_at=batch.started_at,
        done_at=batch.done_at,
        metadata=batch.metadata or {},
    )


class BatchRowOut(Struct, kw_only=True):
    """A row of an upload that could not be read."""

    object: Literal["batch_row"] = "batch_row"
    line: int
    to: str
    code: str
    problem: str | None


class BatchSampleOut(Struct):
    """What a row would become; `code` says why it would be rejected."""

    line: int
    to: str
    text: str
    encoding: str
    segments: int
    code: str | None


class BatchPreviewOut(Struct, kw_only=True):
    """What the first rows of a batch would become, and the first that cannot be read."""

    object: Literal["batch_preview"] = "batch_preview"
    total: int
    invalid: int
    sample: list[BatchSampleOut]
    errors: list[BatchRowOut]


def show_preview(preview: BatchPreview, language: str) -> BatchPreviewOut:
    """Return the wire form of a batch's preview."""
    sample = [BatchSampleOut(line, m.recipient, m.text, m.encoding, m.segments, m.reason_code) for line, m in preview.sample]
    errors = [show_row(row, language) for row in preview.bad]
    return BatchPreviewOut(total=preview.total, invalid=preview.invalid, sample=sample, errors=errors)


def show_row(row: BatchRow, language: str = "en") -> BatchRowOut:
    """Return the wire form of a bad row."""
    return BatchRowOut(line=row.line, to=row.to, code=row.code or "", problem=told_problem(row.problem, language))


def told_problem(problem: str | None, language: str) -> str | None:
    """Return what is wrong with a row in the caller's language; the field it begins with, if any, stays."""
    if problem is None or not language.startswith("zh"):
        return problem
    field_name, colon, fix = problem.partition(": ")
    return f"{field_name}：{in_chinese(fix)}" if colon else in_chinese(problem)
