"""Shapes of messages and inbound texts, and of what is sent."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.lanes import DEFAULT_PRIORITY, Lane
from yanshu.domain.messages import Message, Risk, Status
from yanshu.domain.reasons import reason_of
from yanshu.domain.submissions import Submission
from yanshu.edge.api.paging import PageQuery
from yanshu.edge.api.schemas.attempts import SegmentStatusOut, SubmissionOut, segment_status, show_submission

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Moment = Annotated[datetime, Meta(tz=True)]
Phone = Annotated[str, Meta(min_length=1, max_length=64, examples=["13800138000"])]
Text = Annotated[str, Meta(min_length=1, max_length=5000, examples=["【雁书】您的验证码是 482913"])]
Params = Annotated[dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=500)]], Meta(max_length=50)]
Metadata = Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=500)]], Meta(max_length=50)]
Reference = Annotated[str, Meta(min_length=1, max_length=128)]
OwnSender = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,20}$")]
Digits = Annotated[str, Meta(pattern=r"^\d{1,20}$")]


class DedupeIn(Struct, forbid_unknown_fields=True):
    """Refuse a second message with this key within the window."""

    key: Annotated[str, Meta(min_length=1, max_length=128)]
    window_s: Annotated[int, Meta(ge=1, le=604_800)] = 60


class RoutingIn(Struct, forbid_unknown_fields=True):
    """Wishes about routing: `pool` and `exclude` are connector ids."""

    pool: Annotated[list[str], Meta(max_length=20)] = []
    exclude: Annotated[list[str], Meta(max_length=20)] = []
    risk: Risk = Risk.NO_DUPLICATE


class _Common(Struct, forbid_unknown_fields=True, kw_only=True):
    """What single messages and batches share."""

    text: Text
    lane: Lane = Lane.NOTICE
    signature: Annotated[str, Meta(min_length=2, max_length=12)] | None = None
    sender: OwnSender | None = None
    extension: Digits | None = None
    send_at: Moment | None = None
    expires_in: Annotated[int, Meta(ge=1, le=604_800, description="Seconds from the sending time.")] | None = None
    priority: Annotated[int, Meta(ge=0, le=9)] = DEFAULT_PRIORITY
    routing: RoutingIn = field(default_factory=RoutingIn)
    callback_url: Annotated[str, Meta(max_length=2000)] | None = None
    metadata: Metadata | None = None


class MessageIn(_Common, forbid_unknown_fields=True, kw_only=True):
    """One text to one recipient."""

    to: Phone
    params: Params | None = None
    client_reference: Reference | None = None
    unique_reference: bool = False
    dedupe: DedupeIn | None = None
    dry_run: bool = False


class RecipientIn(Struct, forbid_unknown_fields=True):
    """One recipient of a batch."""

    to: Annotated[str, Meta(max_length=64)]
    params: Params | None = None
    client_reference: Reference | None = None


class BatchIn(_Common, forbid_unknown_fields=True, kw_only=True):
    """One text to many recipients; none, and `start` false, for an upload that follows."""

    recipients: Annotated[list[RecipientIn], Meta(max_length=10_000)] = []
    start: bool = True


class RescheduleIn(Struct, forbid_unknown_fields=True):
    """A new sending time."""

    send_at: Moment


class MessageQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filters of the message list."""

    status: Status | None = None
    to: Phone | None = None
    batch: str | None = None
    connector: str | None = None
    lane: Lane | None = None
    client_reference: str | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None


class InboundQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Filters of the inbound list."""

    sender: Annotated[str, Meta(max_length=64)] | None = field(default=None, name="from")
    recipient: Annotated[str, Meta(max_length=64)] | None = field(default=None, name="to")


class ReasonOut(Struct):
    """Why, who can act, and what they can do."""

    code: str
    owner: str
    advice: str
    raw: str | None


class TimelineOut(Struct):
    """One event of a message's history."""

    at: datetime
    type: str
    data: dict[str, Any]


