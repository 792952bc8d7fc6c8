"""Phone numbers as people write them, made E.164.

Mainland numbers take a fast path of our own, because `phonenumbers` is wrong on several mainland prefixes and costs
25-47 µs; numbers abroad go through `phonenumbers`, with the last answers kept.
"""

import re
from functools import lru_cache

import phonenumbers

from yanshu.domain.errors import Forbidden, Invalid

# A mainland mobile number: 11 digits, 13x to 19x. Which of these are assigned changes; carriers are the judge of that.
_MAINLAND = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_MAINLAND_LIKE = re.compile(r"(?:\+86|0086|86(?=\d{11}$))\d+")
# API.md §5: +86100000000NN exist for test keys only.
_TEST = re.compile(r"(?:\+?86|0086)?(100000000\d\d)")
_NOISE = str.maketrans(
    {
        **{chr(0xFF10 + d): str(d) for d in range(10)},
        "＋": "+",
        " ": None,
        "\u3000": None,
        "\xa0": None,
        "-": None,
        "(": None,
        ")": None,
        ".": None,
    }
)
_MOBILE = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})


def parse_phone(raw: str, *, livemode: bool) -> str:
    """Return `raw` as E.164 (``+8613800138000``).

    Raises `Invalid` phone_invalid or phone_not_mobile; `Forbidden` test_key_live_recipient when a test key names a
    number that is no test number. Live keys are refused the test numbers.
    """
    match = _MAINLAND.fullmatch(raw) or _MAINLAND.fullmatch(raw := raw.translate(_NOISE))
    if match is not None:
        number = "+86" + match[1]
    elif test := _TEST.fullmatch(raw):
        if livemode:
            raise Invalid("phone_invalid", param="to", fix="test numbers need a test key")
        return "+86" + test[1]
    elif _MAINLAND_LIKE.fullmatch(raw):
        raise Invalid("phone_not_mobile" if _plausible(raw) else "phone_invalid", param="to", fix="11 digits beginning with 13 to 19")
    else:
        number = _abroad(raw)
    if not livemode:
        raise Forbidden("test_key_live_recipient", param="to", fix="use +8610000000001 to +8610000000020 with a test key")
    return number


def country_of(number: str) -> str:
    """Return the ISO 3166 region of an E.164 number, ``CN`` for +86, ``ZZ`` when nobody knows."""
    return "CN" if number.startswith("+86") else _region(number)


def _plausible(raw: str) -> bool:
    """Whether a +86 number that is no mobile number is a landline."""
    return phonenumbers.is_valid_number(phonenumbers.parse("+" + raw.lstrip("+0")))


@lru_cache(maxsize=65536)
def _abroad(raw: str) -> str:
    """Parse a number with its country code."""
    text = "+" + raw[2:] if raw.startswith("00") else raw
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise Invalid("phone_invalid", param="to", fix="a mainland mobile number, or + and the country code") from error
    if not phonenumbers.is_valid_number(number):
        raise Invalid("phone_invalid", param="to", fix="check the digits after the country code")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise Invalid("phone_not_mobile", param="to", fix="use a mobile number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=65536)
def _region(number: str) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or "ZZ"
