"""Laws of the SMPP codec: what is written is read, and no octets bring anything but RemoteProtocolError."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import RESPONSE_BIT, Command
from yanshu.protocols.smpp.receipts import carrier_key, parse, receipt_keys
from yanshu.protocols.times import read_stamp

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "smpp.json").read_text("utf-8"))
_IDS = [vector["name"] for vector in VECTORS]

octets = st.integers(0, 255)
numbers = st.integers(0, 0xFFFFFFFF)
tlvs = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=5)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=size - 1)


_SM: dict[str, st.SearchStrategy[Any]] = {
    "service_type": texts(6),
    "source_addr": texts(21),
    "destination_addr": texts(21),
    "schedule_delivery_time": texts(17),
    "validity_period": texts(17),
    "short_message": st.binary(max_size=254),
    "tlvs": tlvs,
    "sequence_number": numbers,
    "command_status": numbers,
    **dict.fromkeys(("source_addr_ton", "dest_addr_npi", "esm_class", "data_coding", "registered_delivery"), octets),
}
any_pdu: st.SearchStrategy[pdus.Pdu] = st.one_of(
    st.builds(pdus.SubmitSm, **_SM),
    st.builds(pdus.DeliverSm, **_SM),
    st.builds(pdus.BindTransceiver, system_id=texts(16), password=texts(9), system_type=texts(13), interface_version=octets),
    st.builds(pdus.SubmitSmResp, message_id=texts(65), sequence_number=numbers),
    st.builds(pdus.DataSm, source_addr=texts(65), destination_addr=texts(65), tlvs=tlvs),
    st.builds(pdus.QuerySmResp, message_id=texts(65), final_date=texts(17), message_state=octets),
    st.builds(pdus.EnquireLink, sequence_number=numbers),
)


def read(frame: bytes) -> pdus.Pdu | None:
    try:
        return codec.decode(frame)
    except RemoteProtocolError:
        return None


def framed(frame: bytes) -> bytes:
    """The frame with its length made right, so that damage reaches the fields."""
    return len(frame).to_bytes(4, "big") + frame[4:]


@given(any_pdu)
def test_what_is_written_is_read(pdu: pdus.Pdu) -> None:
    assert codec.decode(codec.encode(pdu)) == pdu


@pytest.mark.parametrize("vector", VECTORS, ids=_IDS)
def test_every_prefix_is_survived(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for end in range(len(frame)):
        read(frame[:end])
        if end >= 4:
            read(framed(frame[:end]))


@pytest.mark.parametrize("vector", VECTORS, ids=_IDS)
def test_every_flipped_bit_is_survived(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for at in range(len(frame)):
        for bit in range(8):
            read(frame[:at] + bytes((frame[at] ^ 1 << bit,)) + frame[at + 1 :])


@pytest.mark.parametrize("vector", VECTORS, ids=_IDS)
def test_every_replaced_octet_is_survived(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for at in range(len(frame)):
        for value in (0x00, 0x7F, 0xFF):
            read(frame[:at] + bytes((value,)) + frame[at + 1 :])


@given(st.sampled_from(list(Command)), numbers, numbers, st.binary(max_size=120))
def test_any_body_of_any_command_is_survived(command: Command, status: int, sequence: int, body: bytes) -> None:
    read(codec.pack_header(16 + len(body), command, status, sequence) + body)


@given(st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]), st.binary(max_size=80))
def test_the_hot_path_reads_what_the_table_reads(command: Command, body: bytes) -> None:
    frame = codec.pack_header(16 + len(body), command, 0, 1) + body
    try:
        expected: pdus.Pdu | None = codec.decode_by_table(frame, command, 0, 1)
    except RemoteProtocolError:
        expected = None
    assert read(frame) == expected


@given(any_pdu)
def test_a_request_has_a_response_that_can_be_written(pdu: pdus.Pdu) -> None:
    if not codec.command_of(pdu) & RESPONSE_BIT:
        codec.encode(codec.response_to(pdu))


@given(st.text(max_size=200))
def test_any_text_is_survived_as_a_receipt(text: str) -> None:
    parse(text)
    parse(f"id:{text} stat:{text} err:{text}")
    read_stamp(text, 480)


@given(st.text(min_size=1, max_size=70), st.text(max_size=70))
def test_a_receipt_has_the_literal_id_among_its_keys(tlv_id: str, text_id: str) -> None:
    assert receipt_keys(tlv_id, text_id)[0] == carrier_key(tlv_id)


@given(st.integers(1, (1 << 64) - 1))
def test_hex_and_decimal_ids_find_each_other(number: int) -> None:
    assert carrier_key(f"{number:X}") in receipt_keys(None, f"{number:020}")
    assert carrier_key(str(number)) in receipt_keys(None, f"{number:016X}")
