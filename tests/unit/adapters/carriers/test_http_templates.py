"""Templates filed with a carrier: which one a text was made from, and which could not be told apart."""

import pytest

from yanshu.adapters.carriers.http.templates import Template, Templates, check_templates
from yanshu.domain.errors import Invalid

CODE = "您的验证码是${code}，${minutes}分钟内有效"
# name, template, text, values of its places, None when it does not read like it
MATCHES: list[tuple[str, str, str, dict[str, str] | None]] = [
    ("the values of its places", CODE, "您的验证码是1234，5分钟内有效", {"code": "1234", "minutes": "5"}),
    ("a value with the words of the template in it", "${a}-${b}", "1-2-3", {"a": "1", "b": "2-3"}),
    ("a value with line ends", "a${x}b", "a\n\nb", {"x": "\n\n"}),
    ("a template that is one place", "${content}", "anything", {"content": "anything"}),
    ("a template without places", "hello", "hello", {}),
    ("the last words twice", "${a}cd", "xcdcd", {"a": "xcd"}),
    ("the first words again as a value", "ab${a}", "abab", {"a": "ab"}),
    ("words that overlap", "aba${x}bab", "abab", None),
    ("another text", CODE, "您的密码是1234", None),
    ("a place that would be empty", "a${x}b", "ab", None),
    ("an empty place at the end", "${a}-${b}", "1-", None),
    ("an empty text", "${content}", "", None),
    ("more at the end", "hello", "hello!", None),
    ("signs of a pattern", "1+1=${x}.*", "1+1=2.*", {"x": "2"}),
    ("numbers as names, as some clouds count", "${1}于${2}", "甲于乙", {"1": "甲", "2": "乙"}),
]


@pytest.mark.parametrize(("name", "template", "text", "values"), MATCHES, ids=[case[0] for case in MATCHES])
def test_a_text_is_read_back_into_its_template(name: str, template: str, text: str, values: dict[str, str] | None) -> None:
    filled = Templates([Template("T1", template)]).match(text)
    assert (filled.params if filled is not None else None) == values


def test_the_template_that_says_most_itself_wins() -> None:
    templates = Templates([Template("any", "${content}"), Template("code", CODE), Template("short", "您的${x}")])
    found = [templates.match(text) for text in ("您的验证码是1，2分钟内有效", "您的包裹", "别的")]
    assert [filled.id for filled in found if filled is not None] == ["code", "short", "any"]


def test_a_long_text_with_many_ways_to_read_it_takes_no_time() -> None:
    template = "".join(f"${{p{number}}}a" for number in range(20))
    assert Templates([Template("T1", template)]).match("a" * 20_000 + "b") is None


BAD = [
    ("a place that is not closed", "${a", "settings.templates.0.text"),
    ("two places in a row", "${a}${b}", "settings.templates.0.text"),
    ("one name twice", "${a}-${a}", "settings.templates.0.text"),
    ("too many places", "-".join(f"${{p{number}}}" for number in range(21)), "settings.templates.0.text"),
]


@pytest.mark.parametrize(("name", "text", "param"), BAD, ids=[case[0] for case in BAD])
def test_a_template_that_cannot_be_read_back_is_refused(name: str, text: str, param: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_templates([Template("T1", text)])
    assert raised.value.param == param
