"""The sentences of an explanation: what is said in English is said in Chinese, of the same things."""

import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from yanshu.domain.numbers import NumberFacts, Operator, Source
from yanshu.pipeline import candidates, explain, gaps, known
from yanshu.rules.routing.gaps import GapKind

O = Operator  # noqa: E741 - short for the rows below

TABLES = {"explain": explain._WORDS, "candidates": candidates.WORDS, "gaps": gaps.WORDS, "known": known.WORDS}


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("words", TABLES.values(), ids=TABLES)
def test_every_sentence_exists_in_both_languages_and_speaks_of_the_same_things(words: dict[str, dict[str, str]]) -> None:
    english, chinese = ({key: _places(sentence) for key, sentence in words[language].items()} for language in ("en", "zh"))
    assert english == chinese


def _facts(**fields: Any) -> NumberFacts:
    return NumberFacts(number="+8613800138000", **{"country": "CN", "operator": O.CMCC, "original_operator": O.CMCC, **fields})


DAY = datetime(2026, 11, 25, tzinfo=UTC)
TOLD: list[tuple[str, NumberFacts | None, list[str]]] = [
    ("its range", _facts(), ["The number is one of cmcc: its range was given to it."]),
    (
        "that it has moved",
        _facts(operator=O.CTCC, source=Source.LEARNED),
        ["The number has moved from cmcc to ctcc: receipts have shown it."],
    ),
    ("what a register says", _facts(source=Source.LOOKUP), ["The number is one of cmcc: a register was asked."]),
    ("a range nobody was given", _facts(operator=None, original_operator=None), ["Nobody knows the operator of the number."]),
    ("a number abroad", _facts(country="HK", operator=None, original_operator=None), []),
    ("no number", None, []),
    (
        "a dead number",
        _facts(dead_since=DAY, probe_at=DAY + timedelta(days=90)),
        [
            "The number is one of cmcc: its range was given to it.",
            "The number is dead since 2026-11-25: notices and marketing to it are refused "
            "until one message after 2027-02-23 tries it again.",
        ],
    ),
]


@pytest.mark.parametrize(("name", "facts", "told"), TOLD, ids=[case[0] for case in TOLD])
def test_what_is_known_of_a_number_is_told(name: str, facts: NumberFacts | None, told: list[str]) -> None:
    assert known.tell_number(facts, "en") == told
    assert len(known.tell_number(facts, "zh-CN")) == len(told)


def test_every_gap_has_its_sentence() -> None:
    assert set(GapKind) <= gaps.WORDS["en"].keys()
