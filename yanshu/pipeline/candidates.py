"""Candidates: every connector that a message might use, and why it is or is not the one, in words and data."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from yanshu.domain.connectors import Prefer
from yanshu.domain.health import FULL_WEIGHT, Admission
from yanshu.domain.numbers import NumberFacts
from yanshu.pipeline.known import tell_number
from yanshu.pipeline.route import Router
from yanshu.rules.routing.match import Ask, Passed, Sending
from yanshu.rules.routing.plan import DRAWS, draw_of
from yanshu.rules.routing.table import Candidate

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "connector": "Connector {name}: {why}{terms}.",
        "may": "may be used",
        "connector_missing": "left out: the connector no longer exists",
        "connector_drained": "left out: the connector is drained",
        "connector_simulated": "left out: a simulated connector carries test traffic only",
        "connector_live": "left out: a live connector carries no test traffic",
        "not_in_pool": "left out: not in the pool the request named",
        "excluded": "left out: the request excluded it",
        "signature_not_filed": "left out: the signature of the text is not filed with its carrier",
        "signature_pending": "left out: the filing of the signature with its carrier is still pending",
        "signature_rejected": "left out: its carrier has rejected the filing of the signature",
        "sender_not_allowed": "left out: it takes no sender but its own",
        "sender_too_long": "left out: sender and extension are longer than its carrier takes",
        "listed_before": "left out here: a route asked before has it already",
        "too_many_before": "left out: enough others stand before it",
        "kept": "Connector {name}: place {place} since it was accepted, though today it would be {why}.",
        "no_route": "left out: no route leads there",
        "not_chosen": "left out when it was accepted: the request named others, or routes or health have changed since",
        "behind": "stands behind the others: too much has failed over it lately",
        "probing": "stands behind the others until one message shows that it works again",
        "lowered": ", its weight lowered to {percent} % by its health",
        "place": ", place {place}",
        "share": ", with {share} % of the messages there",
        "price": ", {price} a segment",
        "goes": "It would go over {name}; {others} more may take it after that.",
        "shared": "It would go over one of {names}; {others} more may take it after that.",
        "nowhere": "It would be refused with no_route_accepts_content: no connector may carry it.",
        "costs": "The carrier takes {price} for it ({segments} segment(s)).",
        "drew": "By its id it drew {draw} of 1,000, which is the share of {name} ({start} to {end}).",
        "cheapest": "{name} is the cheapest of its priority in route {route}.",
        "passed": "Route {name} is not for it: its {condition} leave out {value}.",
        "disabled": "Route {name} is switched off.",
        "none": "what is not known or not there",
    },
    "zh": {
        "connector": "通道 {name}：{why}{terms}。",
        "may": "可用",
        "connector_missing": "未选用：通道已不存在",
        "connector_drained": "未选用：通道已停用",
        "connector_simulated": "未选用：模拟通道只承载测试流量",
        "connector_live": "未选用：正式通道不承载测试流量",
        "not_in_pool": "未选用：不在请求指定的通道池中",
        "excluded": "未选用：请求已排除该通道",
        "signature_not_filed": "未选用：短信签名未在该供应商报备",
        "signature_pending": "未选用：短信签名在该供应商的报备尚未完成",
        "signature_rejected": "未选用：该供应商驳回了短信签名的报备",
        "sender_not_allowed": "未选用：该通道不接受自定义接入号",
        "sender_too_long": "未选用：接入号与扩展码超过供应商允许的长度",
        "listed_before": "此处未选用：前面的路由已包含该通道",
        "too_many_before": "未选用：前面已有足够多的通道",
        "kept": "通道 {name}：受理时排第 {place} 顺位；按当前路由则为“{why}”。",
        "no_route": "未选用：没有路由指向该通道",
        "not_chosen": "受理时未选用：请求指定了其他通道，或其后路由、健康状况有变",
        "behind": "排在其他通道之后：近期经该通道的失败过多",
        "probing": "排在其他通道之后：待一条试探短信证明已恢复",
        "lowered": "，因健康状况权重降至 {percent}%",
        "place": "，第 {place} 顺位",
        "share": "，承担该顺位 {share}% 的短信",
        "price": "，每条 {price}",
        "goes": "将经通道 {name} 发送；其后另有 {others} 个备选通道。",
        "shared": "将经以下通道之一发送：{names}；其后另有 {others} 个备选通道。",
        "nowhere": "将被拒绝（no_route_accepts_content）：没有可用的通道。",
        "costs": "供应商收费 {price}（共 {segments} 条）。",
        "drew": "按短信 id 抽得 {draw}（共 1000 个号），落在通道 {name} 的份额内（{start} 至 {end}）。",
        "cheapest": "在路由 {route} 的同一优先级中，通道 {name} 价格最低。",
        "passed": "路由 {name} 不适用：其条件 {condition} 不包含 {value}。",
        "disabled": "路由 {name} 已停用。",
        "none": "未知或缺失的值",
    },
}

_USES = {Admission.ALL: "may", Admission.PROBE: "probing", Admission.NONE: "behind"}


class Trial(Struct, frozen=True, kw_only=True):
    """A message that is only thought of: where would it go? `facts` are of its number."""

    facts: NumberFacts
    sending: Sending
    signature: str
    segments: int


def words_of(language: str) -> dict[str, str]:
    """Return the sentences in a language: Chinese for every kind of zh, else English."""
    return WORDS["zh" if language.startswith("zh") else "en"]


def full_ask(facts: NumberFacts, sending: Sending, signature: str) -> Ask:
    """Return what such a message asks of the routes, with everything that is known of its number."""
    return Ask(sending, facts.country, facts.operator or "", facts.number, signature)


def simulate(router: Router, trial: Trial, language: str) -> dict[str, Any]:
    """Return where such a message would go now, every candidate and every route passed by; nothing is stored or sent."""
    facts = trial.facts
    ask = full_ask(facts, trial.sending, trial.signature)
    chosen, candidates, passed = router.plan(ask).usual, router.explain(ask), router.passed_by(ask)
    price = next((c.price for c in candidates if chosen and c.connector_id == chosen[0] and c.place), None)
    cost = price.times(trial.segments) if price else None
    words = words_of(language)
    costs = [words["costs"].format(price=cost, segments=trial.segments)] if cost else []
    return {
        "to": facts.number,
        "workspace": trial.sending.workspace_id,
        "lane": trial.sending.lane,
        "send_at": trial.sending.at,
        "country": facts.country,
        "operator": facts.operator,
        "operator_source": facts.source if facts.operator else None,
        "signature": trial.signature or None,
        "segments": trial.segments,
        "connectors": chosen,
        "price": _amount(cost),
        "candidates": [show(candidate) for candidate in candidates],
        "passed": [{"route": p.route_id, "name": p.name, "why": p.condition} for p in passed],
        "sentences": [
            *tell_number(facts, language),
            _goes(candidates, words),
            *costs,
            *(tell(c, words) for c in candidates),
            *(_passed(p, words) for p in passed),
        ],
    }


def show(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as data."""
    return {
        "connector": candidate.connector_id,
        "name": candidate.name,
        "route": candidate.route_id,
        "usable": candidate.refusal is None,
        "why": candidate.refusal,
        "priority": candidate.priority,
        "weight": candidate.weight,
        "place": candidate.place,
        "share": share_of(candidate),
        "health": {"weight_percent": candidate.health.weight_percent, "admits": candidate.health.admits},
        "price": _amount(candidate.price),
    }


