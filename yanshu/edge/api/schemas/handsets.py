"""Shapes of the sandbox: virtual handsets and what they got."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from yanshu.edge.api.schemas.messages import Text


class PhoneOut(Struct, kw_only=True):
    """A virtual handset; `id` is its number."""

    id: str
    object: Literal["sandbox_phone"] = "sandbox_phone"


class PhonesOut(Struct, kw_only=True):
    """All handsets that something was sent to."""

    object: Literal["list"] = "list"
    data: list[PhoneOut]


class HandsetTextOut(Struct, kw_only=True):
    """A text as the handset shows it."""

    object: Literal["sandbox_text"] = "sandbox_text"
    sender: str
    text: str
    segments: int
    at: datetime


class InboxOut(Struct, kw_only=True):
    """What reached a handset, oldest first."""

    object: Literal["list"] = "list"
    data: list[HandsetTextOut]


class ReplyIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A text to send from a handset, by default to the number that last wrote to it."""

    text: Text
    to: Annotated[str, Meta(pattern=r"^\d{1,20}$")] | None = None


class ReplyOut(Struct, kw_only=True):
    """What was sent."""

    object: Literal["sandbox_reply"] = "sandbox_reply"
    segments: int
