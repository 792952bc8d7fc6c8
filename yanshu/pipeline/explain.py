"""Explain: why a message is where it is, in words and data, from what the stages left behind."""

from collections.abc import Sequence
from typing import Any

from yanshu.domain.events import Event
from yanshu.domain.messages import Message
from yanshu.domain.numbers import NumberFacts
from yanshu.domain.outcomes import Owner
from yanshu.domain.reasons import reason_of
from yanshu.pipeline.attempts import Attempts
from yanshu.pipeline.candidates import Order, full_ask
from yanshu.pipeline.causes import Causes
from yanshu.pipeline.known import tell_number
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.reroute import MOVES
from yanshu.pipeline.route import Router, sending_of
from yanshu.pipeline.schedule import find_message
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.routing.table import Candidate
from yanshu.rules.templates.places import signature_of

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "accepted": "Accepted: {segments} segment(s) as {encoding}; it may be sent until {expires_at}.",
        "connector_down": "It moved from {before} to {after} at {at}: no link of {before} worked, or it was drained.",
        "breaker_open": "It moved from {before} to {after} at {at}: the breaker of {before} was open.",
        "waiting": "It is {status}; the next deadline is {due_at}.",
        "final": "It is {status}: {advice} Who can act: {owner}.",
        "delivered": "It is delivered; nothing is left to do.",
        "duplicates": "It may have arrived twice: it was sent again while the attempt before could still arrive.",
    },
    "zh": {
        "accepted": "已受理：共 {segments} 条，编码 {encoding}；最晚发送时间 {expires_at}。",
        "connector_down": "{at} 由通道 {before} 转至 {after}：{before} 无可用连接或已停用。",
        "breaker_open": "{at} 由通道 {before} 转至 {after}：{before} 已熔断。",
        "waiting": "当前状态 {status}；下一个时限 {due_at}。",
        "final": "当前状态 {status}：{advice} 处理方：{owner}。",
        "delivered": "已送达，无需处理。",
        "duplicates": "可能重复送达：重发时，前一次提交仍有可能送达。",
    },
}


class Explainer:
    """Answers "what happened to this message, and who must act"."""

    def __init__(self, store: Store, clock: Clock, router: Router, causes: Causes, numbers: Numbers) -> None:
        self._store = store
        self._clock = clock
        self._router = router
        self._numbers = numbers
        self._attempts = Attempts(router, causes)

    async def explain(self, workspace_id: str, message_id: str, language: str) -> dict[str, Any]:
        """Return sentences in `language` (zh or en) and the data behind them; `Missing` for unknown messages."""
        async with self._store.read() as uow:
            message = await find_message(uow, workspace_id, message_id)
            submissions = await uow.submissions.of_messages([message_id])
            events = await uow.events.of_object(workspace_id, message_id)
            facts = await self._facts(uow, message)
        order = Order(message.id, message.candidates, self._candidates(message, facts), self._names())
        words = _WORDS["zh" if language.startswith("zh") else "en"]
        return {
            "object": "explanation",
            "message": message.id,
            "status": message.status,
            "country": facts.country if facts else None,
            "operator": facts.operator if facts else None,
            "operator_source": facts.source if facts and facts.operator else None,
            "sentences": [
                words["accepted"].format(segments=message.segments, encoding=message.encoding, expires_at=_time(message.expires_at)),
                *tell_number(facts, language),
                *order.tell(language),
                *self._moves(events, words),
                *self._attempts.tell(submissions, events, language),
                *_end(message, words, language),
            ],
            "candidates": order.show(),
            "attempts": self._attempts.show(submissions, language),
            "events": [_event(event) for event in events],
            "reason": reason_of(message.reason_code, message.reason_raw, language),
        }

    async def _facts(self, uow: UnitOfWork, message: Message) -> NumberFacts | None:
        """Return what is known of its number today; None when it could not be read as one."""
        if not message.recipient.startswith("+"):
            return None
        return (await self._numbers.facts_in(uow, message.recipient, self._clock.now()))[0]

    def _candidates(self, message: Message, facts: NumberFacts | None) -> list[Candidate]:
        """Today's answer of routing for such a message."""
        if facts is None:
            return []
        signature = signature_of(message.text)
        return self._router.explain(full_ask(facts, sending_of(message), signature))

    def _moves(self, events: Sequence[Event], words: dict[str, str]) -> list[str]:
        """Tell of the connectors it waited for in vain."""
        return [
            words[event.data["because"]].format(
                before=self._name(event.data["from_connector"]), after=self._name(event.data["connector"]), at=_time(event.created_at)
            )
            for event in events
            if event.data.get("because") in MOVES
        ]

    def _names(self) -> dict[str, str]:
        return {ident: connector.name for ident, connector in self._router.connectors.items()}

    def _name(self, connector_id: str) -> str:
        connector = self._router.connectors.get(connector_id)
        return connector.name if connector else connector_id


def _end(message: Message, words: dict[str, str], language: str) -> list[str]:
    """Say where it stands, who can act, and whether it may have arrived twice."""
    told = [_ending(message, words, language)]
    return [*told, words["duplicates"]] if message.duplicates_possible else told


def _ending(message: Message, words: dict[str, str], language: str) -> str:
    if message.status == "delivered":
        return words["delivered"]
    if not message.is_final:
        return words["waiting"].format(status=message.status, due_at=_time(message.due_at))
    reason = reason_of(message.reason_code, message.reason_raw, language)
    if reason is None:
        return words["final"].format(status=message.status, advice="", owner="")
    return words["final"].format(status=message.status, advice=reason["advice"], owner=Owner(reason["owner"]).in_language(language))


def _time(at: Any) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "-"


def _event(event: Event) -> dict[str, Any]:
    return {"id": event.id, "type": event.type, "at": event.created_at, "data": event.data}