def tell(candidate: Candidate, words: dict[str, str], place: int | None = None) -> str:
    """Say what a candidate is good for; `place` is another than today's."""
    terms, health = [], candidate.health
    share = share_of(candidate)
    if candidate.place:
        terms.append(words["place"].format(place=place or candidate.place))
    if share is not None and share < 100:
        terms.append(words["share"].format(share=f"{share:g}"))
    if candidate.place and health.weight_percent < FULL_WEIGHT:
        terms.append(words["lowered"].format(percent=health.weight_percent))
    if candidate.price:
        terms.append(words["price"].format(price=candidate.price))
    return words["connector"].format(name=candidate.name, why=words[candidate.refusal or _USES[health.admits]], terms="".join(terms))


class Order:
    """The connectors a message was given when it was accepted, beside what today's table says of such a message."""

    def __init__(self, message_id: str, order: Sequence[str], candidates: Sequence[Candidate], names: Mapping[str, str]) -> None:
        self._message_id = message_id
        self._order = list(order)
        self._candidates = candidates
        known = {candidate.connector_id for candidate in candidates}
        self._gone = [(ident, names.get(ident, ident)) for ident in self._order if ident not in known]

    def show(self) -> list[dict[str, Any]]:
        """Return every candidate as data; `place` is that in the message's order."""
        rows = []
        for candidate in self._candidates:
            place, why = self._place(candidate), candidate.refusal
            if why is None and place is None and self._order:
                why = "not_chosen"
            rows.append({**show(candidate), "place": place, "usable": why is None, "why": why, "chosen": place is not None})
        return rows + [self._show_gone(ident, name) for ident, name in self._gone]

    def tell(self, language: str) -> list[str]:
        """Say of each candidate which place it has and why, and why the first one is the first."""
        words = words_of(language)
        told = [self._tell(candidate, words) for candidate in self._candidates]
        told += [words["kept"].format(name=name, place=self._order.index(ident) + 1, why=words["no_route"]) for ident, name in self._gone]
        first = next((c for c in self._candidates if c.place == 1 and self._place(c) == 1), None)
        return told + (_tell_choice(first, self._candidates, draw_of(self._message_id), words) if first else [])

    def _place(self, candidate: Candidate) -> int | None:
        if candidate.refusal == "listed_before" or candidate.connector_id not in self._order:
            return None
        return self._order.index(candidate.connector_id) + 1

    def _tell(self, candidate: Candidate, words: dict[str, str]) -> str:
        place = self._place(candidate)
        if place is not None and candidate.refusal is not None:
            return words["kept"].format(name=candidate.name, place=place, why=words[candidate.refusal])
        if place is None and candidate.refusal is None and self._order:
            return words["connector"].format(name=candidate.name, why=words["not_chosen"], terms="")
        return tell(candidate, words, place)

    def _show_gone(self, ident: str, name: str) -> dict[str, Any]:
        nothing = dict.fromkeys(("route", "priority", "weight", "share", "health", "price"))
        place = self._order.index(ident) + 1
        return nothing | {"connector": ident, "name": name, "place": place, "usable": False, "why": "no_route", "chosen": True}


