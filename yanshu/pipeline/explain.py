"""Explain: why a message is where it is, or where one would go, in words and data."""

from typing import Any

from msgspec import Struct

from yanshu.domain.events import Event
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message
from yanshu.domain.numbers import NumberFacts
from yanshu.domain.outcomes import Owner
from yanshu.domain.reasons import reason_of
from yanshu.pipeline.attempts import Attempts
from yanshu.pipeline.causes import Causes
from yanshu.pipeline.route import Router
from yanshu.pipeline.schedule import find_message
from yanshu.ports.store import Store
from yanshu.rules.contacts.phones import country_of
from yanshu.rules.routing.table import Ask, Passed
from yanshu.rules.templates.places import signature_of

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "accepted": "Accepted: {segments} segment(s) as {encoding}; it may be sent until {expires_at}.",
        "connector": "Connector {name}: {why}.",
        "may": "may be used",
        "connector_missing": "left out: the connector no longer exists",
        "connector_drained": "left out: the connector is drained",
        "connector_simulated": "left out: a simulated connector carries test traffic only",
        "connector_live": "left out: a live connector carries no test traffic",
        "not_in_pool": "left out: not in the pool the request named",
        "excluded": "left out: the request excluded it",
        "goes": "It would go over {name}; {others} more may take it after that.",
        "nowhere": "It would be refused with no_route_accepts_content: no connector may carry it.",
        "passed": "Route {name} is not for it: its {condition} leave out {value}.",
        "disabled": "Route {name} is switched off.",
        "none": "what is not known or not there",
        "waiting": "It is {status}; the next deadline is {due_at}.",
        "final": "It is {status}: {advice} Who can act: {owner}.",
        "delivered": "It is delivered; nothing is left to do.",
        "duplicates": "It may have arrived twice: it was sent again while the attempt before could still arrive.",
    },
    "zh": {
        "accepted": "已受理：共 {segments} 条，编码 {encoding}；最晚发送时间 {expires_at}。",
        "connector": "通道 {name}：{why}。",
        "may": "可用",
        "connector_missing": "未选用：通道已不存在",
        "connector_drained": "未选用：通道已停用",
        "connector_simulated": "未选用：模拟通道只承载测试流量",
        "connector_live": "未选用：正式通道不承载测试流量",
        "not_in_pool": "未选用：不在请求指定的通道池中",
        "excluded": "未选用：请求已排除该通道",
        "goes": "将经通道 {name} 发送；其后另有 {others} 个备选通道。",
        "nowhere": "将被拒绝（no_route_accepts_content）：没有可用的通道。",
        "passed": "路由 {name} 不适用：其条件 {condition} 不包含 {value}。",
        "disabled": "路由 {name} 已停用。",
        "none": "未知或缺失的值",
        "waiting": "当前状态 {status}；下一个时限 {due_at}。",
        "final": "当前状态 {status}：{advice} 处理方：{owner}。",
        "delivered": "已送达，无需处理。",
        "duplicates": "可能重复送达：重发时，前一次提交仍有可能送达。",
    },
}


class Trial(Struct, frozen=True, kw_only=True):
    """A message that is only thought of: where would it go? `number` is E.164."""

    number: str
    workspace_id: str
    lane: Lane
    signature: str
    livemode: bool


