"""The SMPP codec against the vectors, and against what peers get wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Command, Status, Tag, status_name

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "smpp.json").read_text("utf-8"))

# How the vectors write optional parameters: integers of so many octets, C-octet strings, raw octets.
_TLV_SIZES = {"sc_interface_version": 1, "sar_msg_ref_num": 2, "sar_total_segments": 1, "sar_segment_seqnum": 1, "message_state": 1}


def _tlv(name: str, value: Any) -> bytes:
    if name in _TLV_SIZES:
        return int(value).to_bytes(_TLV_SIZES[name], "big")
    return value.encode() + b"\0" if name == "receipted_message_id" else bytes.fromhex(value)


def pdu_of(vector: dict[str, Any]) -> pdus.Pdu:
    fields = dict(vector["fields"])
    if "short_message" in fields:
        fields["short_message"] = bytes.fromhex(fields["short_message"]["hex"])
    if "tlvs" in fields:
        fields["tlvs"] = {int(Tag[name.upper()]): _tlv(name, value) for name, value in fields["tlvs"].items()}
    kind = getattr(pdus, "".join(word.capitalize() for word in vector["pdu"].split("_")))
    return kind(**fields)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_read(vector: dict[str, Any]) -> None:
    assert codec.decode(bytes.fromhex(vector["hex"])) == pdu_of(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_written(vector: dict[str, Any]) -> None:
    assert codec.encode(pdu_of(vector)).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_hot_path_reads_what_the_table_reads(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    _, command_id, status, sequence = codec.header(frame)
    assert codec.decode(frame) == codec.decode_by_table(frame, command_id, status, sequence)


def frame(command: int, body: bytes, status: int = 0, sequence: int = 7) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command, status, sequence)) + body


_SM_HEAD = b"\0\x01\x01" + b"106\0\x01\x01" + b"861\0" + bytes(9)  # up to sm_default_msg_id

REFUSED = [
    ("a frame shorter than a header", b"\0\0\0\x08\0\0\0\x04", Status.ESME_RINVCMDLEN),
    (
        "a length that is not the frame's",
        frame(Command.ENQUIRE_LINK, b"")[:3] + b"\x11" + frame(Command.ENQUIRE_LINK, b"")[4:],
        Status.ESME_RINVCMDLEN,
    ),
    ("an unknown command", frame(0x99, b""), Status.ESME_RINVCMDID),
    ("a string without an end", frame(Command.SUBMIT_SM, b"\0\x01\x01" + b"106"), Status.ESME_RINVPARLEN),
    ("a system_id without an end", frame(Command.BIND_TRANSCEIVER, b"yanshu"), Status.ESME_RINVPARLEN),
    ("a body that ends too early", frame(Command.BIND_TRANSCEIVER, b"a\0b\0c\0"), Status.ESME_RINVCMDLEN),
    ("sm_length beyond the PDU", frame(Command.SUBMIT_SM, _SM_HEAD + b"\x05hi"), Status.ESME_RINVMSGLEN),
    ("a TLV beyond the PDU in a submit", frame(Command.SUBMIT_SM, _SM_HEAD + b"\x02hi\x04\x24\x00\x09abc"), Status.ESME_RINVOPTPARSTREAM),
]


@pytest.mark.parametrize(("name", "octets", "status"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_bad_pdu_is_refused_with_the_status_to_answer(name: str, octets: bytes, status: Status) -> None:
    with pytest.raises(RemoteProtocolError) as raised:
        codec.decode(octets)
    assert raised.value.status == status


TOLERATED = [
    ("a NUL behind the text of a deliver_sm", frame(Command.DELIVER_SM, _SM_HEAD + b"\x02hi\0"), {"short_message": b"hi", "tlvs": {}}),
    ("a cut TLV in a deliver_sm", frame(Command.DELIVER_SM, _SM_HEAD + b"\x02hi\x04\x27\0\1\2\x04\x24\0\x09a"), {"tlvs": {0x427: b"\2"}}),
    ("a vendor TLV", frame(Command.SUBMIT_SM, _SM_HEAD + b"\x02hi\x14\0\0\1\5"), {"tlvs": {0x1400: b"\5"}}),
    ("an error response with one NUL", frame(Command.SUBMIT_SM_RESP, b"\0", status=0x58), {"command_status": 0x58, "message_id": ""}),
    ("an error response without a body", frame(Command.SUBMIT_SM_RESP, b"", status=0x58), {"command_status": 0x58, "message_id": ""}),
    ("a message id without its NUL", frame(Command.SUBMIT_SM_RESP, b"abc"), {"message_id": "abc"}),
    ("a vendor status", frame(Command.SUBMIT_SM_RESP, b"", status=0x401), {"command_status": 0x401}),
    ("octets above 0x7F in an address", frame(Command.DELIVER_SM, _SM_HEAD.replace(b"106", b"\xe9") + b"\0"), {"source_addr": "é"}),
]


@pytest.mark.parametrize(("name", "octets", "expected"), TOLERATED, ids=[case[0] for case in TOLERATED])
def test_what_real_peers_get_wrong_is_read(name: str, octets: bytes, expected: dict[str, object]) -> None:
    pdu = codec.decode(octets)
    assert {key: getattr(pdu, key) for key in expected} == expected


UNWRITABLE = [
    ("a text longer than its field", pdus.BindTransceiver(system_id="a" * 16)),
    ("a NUL inside a text", pdus.BindTransceiver(system_id="a\0b")),
    ("a character that is no octet", pdus.SubmitSm(destination_addr="一")),
    ("an integer above 255", pdus.SubmitSm(data_coding=256)),
    ("a short_message above 254 octets", pdus.SubmitSm(short_message=b"x" * 255)),
    ("a PDU above 64 KiB", pdus.SubmitSm(tlvs={0x424: b"x" * 65_535})),
]


@pytest.mark.parametrize(("name", "pdu"), UNWRITABLE, ids=[case[0] for case in UNWRITABLE])
def test_what_does_not_fit_is_our_error(name: str, pdu: pdus.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        codec.encode(pdu)


def test_a_response_answers_its_request() -> None:
    response = codec.response_to(pdus.SubmitSm(sequence_number=9), message_id="a1")
    assert response == pdus.SubmitSmResp(sequence_number=9, message_id="a1")


@pytest.mark.parametrize(("status", "name"), [(0x58, "ESME_RTHROTTLED"), (0x401, "0x00000401")])
def test_a_status_has_a_name(status: int, name: str) -> None:
    assert status_name(status) == name
