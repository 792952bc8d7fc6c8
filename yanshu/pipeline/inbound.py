"""Inbound: a text a person sent us. Stored first, then joined with its siblings, then told to whoever wants to know."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.events import Event
from yanshu.domain.inbound import Inbound
from yanshu.domain.submissions import InboundPart
from yanshu.pipeline.route import Router
from yanshu.ports.clock import Clock
from yanshu.ports.store import UnitOfWork

# china-sms.md §1.4: a reply is taken for an answer to the last message to that number within 72 h.
_REPLY_WINDOW = timedelta(hours=72)
# A carrier repeats an MO when our acknowledgement got lost; a person does not send the same text twice that fast.
_REPEAT_WINDOW = timedelta(seconds=15)
# protocols.md §7: incomplete texts are given up, and delivered as they are, after this.
PART_WAIT = timedelta(minutes=5)


class InboundStage:
    """Turns parts into inbounds within the transaction that stores them."""

    def __init__(self, clock: Clock, router: Router) -> None:
        self._clock = clock
        self._router = router

    async def take(self, uow: UnitOfWork, parts: Sequence[InboundPart], now: datetime) -> None:
        """Store parts; those that complete a text become an inbound with its event."""
        for part in parts:
            if part.parts == 1:
                await self._receive(uow, [part], now)
                continue
            # A part whose siblings are gone already would wait for them in vain, and come out as a text of its own.
            if await uow.inbounds.seen(_part_digest(part), now - PART_WAIT):
                continue
            await uow.inbounds.add_parts([part])
            siblings = await uow.inbounds.parts_of(part)
            if len(siblings) == part.parts:
                await self._receive(uow, siblings, now)

    async def give_up(self, uow: UnitOfWork, now: datetime, limit: int) -> int:
        """Deliver texts whose missing parts never came, marked incomplete; how many parts were taken."""
        stale = await uow.inbounds.stale_parts(now - PART_WAIT, limit)
        seen: set[str] = set()
        for part in stale:
            if part.id in seen:
                continue
            siblings = await uow.inbounds.parts_of(part)
            seen.update(sibling.id for sibling in siblings)
            await self._receive(uow, siblings, now)
        return len(stale)

    async def _receive(self, uow: UnitOfWork, parts: Sequence[InboundPart], now: datetime) -> None:
        """Make one inbound of parts in order, unless it is a repetition."""
        first = parts[0]
        text = "".join(part.text for part in parts)
        digest = _digest(first, text)
        repeated = await uow.inbounds.seen(digest, now - _REPEAT_WINDOW)
        await uow.inbounds.mark_seen(digest, now)
        if first.parts > 1:
            await uow.inbounds.remove_parts([part.id for part in parts])
            for part in parts:
                await uow.inbounds.mark_seen(_part_digest(part), now)
        if repeated:
            return
        inbound = await self._resolve(uow, first, text, now)
        await uow.inbounds.add([replace(inbound, parts=first.parts, complete=len(parts) == first.parts)])
        if inbound.workspace_id is not None:
            await uow.events.add([self._event(inbound, inbound.workspace_id, now)])

    async def _resolve(self, uow: UnitOfWork, part: InboundPart, text: str, now: datetime) -> Inbound:
        """Find whose it is: that of the last message to this number over this connector, else the default workspace."""
        answered = await uow.messages.latest_to(part.sender, part.connector_id, now - _REPLY_WINDOW)
        connector = self._router.connectors.get(part.connector_id)
        own = connector.sender if connector else ""
        return Inbound(
            id=ids.make_id(ids.INBOUND, now, self._clock.entropy(ids.ENTROPY_BYTES)),
            workspace_id=answered.workspace_id if answered else await uow.records.get_value("default_workspace"),
            livemode=answered.livemode if answered else not (connector is not None and connector.simulated),
            connector_id=part.connector_id,
            sender=part.sender,
            recipient=part.recipient,
            extension=part.recipient.removeprefix(own) if own and part.recipient.startswith(own) and part.recipient != own else None,
            text=text,
            parts=1,
            complete=True,
            in_reply_to=answered.id if answered else None,
            created_at=now,
        )

    def _event(self, inbound: Inbound, workspace_id: str, now: datetime) -> Event:
        data: dict[str, Any] = {"from": inbound.sender, "to": inbound.recipient, "in_reply_to": inbound.in_reply_to}
        return Event(
            workspace_id=workspace_id,
            livemode=inbound.livemode,
            type="inbound.received",
            object_id=inbound.id,
            seq=1,
            created_at=now,
            data=data,
        )


def _part_digest(part: InboundPart) -> str:
    """Return the fingerprint by which a repeated part of a long MO is known."""
    return _digest(part, f"{part.part}\x1f{part.raw.hex()}")


def _digest(part: InboundPart, text: str) -> str:
    """Return the fingerprint by which a repeated MO is known."""
    seed = "\x1f".join((part.connector_id, part.sender, part.recipient, str(part.reference), str(part.parts), text))
    return hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()
