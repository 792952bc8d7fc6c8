"""A message: its fields, its statuses, the one transition table, and what a change of it looks like.

```
accepted → held → scheduled → queued → submitting → submitted → (partially_delivered) → delivered ■
rejected ■  canceled ■  expired ■  failed ■  undelivered ■  unknown (submit unanswered)
```
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from yanshu.domain.lanes import DEFAULT_PRIORITY, Lane


class Status(StrEnum):
    """Where a message is in its life."""

    ACCEPTED = "accepted"
    HELD = "held"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CANCELED = "canceled"


FINALS = frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.FAILED, Status.EXPIRED, Status.REJECTED, Status.CANCELED})

_WAITING = frozenset({Status.HELD, Status.SCHEDULED, Status.QUEUED})
_STOPS = frozenset({Status.CANCELED, Status.EXPIRED, Status.REJECTED, Status.FAILED})
_REPORTED = frozenset({Status.PARTIALLY_DELIVERED, Status.DELIVERED, Status.UNDELIVERED})

# The one transition table. A status that is not a key on the left is final. Going back to `queued` or `scheduled` is only
# written when the carrier has proven that it did not take the message or that no segment arrived, or when the message accepts
# the risk to arrive twice (API.md §3). A late positive receipt of the attempt before calls another attempt off.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.ACCEPTED: _WAITING | _STOPS,
    Status.HELD: _WAITING | _STOPS | {Status.DELIVERED},
    Status.SCHEDULED: _WAITING | _STOPS | {Status.DELIVERED},
    Status.QUEUED: _WAITING | _STOPS | {Status.SUBMITTING, Status.DELIVERED},
    Status.SUBMITTING: _REPORTED | {Status.SUBMITTED, Status.UNKNOWN, Status.QUEUED, Status.SCHEDULED, Status.FAILED, Status.EXPIRED},
    Status.UNKNOWN: _REPORTED | {Status.SUBMITTED, Status.QUEUED, Status.SCHEDULED, Status.FAILED, Status.EXPIRED},
    Status.SUBMITTED: _REPORTED | {Status.QUEUED, Status.SCHEDULED, Status.EXPIRED},
    Status.PARTIALLY_DELIVERED: frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.QUEUED, Status.SCHEDULED}),
    # The one correction: a late positive receipt within CORRECTION_WINDOW.
    Status.UNDELIVERED: frozenset({Status.DELIVERED}),
    Status.EXPIRED: frozenset({Status.DELIVERED}),
    Status.FAILED: frozenset(),
    Status.DELIVERED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.CANCELED: frozenset(),
}

CORRECTION_WINDOW = timedelta(hours=72)
# The reason of a message that was submitted, as far as anybody knows, and never answered.
OUTCOME_UNKNOWN = "outcome_unknown"


class Risk(StrEnum):
    """Whether a message may be submitted again while nobody knows what became of the first attempt."""

    NO_DUPLICATE = "no_duplicate"
    BEST_EFFORT = "best_effort"


class Encoding(StrEnum):
    """Alphabet of the text on the air."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Message(Struct, frozen=True, kw_only=True):
    """One text to one recipient. `recipient` is E.164; times are aware UTC; `units` are septets or UTF-16 units.

    `due_at` is when the next deadline of the present status falls (None when final); `version` counts the changes and
    guards every write; `candidates` are the connectors allowed by routing, best first; `connector_id` is the present one.
    """

    id: str
    workspace_id: str
    livemode: bool
    lane: Lane
    recipient: str
    sender: str
    text: str
    encoding: Encoding
    units: int
    segments: int
    status: Status
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    due_at: datetime | None
    send_at: datetime | None = None
    submitted_at: datetime | None = None
    done_at: datetime | None = None
    priority: int = DEFAULT_PRIORITY
    risk: Risk = Risk.NO_DUPLICATE
    batch_id: str | None = None
    connector_id: str | None = None
    candidates: tuple[str, ...] = ()
    attempts: int = 0
    reason_code: str | None = None
    reason_raw: str | None = None
    duplicates_possible: bool = False
    client_reference: str | None = None
    callback_url: str | None = None
    metadata: dict[str, Any] | None = None
    version: int = 1

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self.status in FINALS


class Change(Struct, frozen=True, kw_only=True):
    """One guarded update of a message: applied only while the stored version is still `expected`.

    Holds the whole mutable part of the row after the change, so that a store writes it without reading.
    """

    message_id: str
    expected: int
    version: int
    batch_id: str | None
    previous: Status
    status: Status
    updated_at: datetime
    due_at: datetime | None
    expires_at: datetime
    send_at: datetime | None
    submitted_at: datetime | None
    done_at: datetime | None
    connector_id: str | None
    attempts: int
    reason_code: str | None
    reason_raw: str | None
    duplicates_possible: bool


def may_move(current: Status, new: Status) -> bool:
    """Whether the transition table has the step `current` → `new`."""
    return new in TRANSITIONS[current]
