"""The sentences of an explanation: what is said in English is said in Chinese, of the same things."""

import string

import pytest

from yanshu.pipeline import candidates, explain

TABLES = {"explain": explain._WORDS, "candidates": candidates.WORDS}


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("words", TABLES.values(), ids=TABLES)
def test_every_sentence_exists_in_both_languages_and_speaks_of_the_same_things(words: dict[str, dict[str, str]]) -> None:
    english, chinese = ({key: _places(sentence) for key, sentence in words[language].items()} for language in ("en", "zh"))
    assert english == chinese
