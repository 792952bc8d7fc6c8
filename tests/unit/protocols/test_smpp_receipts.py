"""Receipt texts as carriers write them, dates, and the forms of ids."""

from datetime import UTC, datetime

import pytest

from yanshu.protocols.smpp.receipts import IdForm, carrier_key, parse, receipt_keys
from yanshu.protocols.times import read_stamp

USUAL = "id:0000004097 sub:001 dlvrd:001 submit date:2311081041 done date:2311081043 stat:DELIVRD err:000 text:Hello yanshu"

TEXTS = [
    (
        "the specification's form",
        USUAL,
        {"id": "0000004097", "stat": "DELIVRD", "err": "000", "done_date": "2311081043", "text": "Hello yanshu"},
    ),
    ("without a text", USUAL[: USUAL.index(" text")], {"id": "0000004097", "stat": "DELIVRD", "text": ""}),
    ("a capital Text", USUAL.replace("text:", "Text:"), {"id": "0000004097", "text": "Hello yanshu"}),
    ("the usual form in capitals", USUAL.upper(), {"id": "0000004097", "done_date": "2311081043", "text": "HELLO YANSHU"}),
    ("without counts and dates", "id:7 stat:UNDELIV err:069", {"id": "7", "stat": "UNDELIV", "err": "069", "sub": "", "done_date": ""}),
    ("labels in capitals", "ID:7 STAT:DELIVRD ERR:0", {"id": "7", "stat": "DELIVRD", "err": "0"}),
    ("a state in small letters", "id:7 stat:delivrd", {"stat": "DELIVRD"}),
    (
        "underscores in dates",
        "id:7 submit_date:2311081041 done_date:231108104305 stat:DELIVRD",
        {"done_date": "231108104305", "submit_date": "2311081041"},
    ),
    ("an id that is a UUID", "id:6ba7b810-9dad-11d1-80b4-00c04fd430c8 stat:DELIVRD", {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}),
    ("an id with dashes and words", "id:SAR-ab-12 sub:001 stat:DELIVRD", {"id": "SAR-ab-12"}),
    ("another order", "stat:EXPIRED id:7", {"id": "7", "stat": "EXPIRED"}),
    (
        "a text that looks like fields",
        "id:7 stat:DELIVRD text:stat:UNDELIV id:8",
        {"id": "7", "stat": "DELIVRD", "text": "stat:UNDELIV id:8"},
    ),
    ("an empty id", "id: sub:001 stat:DELIVRD", {"id": "", "stat": "DELIVRD", "sub": "001"}),
    ("blanks behind the colons", "id: 7 stat: DELIVRD", {"id": "7", "stat": "DELIVRD"}),
    ("commas between fields", "id:7,stat:DELIVRD,err:0", {"id": "7", "stat": "DELIVRD", "err": "0"}),
    ("a Chinese gateway's code", "id:7 stat:MK:0001 err:000", {"stat": "MK:0001"}),
]


@pytest.mark.parametrize(("name", "text", "expected"), TEXTS, ids=[case[0] for case in TEXTS])
def test_a_receipt_text_is_read(name: str, text: str, expected: dict[str, str]) -> None:
    found = parse(text)
    assert found is not None
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize("text", ["", "退订", "my id card is lost", "text:id:7 stat:DELIVRD"], ids=ascii)
def test_a_persons_text_is_no_receipt(text: str) -> None:
    assert parse(text) is None


DATES = [
    ("minutes", "2311081043", datetime(2023, 11, 8, 2, 43, tzinfo=UTC)),
    ("seconds", "231108104305", datetime(2023, 11, 8, 2, 43, 5, tzinfo=UTC)),
    ("no such day", "2302301043", None),
    ("zeros", "0000000000", None),
    ("letters", "23110810xx", None),
    ("too short", "231108", None),
    ("digits of another script", "٢٣١١٠٨١٠٤٣", None),
]


@pytest.mark.parametrize(("name", "text", "expected"), DATES, ids=[case[0] for case in DATES])
def test_a_date_is_the_carriers_local_time(name: str, text: str, expected: datetime | None) -> None:
    assert read_stamp(text, 480) == expected


KEYS: list[tuple[str, str | None, str | None, IdForm, tuple[str, ...]]] = [
    ("the TLV is tried before the text", "1001", "0000004097", "auto", ("1001", "4097", "3e9", "16535")),
    ("decimal for a hex id", None, "4097", "decimal_to_hex", ("1001",)),
    ("hex for a decimal id", None, "1001", "hex_to_decimal", ("4097",)),
    ("zeros and capitals do not matter", None, "000ABC", "literal", ("abc",)),
    ("a UUID is never converted", None, "6BA7B810-9DAD", "auto", ("6ba7b810-9dad",)),
    ("a UUID stays literal whatever is pinned", None, "6BA7B810-9DAD", "decimal_to_hex", ("6ba7b810-9dad",)),
    ("more than 64 bits are never converted", None, "99999999999999999999", "auto", ("99999999999999999999",)),
    ("only zeros", None, "000", "literal", ("0",)),
    ("no id at all", None, None, "auto", ()),
]


@pytest.mark.parametrize(("name", "tlv_id", "text_id", "form", "expected"), KEYS, ids=[case[0] for case in KEYS])
def test_a_receipt_is_looked_for_under(name: str, tlv_id: str | None, text_id: str | None, form: IdForm, expected: tuple[str, ...]) -> None:
    assert receipt_keys(tlv_id, text_id, form) == expected


@pytest.mark.parametrize(
    "ident", ["0", "000", "7", "00010", "99", "7f", "ABC", "-1", "+1", "1_0", "é", "²", "9" * 20, "9" * 21, "f" * 16, "f" * 17]
)
def test_every_form_of_an_id_is_looked_for_once(ident: str) -> None:
    forms: tuple[IdForm, ...] = ("literal", "decimal_to_hex", "hex_to_decimal")
    keys = [key for form in forms for key in receipt_keys(None, ident, form)]
    assert receipt_keys(None, ident) == receipt_keys(ident, ident) == receipt_keys(ident, None) == tuple(dict.fromkeys(keys))


def test_the_normal_form_is_lower_case_without_leading_zeros() -> None:
    assert [carrier_key(ident) for ident in ("00AbC", "0", "")] == ["abc", "0", "0"]
