"""Event packs: what one call appends for one workspace is one row, and its events are places in that row (ADR 0006)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from yanshu.adapters.stores.rows import micros, moment
from yanshu.domain.events import Event
from yanshu.domain.ids import EVENT, place_head, place_id
from yanshu.ports.filters import EventFilter

# Columns of a pack behind its commit number.
PACK_COLUMNS = ("place", "count", "workspace_id", "livemode", "types", "called_back", "object_id", "created_at", "body")
PLACE_BITS = 20

PackRow = tuple[int, int, str, bool, str, bool, str | None, int, str]
_Written = tuple[str, str, int, int, dict[str, Any], str | None]
_DECODER = msgspec.json.Decoder(list[_Written])


def pack(events: Sequence[Event], place: int) -> list[PackRow]:
    """Rows in the order of `PACK_COLUMNS` for events of one call; `place` is how many this transaction has appended before."""
    packs: dict[tuple[str, bool], list[Event]] = {}
    for event in events:
        packs.setdefault((event.workspace_id, event.livemode), []).append(event)
    rows: list[PackRow] = []
    for (workspace_id, livemode), items in packs.items():
        rows.append(_row(items, place, workspace_id, livemode))
        place += len(items)
    return rows


def _row(items: list[Event], place: int, workspace_id: str, livemode: bool) -> PackRow:
    types = sorted({event.type for event in items})
    first = items[0].object_id
    body = msgspec.json.encode([(e.type, e.object_id, e.seq, micros(e.created_at), e.data, e.callback_url) for e in items])
    return (
        place,
        len(items),
        workspace_id,
        livemode,
        f" {' '.join(types)} ",
        any(event.callback_url for event in items),
        first if all(event.object_id == first for event in items) else None,
        max(micros(event.created_at) for event in items),
        body.decode(),
    )


def holds(filters: EventFilter) -> Callable[[Event], bool]:
    """Return the test of a single event. Workspace and mode are a pack's own, so a query has seen to them."""
    types, object_id, called_back = frozenset(filters.types), filters.object_id, filters.called_back

    def keeps(event: Event) -> bool:
        return (
            (not types or event.type in types)
            and (object_id is None or event.object_id == object_id)
            and not (called_back and event.callback_url is None)
        )

    return keeps


def unpack(row: Sequence[Any], backwards: bool = False) -> Iterator[Event]:
    """Events of a row (commit number, then `PACK_COLUMNS`) in their order, or from the last to the first."""
    number, place, _, workspace_id, livemode = row[:5]
    written = _DECODER.decode(row[9])
    heads: dict[int, tuple[str, datetime]] = {}
    for index in reversed(range(len(written))) if backwards else range(len(written)):
        kind, object_id, seq, at, data, callback_url = written[index]
        known = heads.get(at)
        if known is None:
            created_at = moment(at)
            known = heads[at] = (place_head(EVENT, created_at, number), created_at)
        yield Event(
            workspace_id=workspace_id,
            livemode=bool(livemode),
            type=kind,
            object_id=object_id,
            seq=seq,
            created_at=known[1],
            data=data,
            callback_url=callback_url,
            id=place_id(known[0], place + index),
            position=(number << PLACE_BITS) + place + index,
        )


def only(row: Sequence[Any], positions: Iterable[int]) -> list[Event]:
    """Those events of a row that stand at these positions."""
    wanted = set(positions)
    return [event for event in unpack(row) if event.position in wanted]
