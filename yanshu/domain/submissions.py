"""Submissions, the carrier's answers, and receipts: what happened to each segment over each connector."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.outcomes import OutcomeClass


class SubmissionStatus(StrEnum):
    """What is known of one segment of one attempt."""

    UNANSWERED = "unanswered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNCLEAR = "unclear"  # the carrier's last word is that it does not know


class AnswerResult(StrEnum):
    """How a submit ended, in our words. The dispatcher alone decides what follows."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # permanent: this message will never be taken like this
    BUSY = "busy"  # a passing fault of the carrier: another try or another connector may do
    THROTTLED = "throttled"  # too fast: not an attempt, the link pauses
    UNANSWERED = "unanswered"  # written to the wire, no answer came: nobody knows
    UNSENT = "unsent"  # never written to the wire: proven not submitted


class Answer(Struct, frozen=True):
    """The end of one submit: segment `segment` (1-based) of `total` PDUs of attempt `attempt` of a message.

    `code` is the carrier's own code as text (SMPP: ``0x00000058``).
    """

    message_id: str
    attempt: int
    segment: int
    total: int
    connector_id: str
    result: AnswerResult
    at: datetime
    carrier_message_id: str | None = None
    code: str | None = None


class Submission(Struct, frozen=True, kw_only=True):
    """One attempt to submit one segment over one connector; key (message_id, attempt, segment).

    `carrier_key` is the normal form of `carrier_message_id` (lower case, zeros stripped), indexed with the connector.
    `outcome` is how the code of a refusal or of a receipt other than delivered was read when it came.
    """

    message_id: str
    attempt: int
    segment: int
    total: int
    connector_id: str
    recipient: str
    status: SubmissionStatus
    answered_at: datetime
    carrier_message_id: str | None = None
    carrier_key: str | None = None
    code: str | None = None
    receipt_status: str | None = None
    receipt_code: str | None = None
    receipt_text: str | None = None
    receipt_at: datetime | None = None
    outcome: OutcomeClass | None = None


class ReceiptState(StrEnum):
    """Neutral state of a receipt (protocols.md §9.4)."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    REJECTED = "rejected"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the carrier has said its last word (``accepted`` is an intermediate state)."""
        return self is not ReceiptState.ACCEPTED


class Receipt(Struct, frozen=True, kw_only=True):
    """The carrier's report on one segment, translated.

    `keys` are the normal forms under which the submission may be stored, likeliest first (literal, hex → decimal,
    decimal → hex). `recipient` is E.164 or None when the carrier leaves it out. `stat` and `err` are kept raw.
    """

    id: str
    connector_id: str
    keys: tuple[str, ...]
    recipient: str | None
    state: ReceiptState
    stat: str
    err: str
    text: str
    done_at: datetime | None
    arrived_at: datetime
    tries: int = 0


class InboundPart(Struct, frozen=True, kw_only=True):
    """One MO as the carrier delivered it: `part` (1-based) of `parts`; `reference` joins the parts of a long text."""

    id: str
    connector_id: str
    sender: str
    recipient: str
    text: str
    raw: bytes
    part: int
    parts: int
    reference: int
    arrived_at: datetime


Arrival = Receipt | InboundPart
