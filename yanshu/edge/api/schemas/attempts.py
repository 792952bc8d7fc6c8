"""Shapes of what was tried: submissions, their receipts, and what is known of each segment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus


class ReceiptOut(Struct):
    """The carrier's report on a segment, raw."""

    stat: str
    err: str | None
    text: str | None
    at: datetime | None


class SubmissionOut(Struct, kw_only=True):
    """One attempt to submit one segment; `class` is how a refusal, or a receipt other than delivered, was read when it came."""

    object: Literal["submission"] = "submission"
    message: str
    attempt: int
    segment: int
    total: int
    connector: str
    status: str
    carrier_message_id: str | None
    code: str | None
    answered_at: datetime
    receipt: ReceiptOut | None
    outcome: OutcomeClass | None = field(name="class")


class SubmissionsOut(Struct, kw_only=True):
    """All submissions of a message."""

    object: Literal["list"] = "list"
    data: list[SubmissionOut]


def show_submission(row: Submission) -> SubmissionOut:
    """Return the wire form of a submission."""
    receipt = ReceiptOut(row.receipt_status, row.receipt_code, row.receipt_text, row.receipt_at) if row.receipt_status else None
    return SubmissionOut(
        message=row.message_id,
        attempt=row.attempt,
        segment=row.segment,
        total=row.total,
        connector=row.connector_id,
        status=row.status,
        carrier_message_id=row.carrier_message_id,
        code=row.code,
        answered_at=row.answered_at,
        receipt=receipt,
        outcome=row.outcome,
    )


class SegmentStatusOut(Struct):
    """What is known of one segment: that it arrived, by whichever attempt, else what the last attempt says."""

    segment: int
    status: SubmissionStatus


def segment_status(rows: Sequence[Submission]) -> list[SegmentStatusOut]:
    """Return what is known of each segment that was submitted; `rows` come in the order of attempts."""
    known: dict[int, SubmissionStatus] = {}
    for row in rows:
        if known.get(row.segment) is not SubmissionStatus.DELIVERED:
            known[row.segment] = row.status
    return [SegmentStatusOut(segment, status) for segment, status in sorted(known.items())]
