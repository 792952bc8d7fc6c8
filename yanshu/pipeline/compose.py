"""Compose: from a `Send` to messages ready to be stored: numbers, texts, segments, check and route, for a whole chunk."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.commands import Preview, Recipient, Send
from yanshu.domain.errors import CallerError, Invalid, PolicyRefused
from yanshu.domain.events import Event
from yanshu.domain.lanes import LANE_LIFETIME
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.pipeline.check import Checker
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.route import Router
from yanshu.pipeline.suppress import NOBODY, Suppressed, suppress
from yanshu.pipeline.ways import Ways
from yanshu.ports.clock import Clock
from yanshu.ports.store import UnitOfWork
from yanshu.rules.compliance.verdicts import Draft, Outcome, Verdict
from yanshu.rules.contacts.phones import parse_phone
from yanshu.rules.templates.places import Places, compile_text, signature_of, with_signature
from yanshu.text import segments

_MAX_AHEAD = timedelta(days=366)
_CLOCK_SKEW = timedelta(seconds=60)
_UNREADABLE = 40  # characters of a number that could not be read are kept to show which row it was


class Composed(Struct, frozen=True):
    """Messages in the order of the recipients, with their first events; `errors` says what is wrong with which.

    `suppressed` says which dead numbers get nothing, and which are tried again.
    """

    messages: list[Message]
    events: list[Event]
    errors: dict[int, CallerError]
    suppressed: Suppressed = NOBODY


class _Judged(Struct, frozen=True):
    """Drafts in the order of the recipients, and what was found of which."""

    drafts: list[Draft]
    verdicts: dict[int, Verdict]
    errors: dict[int, CallerError]


class Composer:
    """Turns sends into messages. Nothing is stored here; the store is read only where something was learned about numbers."""

    def __init__(self, clock: Clock, checker: Checker, router: Router, numbers: Numbers) -> None:
        self._clock = clock
        self._checker = checker
        self._router = router
        self._numbers = numbers

    async def compose_each(self, sends: Sequence[Send]) -> list[Composed | CallerError]:
        """Return what each of a chunk becomes, or why it is refused as a whole; ids ascend, so that what came first goes first."""
        idents = iter(self._idents(sum(len(send.recipients) for send in sends)))
        steps = [self._try(send, [next(idents) for _ in send.recipients]) for send in sends]
        # All at once where they may have to wait, each for its own number.
        return await asyncio.gather(*steps) if self._numbers.may_wait else [await step for step in steps]

    async def compose(self, send: Send, uow: UnitOfWork | None = None, refusal: CallerError | None = None) -> Composed:
        """Return what `send` becomes, as the transaction `uow` sees it if there is one.

        Errors of the send as a whole are raised; those of one recipient are collected. With a `refusal` nobody gets the text,
        and that is why.
        """
        return await self._compose(send, self._idents(len(send.recipients)), uow, refusal)

    async def _try(self, send: Send, idents: Sequence[str]) -> Composed | CallerError:
        try:
            return await self._compose(send, idents)
        except CallerError as error:
            return error

    def _idents(self, count: int) -> Sequence[str]:
        return ids.make_ids(ids.MESSAGE, count, self._clock.now(), self._clock.entropy(ids.ENTROPY_BYTES)) if count else ()

    async def _compose(
        self, send: Send, idents: Sequence[str], uow: UnitOfWork | None = None, refusal: CallerError | None = None
    ) -> Composed:
        now = self._clock.now()
        check_send_at(send.send_at, now)
        text = _places_of(send)
        if not send.recipients:
            return Composed([], [], {})
        drafts, errors = self._drafts(send, text)
        verdicts = self._checker.check(drafts)
        errors.update(_refusals(verdicts))
        drafts = await self._known(drafts, now, uow)
        suppressed = suppress(drafts, now) if refusal is None else NOBODY
        errors = suppressed.refusals | errors
        if refusal is not None:
            errors = dict.fromkeys(range(len(drafts)), refusal)
        messages = self._messages(send, now, idents, _Judged(drafts, verdicts, errors))
        return Composed(messages, _events(messages, now, errors), errors, suppressed)

    async def preview(self, send: Send) -> list[Preview]:
        """Return what each recipient would get and over which connectors, without storing anything."""
        now = self._clock.now()
        check_send_at(send.send_at, now)
        text = _places_of(send)
        return [await self._preview(send, text, recipient, now) for recipient in send.recipients]

    async def _known(self, drafts: list[Draft], now: datetime, uow: UnitOfWork | None = None, *, is_real: bool = True) -> list[Draft]:
        """Note in drafts what was learned about their recipients."""
        learned = await self._numbers.learned_of([draft.recipient for draft in drafts], now, uow, is_real=is_real)
        return [replace(draft, facts=learned.get(draft.recipient)) for draft in drafts] if learned else drafts

    async def _preview(self, send: Send, text: Places, recipient: Recipient, now: datetime) -> Preview:
        drafts, errors = self._drafts(replace(send, recipients=(recipient,)), text)
        drafts = await self._known(drafts, now, is_real=False)
        errors = suppress(drafts, now).refusals | errors
        if 0 in errors:
            raise errors[0]
        draft = drafts[0]
        found = self._checker.check(drafts)
        return Preview(
            recipient=draft.recipient,
            text=draft.text,
            encoding=draft.encoding,
            units=draft.units,
            segments=draft.segments,
            pieces=segments.cut(draft.text, draft.encoding, *segments.LIMITS[draft.encoding]),
            candidates=Ways(send, self._router, now).usual(draft).candidates,
            findings=tuple(_finding(verdict) for verdict in found.values()),
            would_hold_until=next((v.until for v in found.values() if v.outcome is Outcome.HOLD), None),
        )

    def _drafts(self, send: Send, text: Places) -> tuple[list[Draft], dict[int, CallerError]]:
        """Parse numbers, fill texts and count segments; a text that comes again is counted once."""
        drafts: list[Draft] = []
        errors: dict[int, CallerError] = {}
        models: dict[tuple[str, bool], Draft] = {}
        for index, recipient in enumerate(send.recipients):
            number, filled = recipient.to[:_UNREADABLE], send.text
            try:
                number = parse_phone(recipient.to, livemode=send.livemode)
                filled = text.fill(recipient.params)
            except CallerError as error:
                errors[index] = error
            key = (filled, number.startswith("+86"))
            model = models.get(key)
            if model is None:
                model = models[key] = _draft(send, filled, mainland=key[1])
            drafts.append(replace(model, recipient=number))
        return drafts, errors

    def _messages(self, send: Send, now: datetime, idents: Sequence[str], judged: _Judged) -> list[Message]:
        """Build the rows of the chunk; recipients with an error become `rejected`, held ones wait for their hour."""
        drafts, verdicts, errors = judged.drafts, judged.verdicts, judged.errors
        model, ways = _model(send, now), Ways(send, self._router, now)
        messages: list[Message] = []
        for index, (ident, draft, recipient) in enumerate(zip(idents, drafts, send.recipients, strict=True)):
            way = ways.to(draft, ident) if index not in errors else ways.nowhere()
            if not way.candidates:
                errors.setdefault(index, PolicyRefused("no_route_accepts_content", param="to"))
            message = replace(
                model,
                id=ident,
                recipient=draft.recipient,
                sender=way.sender,
                text=draft.text,
                encoding=draft.encoding,
                units=draft.units,
                segments=draft.segments,
                connector_id=way.connector_id,
                candidates=way.candidates,
                client_reference=recipient.client_reference,
            )
            if index in errors:
                message = _rejected(message, errors[index], now)
            elif index in verdicts:
                message = _held(message, verdicts[index])
            messages.append(message)
        return messages


def _places_of(send: Send) -> Places:
    """Return the text with its signature, ready to be filled."""
    text = with_signature(send.signature, send.text)
    return Places.literal(text) if send.literal else compile_text(text)


def check_send_at(send_at: datetime | None, now: datetime) -> None:
    """Refuse a sending time in the past (60 s of clock skew are forgiven) or more than 366 days ahead."""
    if send_at is None:
        return
    if send_at < now - _CLOCK_SKEW:
        raise Invalid("send_at_past", param="send_at", fix="a time from now on")
    if send_at > now + _MAX_AHEAD:
        raise Invalid("send_at_too_far", param="send_at", fix="at most 366 days ahead")


def _draft(send: Send, text: str, *, mainland: bool) -> Draft:
    """Return the draft of a filled text, to nobody yet."""
    count = segments.count(text, mainland=mainland)
    return Draft(send.workspace_id, "", text, signature_of(text), send.lane, Encoding(count.encoding), count.units, count.segments)


def _model(send: Send, now: datetime) -> Message:
    """Return what all messages of a send have in common: copying it costs a fifth of building each."""
    start = max(send.send_at or now, now)
    status = Status.SCHEDULED if start > now else Status.QUEUED
    expires_at = start + (timedelta(seconds=send.expires_in) if send.expires_in else LANE_LIFETIME[send.lane])
    return Message(
        id="",
        workspace_id=send.workspace_id,
        livemode=send.livemode,
        lane=send.lane,
        recipient="",
        sender="",
        text="",
        encoding=Encoding.UCS2,
        units=0,
        segments=0,
        status=status,
        created_at=now,
        updated_at=now,
        expires_at=expires_at,
        due_at=start if status is Status.SCHEDULED else expires_at,
        send_at=send.send_at,
        priority=send.priority,
        risk=send.risk,
        batch_id=send.batch_id,
        callback_url=send.callback_url,
        metadata=send.metadata,
    )


def _refusals(verdicts: dict[int, Verdict]) -> dict[int, CallerError]:
    """Turn rejecting verdicts into the errors a caller gets."""
    return {
        index: Invalid(verdict.code, param=verdict.param, details=(_finding(verdict),), fix=verdict.fix)
        for index, verdict in verdicts.items()
        if verdict.outcome is Outcome.REJECT
    }


def _finding(verdict: Verdict) -> dict[str, Any]:
    return {"rule": verdict.rule, "fix": verdict.fix}


def _rejected(message: Message, error: CallerError, now: datetime) -> Message:
    return replace(message, status=Status.REJECTED, reason_code=error.code, done_at=now, due_at=None, connector_id=None, candidates=())


def _held(message: Message, verdict: Verdict) -> Message:
    return replace(message, status=Status.HELD, reason_code=verdict.code, due_at=verdict.until or message.expires_at)


def _events(messages: list[Message], now: datetime, errors: dict[int, CallerError]) -> list[Event]:
    """Build one event a message: that it was accepted and where it goes next, or why it was rejected."""
    return [
        Event(
            workspace_id=message.workspace_id,
            livemode=message.livemode,
            type="message.rejected" if index in errors else "message.accepted",
            object_id=message.id,
            seq=1,
            created_at=now,
            data=_first_data(message, errors.get(index)),
            callback_url=message.callback_url,
        )
        for index, message in enumerate(messages)
    ]


def _first_data(message: Message, error: CallerError | None) -> dict[str, Any]:
    """What the first event tells: the status reached, the way out, or the reason."""
    if error is not None:
        return {"status": message.status, "reason": error.code, "param": error.param}
    data: dict[str, Any] = {"status": message.status, "connector": message.connector_id, "segments": message.segments}
    if message.reason_code:
        data["reason"] = message.reason_code
    return data
