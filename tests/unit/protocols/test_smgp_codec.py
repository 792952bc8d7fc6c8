"""The SMGP codec against the vectors, and against what gateways get wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import Status, Tag

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "smgp.json").read_text("utf-8"))
_NAMES = {
    "seq": "sequence_id",
    "auth_server": "authenticator_server",
    "auth": "authenticator_client",
    "dest": "dest_term_ids",
    "content": "msg_content",
    "tlv": "tlvs",
}
_VERSIONS = {"login": "client_version", "login_resp": "server_version"}


def _value(name: str, value: Any) -> Any:
    if name == "content":
        return bytes.fromhex(value["hex"])
    if name.startswith("auth"):
        return bytes.fromhex(value)
    if name == "tlv":
        return {tag: bytes.fromhex(octets) for tag, octets in value}
    return tuple(value) if isinstance(value, list) else value


def pdu_of(vector: dict[str, Any]) -> pdus.Pdu:
    kind = getattr(pdus, "".join(word.capitalize() for word in vector["pdu"].split("_")))
    names = {**_NAMES, "version": _VERSIONS.get(vector["pdu"], "")}
    fields = {names.get(n, n): _value(n, v) for n, v in vector["fields"].items() if not n.startswith("_") and n != "report"}
    made: pdus.Pdu = kind(**fields)
    return made


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_read(vector: dict[str, Any]) -> None:
    assert codec.decode(bytes.fromhex(vector["hex"])) == pdu_of(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_written(vector: dict[str, Any]) -> None:
    assert codec.encode(pdu_of(vector)).hex() == vector["hex"]


def survives(frame: bytes) -> None:
    try:
        codec.decode(frame)
    except RemoteProtocolError:
        return


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_every_prefix_and_every_flipped_octet_of_a_vector_is_survived(vector: dict[str, Any]) -> None:
    whole = bytes.fromhex(vector["hex"])
    for end in range(len(whole)):
        survives(whole[:end])
        survives(end.to_bytes(4, "big") + whole[4:end])
    for place in range(4, len(whole)):
        survives(whole[:place] + bytes((whole[place] ^ 0xFF,)) + whole[place + 1 :])


# --- quirks of SMGP, each by its name (protocols.md §6) ---


def deliver(extra: bytes = b"", **fields: Any) -> pdus.Deliver:
    octets = codec.encode(pdus.Deliver(**fields)) + extra
    pdu = codec.decode(len(octets).to_bytes(4, "big") + octets[4:])
    assert isinstance(pdu, pdus.Deliver)
    return pdu


@pytest.mark.parametrize("ident", ["6495c36ac4ea6b00000b", "00000000000000000000", "01006111081041000678"])
def test_a_message_id_is_ten_octets_whatever_is_in_them(ident: str) -> None:
    assert deliver(msg_id=ident).msg_id == ident


EXTRAS = [
    ("parameters in another order", b"\0\x0a\0\x01\x02\0\x02\0\x01\x01", {10: b"\x02", 2: b"\x01"}),
    ("one that nobody knows", b"\x7f\x01\0\x02ab\0\x02\0\x01\x01", {0x7F01: b"ab", 2: b"\x01"}),
    ("one of another length than it should have", b"\0\x10\0\x06901234", {16: b"901234"}),
    ("one cut at the end", b"\0\x02\0\x01\x01\0\x09\0\x05\x01", {2: b"\x01"}),
    ("a NUL behind the last", b"\0\x02\0\x01\x01\0", {2: b"\x01"}),
]


@pytest.mark.parametrize(("name", "extra", "tlvs"), EXTRAS, ids=[case[0] for case in EXTRAS])
def test_parameters_are_read_as_far_as_they_make_sense(name: str, extra: bytes, tlvs: dict[int, bytes]) -> None:
    assert deliver(extra).tlvs == tlvs


def test_parameters_of_fixed_size_are_written_padded() -> None:
    octets = codec.body(pdus.Submit(dest_term_ids=("1",), tlvs={int(Tag.MSG_SRC): b"901234"}))
    assert octets.endswith(b"\0\x10\0\x08901234\0\0")


def test_an_active_test_resp_has_no_body() -> None:
    assert codec.encode(pdus.ActiveTestResp(sequence_id=7)) == b"\0\0\0\x0c\x80\0\0\x04\0\0\0\x07"


def test_a_query_is_answered_with_eight_counters_and_a_reserve() -> None:
    answer = pdus.QueryResp(sequence_id=40, query_time="20231108", mt_tl_msg=3, mo_fl=1)
    octets = codec.encode(answer)
    assert len(octets) == 12 + 8 + 1 + 10 + 8 * 4 + 8
    assert octets.endswith(b"\0\0\0\x01" + bytes(8))
    assert codec.decode(octets) == answer


def test_the_length_of_a_submit_is_what_the_specification_gives() -> None:
    assert len(codec.encode(pdus.Submit(dest_term_ids=("1", "2"), msg_content=b"hello"))) == 126 + 21 * 2 + 5


@pytest.mark.parametrize("tlvs", [{}, {2: b"\x01", 9: b"\x02", 10: b"\x01"}], ids=["whole", "a part"])
def test_the_parts_around_number_and_text_make_the_whole(tlvs: dict[int, bytes]) -> None:
    model = pdus.Submit(service_id="YANSHU", src_term_id="10690123", msg_content=b"hello", reserve="r", tlvs=tlvs)
    before, between, behind = codec.around(model)
    for number in ("13800138000", "+8613800138000", "1" * 21):
        whole = before + codec.number(number) + between + codec.content(b"hello") + behind
        assert whole == codec.body(replace(model, dest_term_ids=(number,)))


@pytest.mark.parametrize("make", [lambda: codec.number("1" * 22), lambda: codec.content(bytes(141))], ids=["a number", "a text"])
def test_a_part_that_does_not_fit_is_our_error(make: Callable[[], bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        make()


def test_the_short_ways_lead_where_the_long_ones_do() -> None:
    pdu = pdus.Deliver(
        5, msg_id="6495c36ac4ea6b00000b", msg_format=15, recv_time="20231108104300", src_term_id="138", dest_term_id="1069", reserve="r"
    )
    for content in (b"", bytes(140), bytes(255)):
        made = replace(pdu, msg_content=content, is_report=len(content) & 1)
        octets = codec.encode(made)
        assert codec.delivery(octets) == codec.decode(octets) == made
        for other in (octets[:-1], octets + b"\0", octets[:20], codec.encode(replace(made, tlvs={2: b"\x01"}))):
            assert codec.delivery(other) is None
    for status in (0, 1):
        assert codec.delivered(pdu, status) == codec.encode(pdus.DeliverResp(5, msg_id=pdu.msg_id, status=status))


REFUSED = [
    ("a frame shorter than a header", b"\0\0\0\x08\0\0\0\x04", Status.LENGTH),
    ("an unknown command", b"\0\0\0\x0c\0\0\0\x44\0\0\0\x01", Status.COMMAND),
    ("a submit that ends too early", b"\0\0\0\x0e\0\0\0\x02\0\0\0\x01\0\0", Status.LENGTH),
    ("a login with octets behind it", b"\0\0\0\x2b\0\0\0\x01" + bytes(35), Status.LENGTH),
]


@pytest.mark.parametrize(("name", "octets", "status"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_makes_no_sense_is_refused_with_the_status_to_answer(name: str, octets: bytes, status: int) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        codec.decode(octets)
    assert refused.value.status == status


UNFIT: list[tuple[str, pdus.Pdu]] = [
    ("no number", pdus.Submit()),
    ("an id of nine octets", pdus.SubmitResp(msg_id="00" * 9)),
    ("an id that is no hex", pdus.SubmitResp(msg_id="x" * 20)),
    ("a text of 141 octets", pdus.Submit(dest_term_ids=("1",), msg_content=bytes(141))),
    ("a client of nine characters", pdus.Login(client_id="123456789")),
    ("a delivery of 256 octets", pdus.Deliver(msg_content=bytes(256))),
    ("a parameter longer than its length can say", pdus.Deliver(tlvs={1: bytes(0x10000)})),
    ("a parameter that makes the PDU too long", pdus.Deliver(tlvs={1: bytes(8192)})),
    ("a tag of three octets", pdus.Deliver(tlvs={0x10000: b""})),
    ("a negative tag", pdus.Deliver(tlvs={-1: b""})),
    ("a sequence of five octets", pdus.ActiveTest(sequence_id=1 << 32)),
]


@pytest.mark.parametrize(("name", "pdu"), UNFIT, ids=[case[0] for case in UNFIT])
def test_what_does_not_fit_its_field_is_our_error(name: str, pdu: pdus.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        codec.encode(pdu)
