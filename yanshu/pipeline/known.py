"""Known: what is known of a message's number, in words."""

from yanshu.domain.numbers import NumberFacts

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "operator": "The number is one of {operator}: {source}.",
        "moved": "The number has moved from {owner} to {operator}: {source}.",
        "prefix": "its range was given to it",
        "learned": "receipts have shown it",
        "lookup": "a register was asked",
        "nobody": "Nobody knows the operator of the number.",
        "dead": "The number is dead since {since}: notices and marketing to it are refused until one message after {until} tries it again.",
    },
    "zh": {
        "operator": "号码属于 {operator}：{source}。",
        "moved": "号码已由 {owner} 转网至 {operator}：{source}。",
        "prefix": "依据号段归属",
        "learned": "依据状态报告",
        "lookup": "依据携号转网查询",
        "nobody": "号码所属运营商未知。",
        "dead": "号码自 {since} 起判定为空号：通知和营销短信会被拒绝，{until} 之后会放行一条再次确认。",
    },
}


def tell_number(facts: NumberFacts | None, language: str) -> list[str]:
    """Say who serves a number and how that is known, and whether it is dead; abroad there is nothing to say."""
    words = WORDS["zh" if language.startswith("zh") else "en"]
    told = []
    if facts is not None and facts.operator is not None:
        sentence = words["moved" if facts.ported else "operator"]
        told.append(sentence.format(owner=facts.original_operator, operator=facts.operator, source=words[facts.source]))
    elif facts is not None and facts.country == "CN":
        told.append(words["nobody"])
    if facts is not None and facts.dead_since and facts.probe_at:
        told.append(words["dead"].format(since=f"{facts.dead_since:%Y-%m-%d}", until=f"{facts.probe_at:%Y-%m-%d}"))
    return told