def _tell_choice(chosen: Candidate, candidates: Sequence[Candidate], draw: int, words: dict[str, str]) -> list[str]:
    """Say that it was the price or the share, as far as today's table still says so."""
    told = []
    beaten = [c for c in candidates if (c.route_id, c.priority) == (chosen.route_id, chosen.priority) and (c.place or 0) > 1]
    if chosen.prefer is Prefer.COST and chosen.price and beaten:
        told.append(words["cheapest"].format(name=chosen.name, route=chosen.route_name))
    start, end = chosen.draws or (0, DRAWS)
    if end - start < DRAWS and start <= draw < end:
        told.append(words["drew"].format(draw=draw, name=chosen.name, start=start, end=end - 1))
    return told


def share_of(candidate: Candidate) -> float | None:
    """Return which part in a hundred of the messages of its place it gets first."""
    return (candidate.draws[1] - candidate.draws[0]) * 100 / DRAWS if candidate.draws else None


def _goes(candidates: Sequence[Candidate], words: dict[str, str]) -> str:
    first = [c for c in candidates if c.place == 1]
    others = sum(c.place is not None for c in candidates) - 1
    sharing = [c for c in first if c.draws] or first[:1]
    if not sharing:
        return words["nowhere"]
    if len(sharing) == 1:
        return words["goes"].format(name=sharing[0].name, others=others)
    names = ", ".join(f"{c.name} ({share_of(c):g} %)" for c in sharing)
    return words["shared"].format(names=names, others=others)


def _passed(passed: Passed, words: dict[str, str]) -> str:
    """Say why a route is not for a message."""
    said = words["disabled" if passed.condition == "disabled" else "passed"]
    return said.format(name=passed.name, condition=passed.condition, value=passed.value or words["none"])


def _amount(price: Any) -> dict[str, Any] | None:
    return {"currency": price.currency, "micros": price.micros} if price else None
