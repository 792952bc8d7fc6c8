"""The CMPP codec against the vectors of both versions, and against what gateways get wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import Result, Version, version_of
from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError

_FOLDER = Path(__file__).parents[2] / "vectors"
CASES: list[tuple[Version, dict[str, Any]]] = [
    (version, vector)
    for version, file in ((Version.V20, "cmpp20.json"), (Version.V30, "cmpp30.json"))
    for vector in json.loads((_FOLDER / file).read_text("utf-8"))
]
IDS = [f"{version.name}-{vector['name']}" for version, vector in CASES]
# The names of the vectors, where they are not those of the structs.
_NAMES = {
    "seq": "sequence_id",
    "dest": "dest_terminal_ids",
    "auth": "authenticator_source",
    "auth_ismg": "authenticator_ismg",
    "fee_usertype": "fee_user_type",
    "mt_tlmsg": "mt_tl_msg",
    "mt_tlusr": "mt_tl_usr",
    "content": "msg_content",
}


def _value(name: str, value: Any) -> Any:
    if name == "content":
        return bytes.fromhex(value["hex"])
    if name.startswith("auth"):
        return bytes.fromhex(value)
    return tuple(value) if isinstance(value, list) else value


def pdu_of(vector: dict[str, Any]) -> pdus.Pdu:
    kind = getattr(pdus, "".join(word.capitalize() for word in vector["pdu"].split("_")))
    fields = {_NAMES.get(n, n): _value(n, v) for n, v in vector["fields"].items() if not n.startswith("_") and n != "report"}
    made: pdus.Pdu = kind(**fields)
    return made


@pytest.mark.parametrize(("version", "vector"), CASES, ids=IDS)
def test_a_vector_is_read(version: Version, vector: dict[str, Any]) -> None:
    assert codec.decode(bytes.fromhex(vector["hex"]), version) == pdu_of(vector)


@pytest.mark.parametrize(("version", "vector"), CASES, ids=IDS)
def test_a_vector_is_written(version: Version, vector: dict[str, Any]) -> None:
    assert codec.encode(pdu_of(vector), version).hex() == vector["hex"]


def test_a_submit_has_the_length_the_specification_gives() -> None:
    pdu = pdus.Submit(dest_terminal_ids=("13800138000", "13800138001"), msg_content=b"hello")
    assert len(codec.encode(pdu, Version.V20)) == 138 + 21 * 2 + 5
    assert len(codec.encode(pdu, Version.V30)) == 163 + 32 * 2 + 5


@pytest.mark.parametrize("source", ["106", "?" * 21])
@pytest.mark.parametrize("version", list(Version))
def test_the_parts_around_number_and_text_make_the_whole(version: Version, source: str) -> None:
    pdu = pdus.Submit(src_id=source, dest_terminal_ids=("13800138000",), msg_content=b"hello", link_id="link")
    before, between, behind = codec.around(pdu, version)
    number = codec.widened(codec.number("13800138000"), version)
    assert before + number + between + codec.content(b"hello", pdu.msg_fmt) + behind == codec.body(pdu, version)


@pytest.mark.parametrize("version", list(Version))
def test_the_short_ways_lead_where_the_long_ones_do(version: Version) -> None:
    pdu = pdus.Deliver(
        sequence_id=5, msg_id=1 << 60, dest_id="1069", service_id="s", tp_pid=1, tp_udhi=1, msg_fmt=8, src_terminal_id="138", link_id="l"
    )
    for values in ({"msg_content": b""}, {"msg_content": bytes(140)}, {"registered_delivery": 1, "msg_content": bytes(71)}):
        made = replace(pdu, **values)
        octets = codec.encode(made, version)
        assert codec.delivery(octets, version) == codec.decode(octets, version) == made
        for other in (octets[:-1], octets + b"\0", octets[:20]):
            assert codec.delivery(other, version) is None
    for result in (0, 9):
        answer = pdus.DeliverResp(sequence_id=5, msg_id=1 << 60, result=result)
        assert codec.delivered(pdu, result, version) == codec.encode(answer, version)


def frame(command: int, body: bytes, sequence: int = 7) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (12 + len(body), command, sequence)) + body


# --- quirks of gateways, each by its name (protocols.md §4, §9, §10) ---


@pytest.mark.parametrize("octets", [b"", b"\0"], ids=["12 octets", "13 octets"])
def test_an_active_test_resp_may_have_no_body(octets: bytes) -> None:
    assert codec.decode(frame(0x80000008, octets), Version.V20) == pdus.ActiveTestResp(sequence_id=7)


MIXED = [
    ("a 2.0 session gets a result of 4 octets", Version.V20, bytes(8) + b"\0\0\0\x08"),
    ("a 3.0 session gets a result of 1 octet", Version.V30, bytes(8) + b"\x08"),
]


@pytest.mark.parametrize(("name", "version", "octets"), MIXED, ids=[case[0] for case in MIXED])
def test_a_response_of_the_other_version_is_understood(name: str, version: Version, octets: bytes) -> None:
    assert codec.decode(frame(0x80000004, octets), version) == pdus.SubmitResp(sequence_id=7, result=Result.FLOW_CONTROL)


@pytest.mark.parametrize("missing", [0, 11, 20])
def test_a_link_id_may_be_cut_short(missing: int) -> None:
    whole = codec.body(pdus.Deliver(dest_id="106", src_terminal_id="13800138000", msg_content=b"T"), Version.V30)
    pdu = codec.decode(frame(5, whole[: len(whole) - missing]), Version.V30)
    assert isinstance(pdu, pdus.Deliver)
    assert (pdu.msg_content, pdu.link_id) == (b"T", "")


DELIVERIES = [(version, vector) for version, vector in CASES if vector["pdu"] == "deliver"]


@pytest.mark.parametrize(("version", "vector"), DELIVERIES, ids=[f"{v.name}-{d['name']}" for v, d in DELIVERIES])
def test_a_delivery_of_the_other_version_is_read_as_what_it_is(version: Version, vector: dict[str, Any]) -> None:
    other = Version.V30 if version is Version.V20 else Version.V20
    assert codec.decode(bytes.fromhex(vector["hex"]), other) == pdu_of(vector)


@pytest.mark.parametrize(("junk", "is_read"), [(0, True), (3, True), (4, False)])
def test_a_few_octets_behind_a_delivery_are_junk_and_more_are_another_layout(junk: int, is_read: bool) -> None:
    octets = codec.body(pdus.Deliver(dest_id="106", src_terminal_id="13800138000", msg_content=b"hello"), Version.V30) + bytes(junk)
    if not is_read:
        with pytest.raises(RemoteProtocolError):
            codec.decode(frame(5, octets), Version.V30)
        return
    pdu = codec.decode(frame(5, octets), Version.V30)
    assert isinstance(pdu, pdus.Deliver)
    assert pdu.msg_content == b"hello"


def test_a_field_is_read_up_to_its_nul_and_without_blanks() -> None:
    octets = bytearray(codec.body(pdus.Deliver(dest_id="106", src_terminal_id="13800138000"), Version.V20))
    octets[8:29] = b"106900   \0rubbish".ljust(21, b"\0")
    pdu = codec.decode(frame(5, bytes(octets)), Version.V20)
    assert isinstance(pdu, pdus.Deliver)
    assert pdu.dest_id == "106900"


def test_a_digest_is_not_cut_at_a_nul() -> None:
    digest = b"\0\x01" * 8
    pdu = codec.decode(codec.encode(pdus.Connect(source_addr="901234", authenticator_source=digest), Version.V30), Version.V30)
    assert isinstance(pdu, pdus.Connect)
    assert pdu.authenticator_source == digest


@pytest.mark.parametrize(("octet", "version"), [(0x20, Version.V20), (0x21, Version.V20), (0x30, Version.V30), (0x31, Version.V30)])
def test_the_version_octet_chooses_the_layouts(octet: int, version: Version) -> None:
    assert version_of(octet) is version


_SUBMIT = codec.body(pdus.Submit(dest_terminal_ids=("13800138000",), msg_content=b"hello"), Version.V20)

REFUSED = [
    ("a frame shorter than a header", b"\0\0\0\x08\0\0\0\x04", Result.LENGTH),
    ("a length that lies", b"\0\0\0\x0d\0\0\0\x08\0\0\0\x01", Result.LENGTH),
    ("an unknown command", frame(3, b""), Result.COMMAND),
    ("a submit that ends in its first field", frame(4, b"\0\0"), Result.LENGTH),
    ("a submit to more numbers than it holds", frame(4, _SUBMIT[:116] + b"\x63" + _SUBMIT[117:]), Result.LENGTH),
    ("a content longer than the PDU", frame(4, _SUBMIT[:138] + b"\xff" + _SUBMIT[139:]), Result.LENGTH),
    ("a submit with octets behind it", frame(4, _SUBMIT + b"\0"), Result.LENGTH),
    ("a connect without its timestamp", frame(1, bytes(23)), Result.LENGTH),
    ("a result cut in the id", frame(0x80000004, bytes(7)), Result.LENGTH),
]


@pytest.mark.parametrize(("name", "octets", "status"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_makes_no_sense_is_refused_with_the_result_to_answer(name: str, octets: bytes, status: int) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        codec.decode(octets, Version.V20)
    assert refused.value.status == status


UNFIT: list[tuple[str, pdus.Pdu]] = [
    ("a sequence beyond its four octets", pdus.ActiveTest(sequence_id=2**32)),
    ("a sequence below nothing", pdus.ActiveTest(sequence_id=-1)),
    ("a digest of 17 octets", pdus.Connect(authenticator_source=bytes(17))),
    ("a source of seven characters", pdus.Connect(source_addr="9012345")),
    ("an id that is not plain", pdus.Submit(src_id="中", dest_terminal_ids=("1",))),
    ("a service with a NUL", pdus.Submit(service_id="A\0B", dest_terminal_ids=("1",))),
    ("no number", pdus.Submit()),
    ("a hundred numbers", pdus.Submit(dest_terminal_ids=("1",) * 100)),
    ("a part beyond an octet", pdus.Submit(pk_total=256, dest_terminal_ids=("1",))),
    ("an ASCII text of 160", pdus.Submit(dest_terminal_ids=("1",), msg_content=b"a" * 160)),
    ("a UCS-2 text of 142 octets", pdus.Submit(dest_terminal_ids=("1",), msg_fmt=8, msg_content=bytes(142))),
]


@pytest.mark.parametrize(("name", "pdu"), UNFIT, ids=[case[0] for case in UNFIT])
def test_what_does_not_fit_its_field_is_our_error(name: str, pdu: pdus.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        codec.encode(pdu, Version.V20)
