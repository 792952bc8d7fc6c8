"""Warnings about a set of routes: what it leaves out, in words and data, before it is saved and after."""

from collections.abc import Sequence
from typing import Any

from yanshu.domain.connectors import Connector, Route
from yanshu.rules.routing.gaps import Gap, GapKind, find_gaps, narrowing

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "no_connector": "No connector carries {lanes} to {operators}: such messages would be refused.",
        "only_in_part": "A connector carries {lanes} to {operators} only where a route's other conditions are met: {routes}.",
        "price_missing": "Route {routes} prefers the cheapest, but no price is known of {connectors}: it comes last.",
        "currencies_differ": "Route {routes} prefers the cheapest, but prices in several currencies cannot be compared: weights decide.",
        "unknown": "numbers whose operator nobody knows",
        "cmcc": "China Mobile",
        "cucc": "China Unicom",
        "ctcc": "China Telecom",
        "cbn": "China Broadcasting Network",
        "otp": "codes (otp)",
        "notice": "notices (notice)",
        "marketing": "marketing",
        "comma": ", ",
    },
    "zh": {
        "no_connector": "没有通道承载发往{operators}的{lanes}短信，这些短信将被拒绝。",
        "only_in_part": "发往{operators}的{lanes}短信仅在满足路由的其他条件时才有通道：{routes}。",
        "price_missing": "路由 {routes} 优先最低价，但通道 {connectors} 没有价格，将排在最后。",
        "currencies_differ": "路由 {routes} 优先最低价，但不同币种的价格无法比较，将按权重分配。",
        "unknown": "运营商未知的号码",
        "cmcc": "中国移动",
        "cucc": "中国联通",
        "ctcc": "中国电信",
        "cbn": "中国广电",
        "otp": "验证码",
        "notice": "通知",
        "marketing": "营销",
        "comma": "、",
    },
}


def warnings_of(connectors: Sequence[Connector], routes: Sequence[Route], language: str) -> list[dict[str, Any]]:
    """Return what such a set leaves out: code, what is concerned, and a sentence in `language` (zh or en)."""
    words = WORDS["zh" if language.startswith("zh") else "en"]
    accounts, rules = {c.id: c for c in connectors}, {r.id: r for r in routes}
    return [
        {
            "code": gap.kind,
            "message": _tell(gap, accounts, rules, words),
            "operators": [operator or "unknown" for operator in gap.operators],
            "lanes": gap.lanes,
            "routes": gap.routes,
            "connectors": gap.connectors,
        }
        for gap in find_gaps(connectors, routes)
    ]


def _tell(gap: Gap, connectors: dict[str, Connector], routes: dict[str, Route], words: dict[str, str]) -> str:
    comma = words["comma"]
    concerned = [routes[ident] for ident in gap.routes]
    if gap.kind is GapKind.ONLY_IN_PART:
        named = [f"{route.name} ({', '.join(narrowing(route.match))})" for route in concerned]
    else:
        named = [route.name for route in concerned]
    return words[gap.kind].format(
        lanes=comma.join(words[lane] for lane in gap.lanes),
        operators=comma.join(words[operator or "unknown"] for operator in gap.operators),
        routes=comma.join(named),
        connectors=comma.join(connectors[ident].name for ident in gap.connectors),
    )
