"""Deliveries in our words: receipts in all their forms, and texts from phones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.adapters.carriers.smpp.inbound import Delivery, Reader, phone_number
from yanshu.adapters.carriers.smpp.settings import read_settings
from yanshu.domain.submissions import Arrival, InboundPart, Receipt, ReceiptState
from yanshu.protocols.smpp import pdus

S = ReceiptState


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def entropy(self, count: int) -> bytes:
        return bytes(count)


def read(pdu: Delivery, settings: dict[str, Any] | None = None) -> Arrival:
    reader = Reader("con_1", read_settings({"system_id": "a", **(settings or {})}), "10690000123", StillClock())
    (arrival,) = reader.read([pdu])
    return arrival


def deliver(text: bytes = b"", **fields: Any) -> pdus.DeliverSm:
    return pdus.DeliverSm(**{"source_addr": "8613800138000", "destination_addr": "10690000123", "short_message": text, **fields})


# name, settings, what comes, what of the receipt is expected
RECEIPTS: list[tuple[str, dict[str, Any], Delivery, dict[str, Any]]] = [
    (
        "a text",
        {},
        deliver(b"id:7f stat:DELIVRD err:000", esm_class=4),
        {"keys": ("7f", "127"), "state": S.DELIVERED, "stat": "DELIVRD", "err": "000"},
    ),
    ("a person's number", {}, deliver(b"id:7 stat:DELIVRD", esm_class=4), {"recipient": "+8613800138000"}),
    ("no number", {}, deliver(b"id:7 stat:DELIVRD", esm_class=4, source_addr=""), {"recipient": None}),
    ("expired", {}, deliver(b"id:7 stat:EXPIRED", esm_class=4), {"state": S.EXPIRED}),
    ("undeliverable", {}, deliver(b"id:7 stat:UNDELIV", esm_class=4), {"state": S.UNDELIVERABLE}),
    ("rejected", {}, deliver(b"id:7 stat:REJECTD", esm_class=4), {"state": S.REJECTED}),
    ("a gateway's own code", {}, deliver(b"id:7 stat:DB:0119", esm_class=4), {"state": S.REJECTED, "stat": "DB:0119"}),
    ("a code nobody knows", {}, deliver(b"id:7 stat:WHAT", esm_class=4), {"state": S.UNKNOWN, "stat": "WHAT"}),
    ("accepted is not final", {}, deliver(b"id:7 stat:ACCEPTD", esm_class=4), {"state": S.ACCEPTED}),
    (
        "accepted is this carrier's last word",
        {"acceptd_is_final": True},
        deliver(b"id:7 stat:ACCEPTD", esm_class=4),
        {"state": S.DELIVERED},
    ),
    ("an intermediate notification is not final", {}, deliver(b"id:7 stat:UNDELIV", esm_class=0x20), {"state": S.ACCEPTED}),
    (
        "parameters win over the text",
        {},
        deliver(b"id:9 stat:UNDELIV err:000", esm_class=4, tlvs={0x1E: b"a1\0", 0x427: b"\2", 0x423: b"\3\0\1"}),
        {"keys": ("a1", "9", "161"), "state": S.DELIVERED, "stat": "DELIVRD", "err": "000"},
    ),
    ("parameters alone", {}, deliver(tlvs={0x1E: b"a1\0", 0x427: b"\5", 0x423: b"\3\0\1"}), {"state": S.UNDELIVERABLE, "err": "030001"}),
    (
        "data_sm",
        {},
        pdus.DataSm(source_addr="8613800138000", esm_class=4, tlvs={0x424: b"id:7 stat:DELIVRD"}),
        {"keys": ("7",), "state": S.DELIVERED},
    ),
    ("a pinned form of ids", {"id_form": "decimal_to_hex"}, deliver(b"id:4097 stat:DELIVRD", esm_class=4), {"keys": ("1001",)}),
    ("a text that reads like one", {"receipt_from_text": True}, deliver(b"id:7 stat:DELIVRD"), {"state": S.DELIVERED}),
    ("nonsense is kept", {}, deliver(b"\xff\x01hello", esm_class=4), {"keys": ("",), "state": S.ACCEPTED, "text": "\xff\x01hello"}),
    (
        "a NUL at the end is no part of the text",
        {},
        deliver(b"id:7 stat:DELIVRD err:000\0", esm_class=4),
        {"err": "000", "text": "id:7 stat:DELIVRD err:000"},
    ),
    (
        "a NUL within is no character",
        {},
        deliver(b"id:a\0b stat:EXPI\0RED err:\x000", esm_class=4),
        {"keys": ("a\ufffdb",), "stat": "EXPI\ufffdRED", "err": "\ufffd0", "text": "id:a\ufffdb stat:EXPI\ufffdRED err:\ufffd0"},
    ),
    (
        "what is too long for an index is cut",
        {},
        deliver(source_addr="x" * 3000, esm_class=4, tlvs={0x1E: b"z" * 3000, 0x423: b"\xff" * 3000, 0x427: b"\xff" * 3000}),
        {"keys": ("z" * 255,), "recipient": "x" * 64, "err": "f" * 64, "state": S.ACCEPTED},
    ),
]


@pytest.mark.parametrize(("name", "settings", "pdu", "expected"), RECEIPTS, ids=[case[0] for case in RECEIPTS])
def test_a_receipt_is_read(name: str, settings: dict[str, Any], pdu: Delivery, expected: dict[str, Any]) -> None:
    arrival = read(pdu, settings)
    assert isinstance(arrival, Receipt)
    assert {key: getattr(arrival, key) for key in expected} == expected


_UDH = bytes.fromhex("0500032a0201")
_SAR = {0x20C: b"\x12\x34", 0x20E: b"\x02", 0x20F: b"\x02"}

TEXTS: list[tuple[str, dict[str, Any], Delivery, dict[str, Any]]] = [
    ("a short text", {}, deliver(b"TD"), {"text": "TD", "raw": b"TD", "part": 1, "parts": 1, "reference": 0, "sender": "+8613800138000"}),
    ("a text that reads like a receipt", {}, deliver(b"id:7 stat:DELIVRD"), {"text": "id:7 stat:DELIVRD"}),
    (
        "a part by header",
        {},
        deliver(_UDH + "中".encode("utf-16-be"), esm_class=0x40, data_coding=8),
        {"text": "中", "part": 1, "parts": 2, "reference": 0x2A},
    ),
    ("a part by parameters", {}, deliver(b"hi", tlvs=_SAR), {"text": "hi", "part": 2, "parts": 2, "reference": 0x1234}),
    ("a header wins over parameters", {}, deliver(_UDH + b"hi", esm_class=0x40, tlvs=_SAR), {"part": 1, "reference": 0x2A}),
    ("a part beyond the total stands alone", {}, deliver(b"hi", tlvs={0x20E: b"\2", 0x20F: b"\3"}), {"part": 1, "parts": 1}),
    ("a text in the payload", {}, deliver(tlvs={0x424: "中".encode("utf-16-be")}, data_coding=8), {"text": "中"}),
    ("our number with the country code", {}, deliver(b"T", destination_addr="8610690000123"), {"recipient": "10690000123"}),
    ("our number with an extension", {}, deliver(b"T", destination_addr="1069000012388"), {"recipient": "1069000012388"}),
    ("our number with a plus", {}, deliver(b"T", destination_addr="+10690000123"), {"recipient": "10690000123"}),
    ("octets that are no text", {}, deliver(b"\xd8\x00", data_coding=8), {"text": "\ufffd", "raw": b"\xd8\x00"}),
    ("a NUL in it", {}, deliver(b"\0\0\0a", data_coding=8), {"text": "\ufffda", "raw": b"\0\0\0a"}),
    ("an at sign, which is octet 0 in GSM", {}, deliver(b"a\0b"), {"text": "a@b"}),
    (
        "a part of more than there can be",
        {},
        deliver(b"hi", tlvs={0x20C: b"\1" * 9, 0x20E: b"\1\0", 0x20F: b"\1"}),
        {"parts": 1, "reference": 0},
    ),
    ("a reference of too many octets", {}, deliver(b"hi", tlvs={**_SAR, 0x20C: b"\xff" * 9}), {"parts": 2, "reference": 0xFFFF}),
    (
        "an endless sender",
        {},
        deliver(b"hi", source_addr="x" * 3000, destination_addr="1" * 3000),
        {"sender": "x" * 64, "recipient": "1" * 64},
    ),
]


@pytest.mark.parametrize(("name", "settings", "pdu", "expected"), TEXTS, ids=[case[0] for case in TEXTS])
def test_a_persons_text_is_read(name: str, settings: dict[str, Any], pdu: Delivery, expected: dict[str, Any]) -> None:
    arrival = read(pdu, settings)
    assert isinstance(arrival, InboundPart)
    assert {key: getattr(arrival, key) for key in expected} == expected


NUMBERS = [
    ("8613800138000", "+8613800138000"),
    ("13800138000", "+8613800138000"),
    ("+8613800138000", "+8613800138000"),
    ("008613800138000", "+8613800138000"),
    ("85261234567", "+85261234567"),
    ("Bank", "Bank"),
    ("\xb2\xb3", "\xb2\xb3"),
    ("", None),
]


@pytest.mark.parametrize(("address", "number"), NUMBERS, ids=[case[0] or "empty" for case in NUMBERS])
def test_a_number_is_e164(address: str, number: str | None) -> None:
    assert phone_number(address) == number
