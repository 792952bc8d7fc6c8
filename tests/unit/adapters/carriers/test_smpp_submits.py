"""Chunks of messages as submits: what is shared within a chunk changes nothing of what is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from yanshu.adapters.carriers.smpp.submits import Submits
from yanshu.domain.connectors import Connector
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.smpp import codec, pdus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "中" * 71


def submits(**settings: Any) -> Submits:
    connector = Connector(
        id="con_1",
        name="test",
        protocol="smpp",
        host="127.0.0.1",
        port=1,
        settings={"system_id": "a", **settings},
        secret="",
        created_at=NOW,
        updated_at=NOW,
        sender="+10690000",
    )
    return Submits(connector, 0)


def message(text: str = "hi", *, encoding: Encoding = Encoding.GSM7, seconds: int = 60, **fields: Any) -> Message:
    values: dict[str, Any] = {"recipient": "+8613800138000", "sender": "", **fields}
    return Message(
        id="msg_1",
        workspace_id="ws_1",
        livemode=True,
        lane=Lane.NOTICE,
        text=text,
        encoding=encoding,
        units=len(text),
        segments=1,
        status=Status.SUBMITTING,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + timedelta(seconds=seconds),
        due_at=None,
        **values,
    )


def read(bodies: list[bytes]) -> list[pdus.SubmitSm]:
    frames = [codec.pack_header(16 + len(body), 4, 0, 1) + body for body in bodies]
    return [codec.decode_sm(frame, pdus.SubmitSm) for frame in frames]


CASES: list[tuple[str, dict[str, Any], list[Message], list[dict[str, Any]]]] = [
    (
        "one text to two people",
        {},
        [message(recipient="+8613800138000"), message(recipient="+8613900139000")],
        [{"destination_addr": "8613800138000"}, {"destination_addr": "8613900139000"}],
    ),
    ("the connector's sender", {}, [message()], [{"source_addr": "10690000"}]),
    ("the message's sender", {}, [message(), message(sender="106")], [{"source_addr": "10690000"}, {"source_addr": "106"}]),
    ("pluses are kept", {"keep_plus": True}, [message()], [{"source_addr": "+10690000", "destination_addr": "+8613800138000"}]),
    ("two texts", {}, [message("a"), message("b"), message("a")], [{"short_message": text} for text in (b"a", b"b", b"a")]),
    (
        "one text in two alphabets",
        {},
        [message("a"), message("a", encoding=Encoding.UCS2)],
        [{"short_message": b"a", "data_coding": 0}, {"short_message": b"\0a", "data_coding": 8}],
    ),
    (
        "one text with two lives",
        {"validity": True},
        [message(seconds=60), message(seconds=120)],
        [{"validity_period": "000000000100000R"}, {"validity_period": "000000000200000R"}],
    ),
    ("no validity unless asked for", {}, [message()], [{"validity_period": ""}]),
    ("a receipt is always asked for", {}, [message()], [{"registered_delivery": 1}]),
    ("an empty text", {}, [message("")], [{"short_message": b""}]),
]


@pytest.mark.parametrize(("name", "settings", "messages", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_chunk_is_written(name: str, settings: dict[str, Any], messages: list[Message], expected: list[dict[str, Any]]) -> None:
    chunk = submits(**settings).chunk(NOW)
    found = read([body for one in messages for body in chunk.bodies(one)])
    assert [{key: getattr(pdu, key) for key in want} for pdu, want in zip(found, expected, strict=True)] == expected


def test_a_long_text_has_a_reference_of_its_own_each_time() -> None:
    chunk = submits().chunk(NOW)
    heads = [pdu.short_message[:6].hex() for _ in range(2) for pdu in read(chunk.bodies(message(LONG, encoding=Encoding.UCS2)))]
    assert heads == ["050003010201", "050003010202", "050003020201", "050003020202"]


def test_a_long_text_may_travel_whole() -> None:
    chunk = submits(long_text="payload").chunk(NOW)
    found = read([body for _ in range(2) for body in chunk.bodies(message(LONG, encoding=Encoding.UCS2))])
    assert [pdu.tlvs for pdu in found] == [{0x0424: LONG.encode("utf-16-be")}] * 2


def test_what_does_not_fit_spoils_only_its_own_message() -> None:
    chunk = submits().chunk(NOW)
    with pytest.raises(LocalProtocolError):
        chunk.bodies(message(sender="雁书"))
    assert len(chunk.bodies(message())) == 1
