"""The sentences of an explanation: what is said in English is said in Chinese, of the same things."""

import string

import pytest

from yanshu.pipeline.explain import _WORDS


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_exists_in_both_languages() -> None:
    assert _WORDS["en"].keys() == _WORDS["zh"].keys()


@pytest.mark.parametrize("key", _WORDS["en"])
def test_both_languages_speak_of_the_same_things(key: str) -> None:
    assert _places(_WORDS["en"][key]) == _places(_WORDS["zh"][key])
