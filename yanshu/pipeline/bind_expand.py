"""Binds, the way back: events become what binds are owed, one unit of work for the rows and for how far we have read.

Each bind has a position of its own, as webhook endpoints have. A message's end becomes one receipt for each submit that asked
for it, once and for all: a later correction is told by webhook and API, not by a second final receipt. An inbound goes to the
bind whose message it answers, else to the one whose sender rules name the number it came to best.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from yanshu.domain import ids
from yanshu.domain.binds import Alphabet, Bind, BindDelivery, BindProtocol, BindStatus, ReceiptOwed, TextOwed, Ticket, Wanted
from yanshu.domain.errors import StoreBusy
from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.messages import FINALS, Encoding, Status
from yanshu.ports.clock import Clock
from yanshu.ports.filters import EventFilter, Page
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.accounts.binds import reach_of
from yanshu.text import gsm7, segments

# How long something is owed to a customer who does not come for it.
KEPT = timedelta(hours=72)
_EVENTS = 1000
_BINDS = 20
_POLL_SECONDS = 1.0
_BUSY_PAUSE_SECONDS = 0.5
_GATHER_SECONDS = 0.02
_MOST_BINDS = 1000
_INBOUND = "inbound.received"
_ENDS: dict[str, Status] = {f"message.{status}": status for status in sorted(FINALS)}
_TYPES = (*_ENDS, _INBOUND)


class BindExpander:
    """Notes what is owed to whom."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._last = clock.now()
        self.has_more = False
        """After a step: whether a chunk was full, so that the next step has work at once."""

    async def run(self) -> None:
        """Expand for ever."""
        while True:
            try:
                await self.step()
            except StoreBusy:
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
                continue
            if not self.has_more:
                await self._store.wait("events", _POLL_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)

    async def step(self) -> int:
        """Do one chunk for every bind that is behind; how many deliveries were made."""
        self.has_more = False
        async with self._store.read() as uow:
            if not await uow.binds.is_any_behind(await uow.events.last_position()):
                return 0
        made: list[BindDelivery] = []
        async with self._store.write() as uow:
            last = await uow.events.last_position()
            behind = await uow.binds.behind(last, _BINDS)
            self.has_more = len(behind) == _BINDS
            for bind in behind:
                owed, position = await self._bind(uow, bind, last)
                made += owed
                await uow.binds.advance(bind.id, position)
            if made:
                await uow.binds.add_deliveries(made)
            await uow.commit()
        if made:
            self._store.wake("binds")
        return len(made)

    async def _bind(self, uow: UnitOfWork, bind: Bind, last: int) -> tuple[list[BindDelivery], int]:
        """Read on for one bind; what it is owed, and the position reached."""
        filters = EventFilter(workspace_id=bind.workspace_id, types=_TYPES, livemode=bind.livemode)
        events = await uow.events.after(bind.position, _EVENTS, filters)
        owed = await self._receipts(uow, bind, [event for event in events if event.type != _INBOUND])
        owed += await self._texts(uow, bind, [event for event in events if event.type == _INBOUND])
        if len(events) >= _EVENTS:
            self.has_more = True
            return self._numbered(bind, owed), events[-1].position
        return self._numbered(bind, owed), max(last, events[-1].position) if events else last

    async def _receipts(self, uow: UnitOfWork, bind: Bind, events: Sequence[Event]) -> list[tuple[str, ReceiptOwed | TextOwed]]:
        """Return a receipt for every submit that asked for one and whose message has ended."""
        if not events:
            return []
        tickets = await uow.binds.tickets_of([event.object_id for event in events])
        waiting: dict[str, list[Ticket]] = {}
        for ticket in tickets:
            if ticket.bind_id == bind.id and ticket.finished_at is None:
                waiting.setdefault(ticket.message_id, []).append(ticket)
        if not waiting:
            return []
        await uow.binds.finish_tickets(list(waiting), self._clock.now())
        return [
            (event.object_id, _receipt(ticket, event))
            for event in events
            for ticket in waiting.pop(event.object_id, ())
            if _is_wanted(ticket, _ENDS[event.type])
        ]

    async def _texts(self, uow: UnitOfWork, bind: Bind, events: Sequence[Event]) -> list[tuple[str, ReceiptOwed | TextOwed]]:
        """Return the inbounds that are this bind's, cut for its protocol."""
        if not events:
            return []
        answered = [event.data["in_reply_to"] for event in events if event.data.get("in_reply_to")]
        tickets = await uow.binds.tickets_of(answered) if answered else []
        owners = {ticket.message_id: ticket.bind_id for ticket in tickets}
        others = await uow.binds.page(bind.workspace_id, Page(limit=_MOST_BINDS, descending=False), bind.livemode)
        owed: list[tuple[str, ReceiptOwed | TextOwed]] = []
        for event in events:
            owner = owners.get(event.data.get("in_reply_to") or "") or _reached(others, event.data["to"])
            inbound = await uow.inbounds.get(event.object_id) if owner == bind.id else None
            if inbound is not None:
                owed += [(inbound.id, text) for text in _cut(inbound, bind)]
        return owed

    def _numbered(self, bind: Bind, owed: Sequence[tuple[str, ReceiptOwed | TextOwed]]) -> list[BindDelivery]:
        """Make deliveries whose ids ascend, even when two chunks fall into one millisecond or the clock steps back."""
        if not owed:
            return []
        now = self._clock.now()
        self._last = max(now, self._last + timedelta(milliseconds=1))
        idents = ids.make_ids(ids.BIND_DELIVERY, len(owed), self._last, self._clock.entropy(ids.ENTROPY_BYTES))
        return [_delivery(ident, bind, object_id, what, now) for ident, (object_id, what) in zip(idents, owed, strict=True)]


