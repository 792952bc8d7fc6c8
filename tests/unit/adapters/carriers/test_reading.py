"""Settings that cannot be read: the field is named, and what to do about it is said in both languages."""

import re
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from yanshu.adapters.carriers.reading import ASCII, DIGITS, Octet, check_secret, is_decimal, read
from yanshu.domain.errors import Invalid
from yanshu.edge.api.chinese import in_chinese

_CHINESE = re.compile("[\u4e00-\u9fff]")


class Sample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One setting of each kind."""

    account: Annotated[str, Meta(max_length=6, pattern=ASCII)]
    fee: Annotated[str, Meta(max_length=6, pattern=DIGITS)] = ""
    pid: Octet = 0


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("one that is missing", {}, "account", "this setting is required"),
    ("one that does not exist", {"account": "a", "colour": 1}, "colour", "there is no such setting in this protocol"),
    ("Chinese in a field of octets", {"account": "雁书"}, "account", "use printable ASCII characters only"),
    ("letters in a fee", {"account": "a", "fee": "1x"}, "fee", "write digits only"),
    ("too long", {"account": "a" * 7}, "account", "Expected `str` of length <= 6"),
    ("beyond its octet", {"account": "a", "pid": 256}, "pid", "Expected `int` <= 255"),
    ("of another type", {"account": 5}, "account", "Expected `str`, got `int`"),
]


@pytest.mark.parametrize(("name", "values", "field", "fix"), BAD, ids=[case[0] for case in BAD])
def test_what_is_wrong_is_named_with_its_fix(name: str, values: dict[str, Any], field: str, fix: str) -> None:
    with pytest.raises(Invalid) as raised:
        read(values, Sample)
    assert (raised.value.param, raised.value.values["fix"]) == (f"settings.{field}", fix)
    assert _CHINESE.search(in_chinese(fix))


@pytest.mark.parametrize("secret", ["", "密", "s" * 65], ids=["none", "not ASCII", "too long"])
def test_a_secret_that_cannot_enter_a_digest_is_refused(secret: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_secret(secret)
    assert raised.value.param == "password"


@pytest.mark.parametrize(
    ("key", "fits"), [("0", True), ("255", True), ("256", False), ("", False), ("0x8", False), ("-1", False), ("²", False)]
)
def test_keys_of_overrides_are_decimal(key: str, fits: bool) -> None:
    assert is_decimal(key, 255) is fits
