"""The hot path's rows, by position: messages, changes and submissions as tuples in column order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from yanshu.adapters.stores.rows import micros, moment, to_json, words_from_json, words_to_json
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Change, Encoding, Message, Risk, Status
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus

Row = tuple[Any, ...]

MESSAGE_COLUMNS = Message.__struct_fields__
SUBMISSION_COLUMNS = Submission.__struct_fields__
CHANGE_COLUMNS = (
    "version",
    "status",
    "updated_at",
    "due_at",
    "expires_at",
    "send_at",
    "submitted_at",
    "done_at",
    "connector_id",
    "attempts",
    "reason_code",
    "reason_raw",
    "duplicates_possible",
)

_STATUS = {str(status): status for status in Status}
_LANE = {str(lane): lane for lane in Lane}
_ENCODING = {str(encoding): encoding for encoding in Encoding}
_RISK = {str(risk): risk for risk in Risk}
_SUBMISSION_STATUS = {str(status): status for status in SubmissionStatus}
_OUTCOME: dict[str | None, OutcomeClass | None] = {None: None, **{str(outcome): outcome for outcome in OutcomeClass}}


def _micros(time: datetime | None) -> int | None:
    """`micros` of a time that may be missing."""
    return None if time is None else micros(time)


def _moment(value: int | None) -> datetime | None:
    """Inverse of `_micros`."""
    return None if value is None else moment(value)


def message_row(m: Message) -> Row:
    """A message in the order of `MESSAGE_COLUMNS`."""
    return (
        m.id,
        m.workspace_id,
        m.livemode,
        m.lane.value,
        m.recipient,
        m.sender,
        m.text,
        m.encoding.value,
        m.units,
        m.segments,
        m.status.value,
        micros(m.created_at),
        micros(m.updated_at),
        micros(m.expires_at),
        _micros(m.due_at),
        _micros(m.send_at),
        _micros(m.submitted_at),
        _micros(m.done_at),
        m.priority,
        m.risk.value,
        m.batch_id,
        m.connector_id,
        words_to_json(m.candidates),
        m.attempts,
        m.reason_code,
        m.reason_raw,
        m.duplicates_possible,
        m.client_reference,
        m.callback_url,
        None if m.metadata is None else to_json(m.metadata),
        m.version,
    )


def messages_of(rows: Iterable[Sequence[Any]]) -> list[Message]:
    """Messages of rows in the order of `MESSAGE_COLUMNS`."""
    return [_message(row) for row in rows]


def _message(r: Sequence[Any]) -> Message:
    """One message of one row."""
    return Message(
        id=r[0],
        workspace_id=r[1],
        livemode=bool(r[2]),
        lane=_LANE[r[3]],
        recipient=r[4],
        sender=r[5],
        text=r[6],
        encoding=_ENCODING[r[7]],
        units=r[8],
        segments=r[9],
        status=_STATUS[r[10]],
        created_at=moment(r[11]),
        updated_at=moment(r[12]),
        expires_at=moment(r[13]),
        due_at=_moment(r[14]),
        send_at=_moment(r[15]),
        submitted_at=_moment(r[16]),
        done_at=_moment(r[17]),
        priority=r[18],
        risk=_RISK[r[19]],
        batch_id=r[20],
        connector_id=r[21],
        candidates=words_from_json(r[22]),
        attempts=r[23],
        reason_code=r[24],
        reason_raw=r[25],
        duplicates_possible=bool(r[26]),
        client_reference=r[27],
        callback_url=r[28],
        metadata=None if r[29] is None else msgspec.json.decode(r[29]),
        version=r[30],
    )


def change_row(c: Change) -> Row:
    """A change: id, the version it expects, then `CHANGE_COLUMNS`."""
    return (
        c.message_id,
        c.expected,
        c.version,
        c.status.value,
        micros(c.updated_at),
        _micros(c.due_at),
        micros(c.expires_at),
        _micros(c.send_at),
        _micros(c.submitted_at),
        _micros(c.done_at),
        c.connector_id,
        c.attempts,
        c.reason_code,
        c.reason_raw,
        c.duplicates_possible,
    )


def submission_row(s: Submission) -> Row:
    """A submission in the order of `SUBMISSION_COLUMNS`."""
    return (
        s.message_id,
        s.attempt,
        s.segment,
        s.total,
        s.connector_id,
        s.recipient,
        s.status.value,
        micros(s.answered_at),
        s.carrier_message_id,
        s.carrier_key,
        s.code,
        s.receipt_status,
        s.receipt_code,
        s.receipt_text,
        _micros(s.receipt_at),
        None if s.outcome is None else s.outcome.value,
    )


def submissions_of(rows: Iterable[Sequence[Any]]) -> list[Submission]:
    """Submissions of rows in the order of `SUBMISSION_COLUMNS`."""
    return [
        Submission(
            message_id=r[0],
            attempt=r[1],
            segment=r[2],
            total=r[3],
            connector_id=r[4],
            recipient=r[5],
            status=_SUBMISSION_STATUS[r[6]],
            answered_at=moment(r[7]),
            carrier_message_id=r[8],
            carrier_key=r[9],
            code=r[10],
            receipt_status=r[11],
            receipt_code=r[12],
            receipt_text=r[13],
            receipt_at=_moment(r[14]),
            outcome=_OUTCOME[r[15]],
        )
        for r in rows
    ]
