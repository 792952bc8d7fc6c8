"""Numbers as people write them."""

import pytest

from yanshu.domain.errors import CallerError
from yanshu.rules.contacts.phones import country_of, parse_phone

GOOD = [
    ("13800138000", "+8613800138000"),
    ("8613800138000", "+8613800138000"),
    ("008613800138000", "+8613800138000"),
    ("+86 138 0013 8000", "+8613800138000"),
    ("１３８００１３８０００", "+8613800138000"),
    ("138-0013-8000", "+8613800138000"),
    ("+85251234567", "+85251234567"),
    ("+1 650 253 0000", "+16502530000"),
]
BAD = [
    ("", "phone_invalid"),
    ("12345", "phone_invalid"),
    ("abc", "phone_invalid"),
    ("+8612345678901", "phone_invalid"),
    ("+861010086", "phone_not_mobile"),
    ("+862164785500", "phone_not_mobile"),
    ("+8610000000001", "phone_invalid"),
    ("+442071838750", "phone_not_mobile"),
    ("13800138000; drop", "phone_invalid"),
    ("１３８\u0000", "phone_invalid"),
    ("9" * 400, "phone_invalid"),
]


@pytest.mark.parametrize(("raw", "number"), GOOD)
def test_numbers_become_e164(raw: str, number: str) -> None:
    assert parse_phone(raw, livemode=True) == number


@pytest.mark.parametrize(("raw", "code"), BAD)
def test_what_is_no_mobile_number_is_refused_with_a_code(raw: str, code: str) -> None:
    with pytest.raises(CallerError) as refused:
        parse_phone(raw, livemode=True)
    assert refused.value.code == code


def test_test_keys_reach_test_numbers_only() -> None:
    assert parse_phone("+8610000000015", livemode=False) == "+8610000000015"
    with pytest.raises(CallerError) as refused:
        parse_phone("13800138000", livemode=False)
    assert refused.value.code == "test_key_live_recipient"


def test_countries_are_known() -> None:
    assert [country_of(n) for n in ("+8613800138000", "+85251234567", "+16502530000")] == ["CN", "HK", "US"]
