"""Texts as SMPP content, in the ways connectors ask for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.adapters.carriers.smpp.settings import read_settings
from yanshu.adapters.carriers.smpp.texts import TextWriter
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.protocols.smpp.alphabets import read_text
from yanshu.text import segments

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def message(text: str, *, mainland: bool = False) -> Message:
    count = segments.count(text, mainland=mainland)
    return Message(
        id="msg_1",
        workspace_id="ws_1",
        livemode=False,
        lane=Lane.NOTICE,
        recipient="+4915112345678",
        sender="106",
        text=text,
        encoding=Encoding(count.encoding),
        units=count.units,
        segments=count.segments,
        status=Status.SUBMITTING,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW,
        due_at=None,
    )


# name, settings, text, mainland, then of each content: esm_class, data_coding, first octets in hex, length, tlvs in hex
WRITTEN: list[tuple[str, dict[str, Any], str, bool, list[tuple[int, int, str, int, str]]]] = [
    ("GSM is sent unpacked", {}, "@€", False, [(0, 0, "001b65", 3, "")]),
    ("the data_coding of GSM is the connector's", {"gsm_coding": 1}, "A", False, [(0, 1, "41", 1, "")]),
    ("a carrier whose default is Latin-1", {"gsm_alphabet": "latin1"}, "é@", False, [(0, 0, "e940", 2, "")]),
    ("what Latin-1 lacks travels as UCS-2", {"gsm_alphabet": "latin1"}, "€", False, [(0, 8, "20ac", 2, "")]),
    ("what ASCII lacks travels as UCS-2", {"gsm_alphabet": "ascii"}, "é", False, [(0, 8, "00e9", 2, "")]),
    ("Chinese is UCS-2", {}, "中", False, [(0, 8, "4e2d", 2, "")]),
    ("ASCII to the mainland is UCS-2", {}, "A", True, [(0, 8, "0041", 2, "")]),
    ("the data_coding of UCS-2 is the connector's", {"ucs2_coding": 0x18}, "中", False, [(0, 0x18, "4e2d", 2, "")]),
    ("70 units are one segment", {}, "中" * 70, True, [(0, 8, "4e2d", 140, "")]),
    ("160 septets are one segment", {}, "a" * 160, False, [(0, 0, "61", 160, "")]),
    ("UDH with 8 bits", {}, "中" * 71, True, [(0x40, 8, "050003010201", 140, ""), (0x40, 8, "050003010202", 14, "")]),
    (
        "UDH with 16 bits",
        {"long_text": "udh16"},
        "中" * 71,
        True,
        [(0x40, 8, "06080400010201", 139, ""), (0x40, 8, "06080400010202", 17, "")],
    ),
    (
        "SAR",
        {"long_text": "sar"},
        "中" * 71,
        True,
        [(0, 8, "4e2d", 134, "020c00020001020e000102020f000101"), (0, 8, "4e2d", 8, "020c00020001020e000102020f000102")],
    ),
    ("a payload takes a long text whole", {"long_text": "payload"}, "中" * 71, True, [(0, 8, "", 0, "0424008e" + "4e2d" * 71)]),
    ("a short text needs no payload", {"long_text": "payload"}, "中", True, [(0, 8, "4e2d", 2, "")]),
    ("GSM in two segments", {}, "a" * 161, False, [(0x40, 0, "050003010201", 159, ""), (0x40, 0, "050003010202", 14, "")]),
]


@pytest.mark.parametrize(("name", "settings", "text", "mainland", "expected"), WRITTEN, ids=[case[0] for case in WRITTEN])
def test_a_text_is_written(
    name: str, settings: dict[str, Any], text: str, mainland: bool, expected: list[tuple[int, int, str, int, str]]
) -> None:
    writer = TextWriter(read_settings({"system_id": "a", **settings}), 0)
    contents = writer.contents(message(text, mainland=mainland))
    found = [
        (c.esm_class, c.data_coding, c.short_message[: len(e[2]) // 2].hex(), len(c.short_message), c.tlvs.hex())
        for c, e in zip(contents, expected, strict=True)
    ]
    assert found == expected


def test_texts_that_follow_each_other_have_different_references() -> None:
    writer = TextWriter(read_settings({"system_id": "a"}), 0xFFFF)
    references = [writer.contents(message("中" * 71))[0].short_message[3] for _ in range(3)]
    assert references == [0, 1, 2]


READ = [
    ("UCS-2", 8, "90008ba20054", "gsm", "退订T"),
    ("UCS-2 with an odd octet", 8, "4e2d54", "gsm", "中\ufffd"),
    ("the default alphabet", 0, "00201b65", "gsm", "@ €"),
    ("the default alphabet of a Latin-1 carrier", 0, "e9", "latin1", "é"),
    ("the default alphabet that is really GBK", 0, "cdcbb6a9", "gsm", "退订"),
    ("the default alphabet with a broken octet", 0, "41ff", "gsm", "A\ufffd"),
    ("ASCII", 1, "5444", "gsm", "TD"),
    ("Latin-1", 3, "e9", "gsm", "é"),
    ("GBK", 15, "cdcbb6a9", "gsm", "退订"),
    ("UCS-2 with a class", 0x18, "90008ba2", "gsm", "退订"),
    ("a class", 0xF1, "41", "gsm", "A"),
    ("binary", 4, "41ff", "gsm", "A\ufffd"),
    ("a coding nobody knows", 200, "41", "gsm", "A"),
]


@pytest.mark.parametrize(("name", "coding", "octets", "alphabet", "text"), READ, ids=[case[0] for case in READ])
def test_a_phones_text_is_read(name: str, coding: int, octets: str, alphabet: str, text: str) -> None:
    assert read_text(bytes.fromhex(octets), coding, alphabet) == text
