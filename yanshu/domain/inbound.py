"""An inbound: an MO after reassembly."""

from datetime import datetime

from msgspec import Struct


class Inbound(Struct, frozen=True, kw_only=True):
    """A text a person sent to one of our numbers. `sender` is the person (E.164), `recipient` our access number.

    `in_reply_to` is the message it most likely answers; `complete` is False when a part never arrived.
    """

    id: str
    workspace_id: str | None
    livemode: bool
    connector_id: str
    sender: str
    recipient: str
    extension: str | None
    text: str
    parts: int
    complete: bool
    in_reply_to: str | None
    created_at: datetime