class MessageOut(Struct, kw_only=True):
    """A message as the API shows it."""

    id: str
    object: Literal["message"] = "message"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    to: str
    sender: str
    text: str
    lane: Lane
    priority: int
    status: Status
    reason: ReasonOut | None
    encoding: str
    units: int
    segments: int
    connector: str | None
    batch: str | None
    client_reference: str | None
    send_at: datetime | None
    expires_at: datetime
    held_until: datetime | None
    submitted_at: datetime | None
    done_at: datetime | None
    attempts: int
    duplicates_possible: bool
    callback_url: str | None
    metadata: dict[str, Any]


class MessageDetailOut(MessageOut, kw_only=True):
    """A message with its history and everything that was tried."""

    submissions: list[SubmissionOut]
    segment_status: list[SegmentStatusOut]
    timeline: list[TimelineOut]


def show_message(message: Message, language: str = "en") -> MessageOut:
    """Return the wire form of a message."""
    return MessageOut(**_message_fields(message, language))


def show_message_detail(message: Message, submissions: list[Submission], events: list[Event], language: str) -> MessageDetailOut:
    """Return the wire form of a message with its history."""
    return MessageDetailOut(
        submissions=[show_submission(row) for row in submissions],
        segment_status=segment_status(submissions),
        timeline=[TimelineOut(event.created_at, event.type, event.data) for event in events],
        **_message_fields(message, language),
    )


def _message_fields(message: Message, language: str) -> dict[str, Any]:
    reason = reason_of(message.reason_code, message.reason_raw, language)
    return {
        "id": message.id,
        "livemode": message.livemode,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
        "to": message.recipient,
        "sender": message.sender,
        "text": message.text,
        "lane": message.lane,
        "priority": message.priority,
        "status": message.status,
        "reason": ReasonOut(**reason) if reason else None,
        "encoding": message.encoding,
        "units": message.units,
        "segments": message.segments,
        "connector": message.connector_id,
        "batch": message.batch_id,
        "client_reference": message.client_reference,
        "send_at": message.send_at,
        "expires_at": message.expires_at,
        "held_until": message.due_at if message.status is Status.HELD else None,
        "submitted_at": message.submitted_at,
        "done_at": message.done_at,
        "attempts": message.attempts,
        "duplicates_possible": message.duplicates_possible,
        "callback_url": message.callback_url,
        "metadata": message.metadata or {},
    }


class PreviewOut(Struct, kw_only=True):
    """What would be sent."""

    object: Literal["message_preview"] = "message_preview"
    to: str
    text: str
    encoding: str
    units: int
    segments: int
    pieces: list[str]
    candidates: list[str]
    findings: list[dict[str, Any]]
    would_hold_until: datetime | None


class InboundOut(Struct, kw_only=True, rename={"sender": "from", "recipient": "to"}):
    """An inbound text as the API shows it."""

    id: str
    object: Literal["inbound"] = "inbound"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    sender: str
    recipient: str
    extension: str | None
    text: str
    parts: int
    complete: bool
    in_reply_to: str | None
    connector: str
    metadata: dict[str, Any] = {}


def show_inbound(inbound: Inbound) -> InboundOut:
    """Return the wire form of an inbound."""
    return InboundOut(
        id=inbound.id,
        livemode=inbound.livemode,
        created_at=inbound.created_at,
        updated_at=inbound.created_at,
        sender=inbound.sender,
        recipient=inbound.recipient,
        extension=inbound.extension,
        text=inbound.text,
        parts=inbound.parts,
        complete=inbound.complete,
        in_reply_to=inbound.in_reply_to,
        connector=inbound.connector_id,
    )


def utc(moment: datetime | None) -> datetime | None:
    """Return a given time in UTC; ids and stores know none before 1970, and the calendar has an end."""
    if moment is None:
        return None
    try:
        return max(moment.astimezone(UTC), _EPOCH)
    except OverflowError:
        return max(moment.replace(tzinfo=UTC), _EPOCH)
