"""Envelope: the JSON a customer's URL gets for events, and which events an endpoint wants."""

from collections.abc import Sequence
from typing import Any

import msgspec

from yanshu.domain.errors import Invalid
from yanshu.domain.events import PUBLIC_TYPES, Event

_PUBLIC = frozenset(PUBLIC_TYPES)
_encode = msgspec.json.Encoder().encode


def envelope(event: Event, view: dict[str, Any]) -> dict[str, Any]:
    """Return one event as API.md §4 shows it; `view` is the object as it was after the event."""
    data: dict[str, Any] = {"object": view}
    if "previous" in event.data:
        data["previous"] = {"status": event.data["previous"]}
    return {
        "id": event.id,
        "type": event.type,
        "created_at": event.created_at,
        "livemode": event.livemode,
        "workspace": event.workspace_id,
        "seq": event.seq,
        "data": data,
    }


def body_of(envelopes: Sequence[dict[str, Any]], *, batched: bool) -> bytes:
    """Return the body of a call: one envelope, or for an endpoint that asked for batches a list object of them."""
    return _encode({"object": "list", "data": envelopes} if batched else envelopes[0])


def wants(patterns: Sequence[str], event_type: str) -> bool:
    """Whether an endpoint with these `patterns` gets events of that type.

    A pattern is a type, ``message.*`` for a family, or ``*``; none at all means every public type.
    """
    if event_type not in _PUBLIC:
        return False
    if not patterns or event_type in patterns or "*" in patterns:
        return True
    return f"{event_type.partition('.')[0]}.*" in patterns


def check_patterns(patterns: Sequence[str], param: str) -> None:
    """Raise `Invalid` for a pattern that no public type matches: what a caller mistyped must not just match nothing."""
    for pattern in patterns:
        if not any(wants((pattern,), known) for known in PUBLIC_TYPES):
            raise Invalid("parameter_invalid", param=param, fix=f"{pattern} is no event type; see docs/reference/events.md")
