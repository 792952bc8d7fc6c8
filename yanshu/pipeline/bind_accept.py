"""Binds, the way in: what customers submit over SMPP and CMPP becomes messages, in chunks, through the one first stage.

A long text comes as segments, each a submit of its own. They are joined, not relayed: rules look at whole texts, routes and
prices at whole messages, and every carrier has its own way of cutting. A segment is answered once it is safe, so one whose
siblings are still to come is stored; the message is made when the last of them is there.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.binds import Alphabet, Bind, BindPart, BindProtocol, BindSubmit, Ticket
from yanshu.domain.commands import Recipient, Send
from yanshu.domain.errors import CallerError, Invalid, Overloaded, RecipientRefused, StoreBusy
from yanshu.domain.messages import Message
from yanshu.pipeline.accept import Accepter, Taken
from yanshu.pipeline.compose import Composed, check_send_at
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.compliance.length import MAX_SEGMENTS
from yanshu.rules.contacts.phones import parse_phone

# As long as we wait for the parts of an inbound (protocols.md §7).
PART_WAIT = timedelta(minutes=5)
# A group that is complete and still there was left by a process that died: others give it this long to join its own.
_SETTLED = timedelta(seconds=2)
_GROUPS = 100
# Customers cut smaller than we do, some much smaller; a text of more segments than this is too long however it is cut.
_MOST_PARTS = 4 * MAX_SEGMENTS

ReadText: TypeAlias = Callable[[BindProtocol, bytes, int, Alphabet], str]
"""Turns octets of a coding into text, as the protocol says."""

Told: TypeAlias = tuple[str, ...] | CallerError
"""What a submit is answered with: the ids of its messages or segments, one a number, or why it was refused."""


class _Whole(Struct):
    """A text that is all there: the submits it came in, by part, and where these stood among those handed in."""

    submits: list[BindSubmit]
    places: list[int]


class BindIntake:
    """First stage of what comes over binds. Nothing is answered before it is committed."""

    def __init__(self, store: Store, clock: Clock, accepter: Accepter, read_text: ReadText) -> None:
        self._store = store
        self._clock = clock
        self._accepter = accepter
        self._read_text = read_text

    async def take(self, bind: Bind, submits: Sequence[BindSubmit]) -> list[Told]:
        """Take responsibility for a chunk of submits; what each is answered with, in order: `Overloaded` if it could not be stored."""
        told: list[Told] = [Overloaded("overloaded", retry_after=1)] * len(submits)
        named = self._named(submits)
        wholes, lone = _sorted_out(named)
        with contextlib.suppress(StoreBusy):
            if lone:
                await self._keep(bind, named, lone, told)
        with contextlib.suppress(Overloaded, StoreBusy):
            if wholes:
                await self._accept(bind, wholes, told)
        return told

    async def sweep(self) -> int:
        """Join what a dead process left complete, and give up texts whose missing segments never came; how many texts."""
        now = self._clock.now()
        async with self._store.read() as uow:
            groups = await uow.binds.ripe_groups(now - _SETTLED, now - PART_WAIT, _GROUPS)
            binds = {ident: await uow.binds.get(ident) for ident in {bind_id for bind_id, _ in groups}}
        for bind_id, group in groups:
            if (bind := binds[bind_id]) is not None:
                await self._join(bind, group, even_incomplete=True)
        return len(groups)

    def _named(self, submits: Sequence[BindSubmit]) -> list[BindSubmit]:
        """Give segments of long texts ids of their own; that of their message does not exist yet."""
        nameless = sum(len(submit.numbers) for submit in submits if submit.parts > 1 and None in submit.idents)
        if not nameless:
            return list(submits)
        minted = iter(ids.make_ids(ids.SEGMENT, nameless, self._clock.now(), self._clock.entropy(ids.ENTROPY_BYTES)))
        return [
            replace(submit, idents=tuple(next(minted) for _ in submit.numbers)) if submit.parts > 1 and None in submit.idents else submit
            for submit in submits
        ]

    async def _accept(self, bind: Bind, wholes: list[_Whole], told: list[Told]) -> None:
        """Accept whole texts as one chunk; the tickets are stored with their messages."""
        sends = [self._send(bind, whole.submits) for whole in wholes]
        now = self._clock.now()

        async def also(uow: UnitOfWork, taken: list[Taken]) -> None:
            pairs = zip(wholes, taken, strict=True)
            await uow.binds.add_tickets([ticket for whole, one in pairs for ticket in _tickets(bind, whole.submits, one, now)])

        for whole, one in zip(wholes, await self._accepter.accept_each(sends, also), strict=True):
            for place, submit in zip(whole.places, whole.submits, strict=True):
                told[place] = one if isinstance(one, CallerError) else _idents(submit, one)

    async def _keep(self, bind: Bind, submits: Sequence[BindSubmit], lone: dict[str, list[int]], told: list[Told]) -> None:
        """Store segments whose siblings are not here; then join what has become whole."""
        parts = self._parts(bind, submits, lone, told)
        if not parts:
            return
        kept = await self._store_parts(bind, list(parts.values()))
        for place, part in parts.items():
            # One that was there already came again because its answer got lost: it gets the same answer.
            told[place] = _idents(kept[part.group, part.part].submit, [])
        counts = Counter(group for group, _ in kept)
        for (group, number), part in kept.items():
            if number == part.parts == counts[group]:
                with contextlib.suppress(StoreBusy):  # they are safe; the sweep joins them
                    await self._join(bind, group)

    def _parts(self, bind: Bind, submits: Sequence[BindSubmit], lone: dict[str, list[int]], told: list[Told]) -> dict[int, BindPart]:
        """Return place → part of the segments that can be kept; what is wrong with the others is told."""
        now = self._clock.now()
        parts: dict[int, BindPart] = {}
        for group, places in lone.items():
            for place in places:
                try:
                    self._check(bind, submits[place], now)
                except CallerError as error:
                    told[place] = error
                else:
                    parts[place] = _part(bind, group, submits[place], now, self._clock.entropy(ids.ENTROPY_BYTES))
        return parts

    async def _store_parts(self, bind: Bind, parts: Sequence[BindPart]) -> dict[tuple[str, int], BindPart]:
        """Store parts; (group, part) → what is kept of their groups by then. A group whose reference is used anew is given up."""
        groups = sorted({part.group for part in parts})
        given_up: list[Message] = []
        async with self._store.write() as uow:
            for group in groups:
                old = await uow.binds.parts_of(bind.id, group)
                if _is_reused(old, parts):
                    given_up += (await self._make(uow, bind, group, old)).messages
            await uow.binds.add_parts(parts)
            kept = {(part.group, part.part): part for group in groups for part in await uow.binds.parts_of(bind.id, group)}
            await uow.commit()
        if given_up:
            self._accepter.announce(given_up)
        return kept

    def _check(self, bind: Bind, submit: BindSubmit, now: datetime) -> None:
        """Refuse at once what is wrong whatever the siblings are like: later nobody waits for an answer."""
        if submit.parts > _MOST_PARTS:
            raise Invalid("text_too_long", param="text", fix=f"at most {MAX_SEGMENTS} segments; shorten it")
        check_send_at(submit.send_at, now)
        for number in submit.numbers:
            parse_phone(number, livemode=bind.livemode)

    async def _join(self, bind: Bind, group: str, *, even_incomplete: bool = False) -> None:
        """Make the message of a stored group, if it is all there and nobody else has made it."""
        async with self._store.write() as uow:
            parts = await uow.binds.parts_of(bind.id, group)
            if not parts or (len(parts) < parts[0].parts and not even_incomplete):
                return
            composed = await self._make(uow, bind, group, parts)
            await uow.commit()
        self._accepter.announce(composed.messages)

    async def _make(self, uow: UnitOfWork, bind: Bind, group: str, parts: Sequence[BindPart]) -> Composed:
        """Store the message of a group in place of its parts; a text that is not all there becomes a rejected one, which says so."""
        now = self._clock.now()
        submits = [part.submit for part in parts]
        send = self._send(bind, submits)
        if send.send_at is not None and send.send_at < now:
            send = replace(send, send_at=None)
        refusal = None if len(parts) == parts[0].parts else RecipientRefused("segments_missing", param="text")
        composed = await self._accepter.compose(send, uow, refusal)
        await self._accepter.store(uow, composed)
        await uow.binds.add_tickets(_tickets(bind, submits, composed.messages, now))
        await uow.binds.remove_parts(bind.id, group)
        return composed

    def _send(self, bind: Bind, submits: Sequence[BindSubmit]) -> Send:
        """Return the command that the submits of one text mean; what is not in the text comes from the first."""
        first = submits[0]
        return Send(
            workspace_id=bind.workspace_id,
            livemode=bind.livemode,
            text=self._text(bind, submits),
            recipients=tuple(Recipient(number, None, first.client_reference) for number in first.numbers),
            lane=bind.lane,
            sender=first.sender,
            send_at=first.send_at,
            expires_in=first.expires_in,
            priority=first.priority,
            literal=True,
        )

    def _text(self, bind: Bind, submits: Sequence[BindSubmit]) -> str:
        """Return the whole text. Octets are joined before they are read: customers cut in the middle of characters."""
        codings = {submit.coding for submit in submits}
        if len(codings) == 1:
            content = b"".join(submit.content for submit in submits)
            return self._readable(bind, content, submits[0].coding)
        return "".join(self._readable(bind, submit.content, submit.coding) for submit in submits)

    def _readable(self, bind: Bind, content: bytes, coding: int) -> str:
        # U+0000 is the one character that not every store can keep.
        return self._read_text(bind.protocol, content, coding, bind.alphabet).replace("\0", "\ufffd")


def _sorted_out(submits: Sequence[BindSubmit]) -> tuple[list[_Whole], dict[str, list[int]]]:
    """Tell texts that are all there, the segments of one joined, from groups of segments that are not (group → places)."""
    wholes: list[_Whole] = []
    groups: dict[str, list[int]] = {}
    for place, submit in enumerate(submits):
        if submit.parts == 1:
            wholes.append(_Whole([submit], [place]))
        else:
            groups.setdefault(_group(submit), []).append(place)
    lone: dict[str, list[int]] = {}
    for group, places in groups.items():
        by_part = sorted(places, key=lambda place: submits[place].part)
        if [submits[place].part for place in by_part] == list(range(1, submits[places[0]].parts + 1)):
            wholes.append(_Whole([submits[place] for place in by_part], by_part))
        else:
            lone[group] = places
    return sorted(wholes, key=lambda whole: min(whole.places)), lone


def _group(submit: BindSubmit) -> str:
    """What the segments of one text have in common."""
    return "\x1f".join((submit.source, *submit.destinations, str(submit.reference), str(submit.parts)))


def _is_reused(old: Sequence[BindPart], parts: Iterable[BindPart]) -> bool:
    """Whether the reference of a stored group is used for another text now: its segments must not get among these."""
    known = {(part.group, part.part): part.submit.content for part in old}
    return any(known.get((part.group, part.part), part.submit.content) != part.submit.content for part in parts)


def _part(bind: Bind, group: str, submit: BindSubmit, now: datetime, entropy: bytes) -> BindPart:
    ident = ids.make_id(ids.SEGMENT, now, entropy)
    return BindPart(id=ident, bind_id=bind.id, group=group, part=submit.part, parts=submit.parts, submit=submit, arrived_at=now)


def _tickets(bind: Bind, submits: Sequence[BindSubmit], taken: Taken, now: datetime) -> list[Ticket]:
    """Return what the customer was given: one ticket a segment and message; none for a text that was refused."""
    if isinstance(taken, CallerError):
        return []
    return [
        Ticket(
            message_id=message.id,
            segment=submit.part,
            bind_id=bind.id,
            ident=ident or message.id,
            source=submit.source,
            destination=destination,
            wanted=submit.wanted,
            created_at=now,
        )
        for submit in submits
        for message, ident, destination in zip(taken, submit.idents, submit.destinations, strict=True)
    ]


def _idents(submit: BindSubmit, messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the ids a submit is answered with: those it has, else its messages'."""
    named = tuple(ident for ident in submit.idents if ident is not None)
    return named or tuple(message.id for message in messages)