class Explainer:
    """Answers "what happened to this message, and who must act", and "where would this one go"."""

    def __init__(self, store: Store, router: Router, causes: Causes) -> None:
        self._store = store
        self._router = router
        self._attempts = Attempts(router, causes)

    async def explain(self, workspace_id: str, message_id: str, language: str) -> dict[str, Any]:
        """Return sentences in `language` (zh or en) and the data behind them; `Missing` for unknown messages."""
        async with self._store.read() as uow:
            message = await find_message(uow, workspace_id, message_id)
            submissions = await uow.submissions.of_messages([message_id])
            events = await uow.events.of_object(workspace_id, message_id)
        candidates = self._candidates(message)
        words = _words(language)
        return {
            "object": "explanation",
            "message": message.id,
            "status": message.status,
            "country": country_of(message.recipient) if message.recipient.startswith("+") else None,
            "sentences": [
                *self._begin(message, candidates, words),
                *self._attempts.tell(submissions, events, language),
                *_end(message, words, language),
            ],
            "candidates": candidates,
            "attempts": self._attempts.show(submissions, language),
            "events": [_event(event) for event in events],
            "reason": reason_of(message.reason_code, message.reason_raw, language),
        }

    def simulate(self, trial: Trial, language: str) -> dict[str, Any]:
        """Return where such a message would go now, every candidate and every route passed by; nothing is stored or sent."""
        facts = self._router.facts_of(trial.number)
        ask = _ask(facts, trial.workspace_id, trial.lane, trial.livemode, trial.signature)
        chosen, candidates, passed = self._router.choose(ask), self._router.explain(ask), self._router.passed_by(ask)
        words = _words(language)
        goes = words["goes"].format(name=self._name(chosen[0]), others=len(chosen) - 1) if chosen else words["nowhere"]
        told = [words["connector"].format(name=c.name, why=words[c.refusal or "may"]) for c in candidates]
        return {
            "to": trial.number,
            "workspace": trial.workspace_id,
            "lane": trial.lane,
            "country": facts.country,
            "operator": facts.operator,
            "signature": trial.signature or None,
            "connectors": chosen,
            "candidates": [
                {"connector": c.connector_id, "name": c.name, "route": c.route_id, "usable": c.refusal is None, "why": c.refusal}
                for c in candidates
            ],
            "passed": [{"route": p.route_id, "name": p.name, "why": p.condition} for p in passed],
            "sentences": [goes, *told, *(_passed(p, words) for p in passed)],
        }

    def _candidates(self, message: Message) -> list[dict[str, Any]]:
        """Today's answer of routing for such a message, beside the ranking it was given when accepted."""
        if not message.recipient.startswith("+"):
            return []
        facts = self._router.facts_of(message.recipient)
        ask = _ask(facts, message.workspace_id, message.lane, message.livemode, signature_of(message.text))
        return [
            {
                "connector": c.connector_id,
                "name": c.name,
                "route": c.route_id,
                "usable": c.refusal is None,
                "why": c.refusal,
                "chosen": c.connector_id in message.candidates,
                "rank": message.candidates.index(c.connector_id) + 1 if c.connector_id in message.candidates else None,
            }
            for c in self._router.explain(ask)
        ]

    def _name(self, connector_id: str) -> str:
        connector = self._router.connectors.get(connector_id)
        return connector.name if connector else connector_id

    def _begin(self, message: Message, candidates: list[dict[str, Any]], words: dict[str, str]) -> list[str]:
        """Tell how it was accepted, and which ways out there are."""
        told = [words["accepted"].format(segments=message.segments, encoding=message.encoding, expires_at=_time(message.expires_at))]
        return told + [words["connector"].format(name=c["name"], why=words[c["why"] or "may"]) for c in candidates]


def _end(message: Message, words: dict[str, str], language: str) -> list[str]:
    """Say where it stands, who can act, and whether it may have arrived twice."""
    told = [_ending(message, words, language)]
    return [*told, words["duplicates"]] if message.duplicates_possible else told


def _ask(facts: NumberFacts, workspace_id: str, lane: Lane, livemode: bool, signature: str) -> Ask:
    """Return what such a message asks of the routes, with everything that is known of its number."""
    return Ask(workspace_id, lane, facts.country, livemode, operator=facts.operator or "", number=facts.number, signature=signature)


def _words(language: str) -> dict[str, str]:
    return _WORDS["zh" if language.startswith("zh") else "en"]


def _passed(passed: Passed, words: dict[str, str]) -> str:
    """Say why a route is not for a message."""
    said = words["disabled" if passed.condition == "disabled" else "passed"]
    return said.format(name=passed.name, condition=passed.condition, value=passed.value or words["none"])


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
