"""Flights: what the engine knows of each segment it was given, until its end has been told."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class Long(Struct):
    """What the segments of one long message share: whether one was written, whether one was taken, and until when to try."""

    until: datetime
    is_begun: bool = False
    is_taken: bool = False


class Flight(Struct, frozen=True):
    """Which segment of which attempt a submit is; `body` is what to write, `long` what it shares with its siblings."""

    message_id: str
    attempt: int
    segment: int
    total: int
    body: Any = b""
    long: Long | None = None