def _delivery(ident: str, bind: Bind, object_id: str, what: ReceiptOwed | TextOwed, now: datetime) -> BindDelivery:
    return BindDelivery(
        id=ident,
        bind_id=bind.id,
        object_id=object_id,
        created_at=now,
        expires_at=now + KEPT,
        next_at=now,
        receipt=what if isinstance(what, ReceiptOwed) else None,
        text=what if isinstance(what, TextOwed) else None,
    )


def _is_wanted(ticket: Ticket, status: Status) -> bool:
    return ticket.wanted is Wanted.ALWAYS or (ticket.wanted is Wanted.FAILURE and status is not Status.DELIVERED)


def _receipt(ticket: Ticket, event: Event) -> ReceiptOwed:
    return ReceiptOwed(
        ident=ticket.ident,
        source=ticket.source,
        destination=ticket.destination,
        status=_ENDS[event.type],
        submitted_at=ticket.created_at,
        done_at=event.created_at,
        reason=event.data.get("reason"),
        stat=event.data.get("stat"),
        code=event.data.get("code"),
    )


def _reached(binds: Iterable[Bind], number: str) -> str | None:
    """Return the bind that an inbound to `number` belongs to when it answers nothing that came over a bind; of equals the oldest."""
    reached = [(reach_of(bind.senders, number), bind.id) for bind in binds if bind.inbound and bind.status is BindStatus.ENABLED]
    best = max((reach for reach, _ in reached), default=None)
    return None if best is None or best < 0 else next(ident for reach, ident in reached if reach == best)


def _cut(inbound: Inbound, bind: Bind) -> list[TextOwed]:
    """Return an inbound as the segments it is delivered in."""
    in_gsm = bind.protocol is BindProtocol.SMPP and bind.alphabet is Alphabet.GSM and gsm7.is_gsm7(inbound.text)
    encoding = Encoding.GSM7 if in_gsm else Encoding.UCS2
    pieces = segments.cut(inbound.text, encoding, *segments.LIMITS[encoding])
    return [
        TextOwed(
            ident=inbound.id,
            sender=inbound.sender,
            recipient=inbound.recipient,
            text=piece,
            encoding=encoding,
            part=part,
            parts=len(pieces),
            reference=sum(inbound.id.encode()) & 0xFF,
        )
        for part, piece in enumerate(pieces, 1)
    ]
