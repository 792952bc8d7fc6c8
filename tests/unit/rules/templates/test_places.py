"""Texts with places."""

import pytest

from yanshu.domain.errors import CallerError
from yanshu.rules.templates.places import compile_text, signature_of, with_signature

FILLED = [
    ("no place", None, "no place"),
    ("码${code}。", {"code": "1234"}, "码1234。"),
    ("${a}${b}", {"a": "1", "b": ""}, "1"),
    ("${姓名}您好", {"姓名": "张三"}, "张三您好"),
    ("$5 and ${x}", {"x": "${y}"}, "$5 and ${y}"),
]
REFUSED = [
    ("${a}", None, "template_param_missing"),
    ("${a}", {"b": "1"}, "template_param_missing"),
    ("text", {"b": "1"}, "template_param_unused"),
    ("${a}", {"a": "x" * 501}, "template_param_invalid"),
]


@pytest.mark.parametrize(("text", "params", "filled"), FILLED)
def test_places_are_filled_and_values_are_never_read_as_places(text: str, params: dict[str, str] | None, filled: str) -> None:
    assert compile_text(text).fill(params) == filled


@pytest.mark.parametrize(("text", "params", "code"), REFUSED)
def test_values_must_fit_the_places(text: str, params: dict[str, str] | None, code: str) -> None:
    with pytest.raises(CallerError) as refused:
        compile_text(text).fill(params)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("【雁书】您好", "雁书"),
        ("【雁书】【再】", "雁书"),
        ("【】您好", ""),
        ("【雁书", ""),
        ("您好【雁书】", ""),
        ("", ""),
        (" 【雁书】", ""),
    ],
)
def test_a_signature_stands_at_the_start_of_the_text(text: str, signature: str) -> None:
    assert signature_of(text) == signature


@pytest.mark.parametrize("text", ["${", "${}", "${1a}", "${a b}", "x${" + "a" * 41 + "}"])
def test_a_malformed_place_is_refused(text: str) -> None:
    with pytest.raises(CallerError):
        compile_text(text)


def test_the_signature_is_put_in_front_once() -> None:
    assert with_signature("雁书", "你好") == "【雁书】你好"
    assert with_signature("雁书", "【雁书】你好") == "【雁书】你好"
    assert with_signature(None, "你好") == "你好"
