"""What carriers call us with, in our words: receipts and texts of people. A report that names nobody and nothing is left out."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import msgspec
from msgspec import Struct

from yanshu.adapters.carriers.arrivals import LONGEST_CODE, LONGEST_ID, access_number, kept, phone_number, state_of
from yanshu.adapters.carriers.http.bodies import form_of, query_of, read_json
from yanshu.adapters.carriers.http.definition import InboundMapping, ReceiptMapping, Time
from yanshu.adapters.carriers.http.places import at, number_of, pick
from yanshu.domain import ids
from yanshu.domain.submissions import InboundPart, Receipt, ReceiptState
from yanshu.ports.callbacks import Callback

_MOST_PARTS = 255
_LONGEST_ROW = 4000  # of a report as the carrier wrote it, kept to be read by a person
_LONGEST_TEXT = _MOST_PARTS * 153


class Stamp(Struct, frozen=True):
    """Whose callbacks these are, and what ids are made from: `entropy` is 10 random bytes."""

    connector_id: str
    sender: str
    now: datetime
    entropy: bytes


def read_receipts(mapping: ReceiptMapping, rows: Sequence[object], stamp: Stamp) -> list[Receipt]:
    """Return a receipt for every report that names a message, in order."""
    named = [(row, ident) for row in rows if (ident := next(filter(None, (pick(text, row) for text in mapping.id)), ""))]
    idents = _idents(ids.RECEIPT, len(named), stamp)
    return [_receipt(mapping, row, carrier_id, ident, stamp) for (row, carrier_id), ident in zip(named, idents, strict=True)]


def read_inbounds(mapping: InboundMapping, rows: Sequence[object], stamp: Stamp) -> list[InboundPart]:
    """Return a text for every report that names who wrote it, in order."""
    named = [row for row in rows if pick(mapping.sender, row)]
    idents = _idents(ids.INBOUND, len(named), stamp)
    return [_part(mapping, row, ident, stamp) for row, ident in zip(named, idents, strict=True)]


def rows_of(path: str, callback: Callback) -> list[object]:
    """Return the reports of a callback: objects of a JSON array, one object, or the fields of a form and the query."""
    if callback.body.lstrip()[:1] not in {b"{", b"["}:
        fields = dict((*query_of(callback), *form_of(callback)))
        return [fields] if fields else []
    document = read_json(callback.body)
    found = at(document, path) if path else document
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]


def _idents(prefix: str, count: int, stamp: Stamp) -> list[str]:
    return ids.make_ids(prefix, count, stamp.now, stamp.entropy) if count else []


def _receipt(mapping: ReceiptMapping, row: object, carrier_id: str, ident: str, stamp: Stamp) -> Receipt:
    said = [value for value in (pick(text, row) for text in mapping.state) if value]
    return Receipt(
        id=ident,
        connector_id=stamp.connector_id,
        # The same normal form as a stored submission has.
        keys=(kept(carrier_id[:LONGEST_ID]).lower().lstrip("0") or "0",),
        recipient=phone_number(kept(pick(mapping.recipient, row))),
        state=_state(mapping, said),
        stat=kept(said[0])[:LONGEST_CODE] if said else "",
        err=kept(pick(mapping.err, row))[:LONGEST_CODE],
        text=kept(str(msgspec.json.encode(row), "utf-8"))[:_LONGEST_ROW],
        done_at=_time(mapping.done, row) if mapping.done is not None else None,
        arrived_at=stamp.now,
    )


def _state(mapping: ReceiptMapping, said: Sequence[str]) -> ReceiptState:
    """The definition's own words first, then those of all carriers (protocols.md §9.4); a report that says nothing ends nothing."""
    if not said:
        return ReceiptState.ACCEPTED
    for value in said:
        if (state := mapping.states.get(value)) is not None:
            return state
    for value in said:
        if (state := state_of(value, acceptd_is_final=False)) is not ReceiptState.UNKNOWN:
            return state
    return mapping.otherwise


def _part(mapping: InboundMapping, row: object, ident: str, stamp: Stamp) -> InboundPart:
    text = kept(pick(mapping.text, row))[:_LONGEST_TEXT]
    parts, part = number_of(mapping.parts, row), number_of(mapping.part, row)
    is_long = 1 < parts <= _MOST_PARTS and 1 <= part <= parts
    return InboundPart(
        id=ident,
        connector_id=stamp.connector_id,
        sender=phone_number(kept(pick(mapping.sender, row))) or "",
        recipient=access_number(kept(pick(mapping.recipient, row)), stamp.sender) or stamp.sender,
        text=text,
        raw=text.encode("utf-8", "replace"),
        part=part if is_long else 1,
        parts=parts if is_long else 1,
        reference=number_of(mapping.reference, row) & 0xFFFF if is_long else 0,
        arrived_at=stamp.now,
    )


def _time(time: Time, row: object) -> datetime | None:
    """Read a time; None when it is none, or one that no calendar of ours has."""
    text = pick(time.at, row)
    zone = timezone(timedelta(minutes=time.utc_offset_minutes))
    try:
        if time.form == "unix":
            return datetime.fromtimestamp(int(text), zone)
        read = datetime.fromisoformat(text) if time.form == "iso" else datetime.strptime(text, time.form)  # noqa: DTZ007 - below
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)
