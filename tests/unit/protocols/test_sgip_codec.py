"""The SGIP codec against the vectors, and against what gateways get wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import ReportFlag

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "sgip.json").read_text("utf-8"))
_NAMES = {
    "seq3": "sequence",
    "submit_sequence": "submit_sequence",
    "dest": "user_numbers",
    "content": "message_content",
    "morelateto_mt_flag": "more_late_to_mt_flag",
}
_KINDS = {"userrpt": "UserRpt"}


def _value(name: str, value: Any) -> Any:
    if name in {"seq3", "submit_sequence"}:
        return pdus.Sequence(*value)
    if name == "content":
        return bytes.fromhex(value["hex"])
    return tuple(value) if isinstance(value, list) else value


def pdu_of(vector: dict[str, Any]) -> pdus.Pdu:
    kind = getattr(pdus, _KINDS.get(vector["pdu"]) or "".join(word.capitalize() for word in vector["pdu"].split("_")))
    made: pdus.Pdu = kind(**{_NAMES.get(n, n): _value(n, v) for n, v in vector["fields"].items() if not n.startswith("_")})
    return made


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_read(vector: dict[str, Any]) -> None:
    assert codec.decode(bytes.fromhex(vector["hex"])) == pdu_of(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_is_written(vector: dict[str, Any]) -> None:
    assert codec.encode(pdu_of(vector)).hex() == vector["hex"]


# --- quirks of SGIP, each by its name (protocols.md §5) ---


def test_the_sequence_of_a_submit_is_its_id() -> None:
    assert pdus.Sequence(3010001234, 1108104159, 8).message_id == "b368f952420c53df00000008"


@pytest.mark.parametrize("words", [(0, 0, 0), (3010001234, 1108104159, 8), (0xFFFFFFFF,) * 3], ids=str)
def test_the_three_words_of_a_sequence_travel_whole(words: tuple[int, int, int]) -> None:
    octets = codec.encode(pdus.SubmitResp(sequence=pdus.Sequence(*words)))
    assert octets[8:20] == b"".join(word.to_bytes(4, "big") for word in words)
    assert codec.decode(octets).sequence == pdus.Sequence(*words)


PADDED = [("NULs", b"8613800138000"), ("blanks", b"8613800138000   "), ("rubbish behind a NUL", b"8613800138000\0junk")]


@pytest.mark.parametrize(("name", "padded"), PADDED, ids=[case[0] for case in PADDED])
def test_a_number_padded_with_anything_is_read_the_same(name: str, padded: bytes) -> None:
    octets = codec.encode(pdus.Deliver(sp_number="10655123"))
    pdu = codec.decode(octets[:20] + padded.ljust(21, b"\0") + octets[41:])
    assert isinstance(pdu, pdus.Deliver)
    assert (pdu.user_number, pdu.sp_number) == ("8613800138000", "10655123")


def test_a_message_length_has_four_octets() -> None:
    octets = codec.body(pdus.Deliver(message_content=b"hi"))
    assert octets[45:51] == b"\0\0\0\x02hi"


def test_the_length_of_a_submit_is_what_the_specification_gives() -> None:
    assert len(codec.encode(pdus.Submit(user_numbers=("8613800138000",) * 2, message_content=b"hello"))) == 143 + 21 * 2 + 5


def test_a_report_is_always_asked_for_and_the_sp_pays() -> None:
    made = pdus.Submit()
    assert (made.report_flag, made.charge_number) == (ReportFlag.ALWAYS, "0" * 21)


NODES = [("010", "01234", 3010001234), ("0755", "1", 3075500001), ("021", "99999", 3021099999)]


@pytest.mark.parametrize(("area", "company", "node"), NODES)
def test_a_node_number_is_made_of_area_and_company(area: str, company: str, node: int) -> None:
    assert codec.node_of(area, company) == node


@pytest.mark.parametrize(("area", "company"), [("1", "1"), ("01000", "1"), ("010", "123456"), ("x10", "1"), ("010", ""), ("٠١٠", "1")])
def test_an_area_or_company_that_is_none_is_our_error(area: str, company: str) -> None:
    with pytest.raises(LocalProtocolError):
        codec.node_of(area, company)


@pytest.mark.parametrize("missing", [0, 3, 8])
def test_the_reserve_of_a_delivery_may_be_missing(missing: int) -> None:
    octets = codec.encode(pdus.Deliver(user_number="8613800138000", message_content=b"T"))
    cut = octets[: len(octets) - missing]
    pdu = codec.decode(len(cut).to_bytes(4, "big") + cut[4:])
    assert isinstance(pdu, pdus.Deliver)
    assert pdu.message_content == b"T"


# --- the short ways of the hot path ---

REPORT = pdus.Report(
    sequence=pdus.Sequence(101000, 1108104300, 9),
    submit_sequence=pdus.Sequence(3010001234, 1108104159, 8),
    report_type=1,
    user_number="8613800138000",
    state=2,
    error_code=25,
    reserve="r",
)


def test_a_report_is_read_the_short_way_as_the_long_one() -> None:
    octets = codec.encode(REPORT)
    assert codec.report(octets) == codec.decode(octets) == REPORT


@pytest.mark.parametrize("size", [20, 63, 65])
def test_a_report_of_another_length_is_left_to_the_long_way(size: int) -> None:
    assert codec.report(codec.encode(REPORT).ljust(size, b"\0")[:size]) is None


REQUESTS: list[tuple[pdus.Pdu, type[pdus.Resp]]] = [
    (pdus.Submit(), pdus.SubmitResp),
    (pdus.Deliver(), pdus.DeliverResp),
    (REPORT, pdus.ReportResp),
    (pdus.UserRpt(), pdus.UserRptResp),
]


@pytest.mark.parametrize(("request_", "kind"), REQUESTS, ids=lambda value: type(value).__name__)
def test_a_response_is_written_the_short_way_as_the_long_one(request_: pdus.Pdu, kind: type[pdus.Resp]) -> None:
    assert codec.response(request_, 33) == codec.encode(kind(sequence=request_.sequence, result=33))


def test_a_submit_is_put_together_from_its_parts() -> None:
    whole = pdus.Submit(
        sp_number="10655", user_numbers=("8613800138000",), service_type="S", tp_udhi=1, message_coding=8, message_content=b"hi"
    )
    before, between, behind = codec.around(whole)
    assert before + codec.number("8613800138000") + between + codec.content(b"hi") + behind == codec.body(whole)


def test_a_text_too_long_for_a_submit_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        codec.content(bytes(141))


UNFIT: list[tuple[str, pdus.Pdu]] = [
    ("no number", pdus.Submit()),
    ("a hundred and one numbers", pdus.Submit(user_numbers=("1",) * 101)),
    ("a time of 17 characters", pdus.Submit(user_numbers=("1",), expire_time="231109104159032+\0")),
    ("a time of 10 characters", pdus.Submit(user_numbers=("1",), schedule_time="2311091041")),
    ("a UCS-2 text of 142 octets", pdus.Submit(user_numbers=("1",), message_coding=8, message_content=bytes(142))),
    ("a word of a sequence too large", pdus.Unbind(sequence=pdus.Sequence(1 << 32, 0, 0))),
    ("a word of a submit's sequence below zero", pdus.Report(submit_sequence=pdus.Sequence(0, 0, -1))),
    ("a login name too long", pdus.Bind(login_name="x" * 17)),
]


@pytest.mark.parametrize(("name", "pdu"), UNFIT, ids=[case[0] for case in UNFIT])
def test_what_does_not_fit_its_field_is_our_error(name: str, pdu: pdus.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        codec.encode(pdu)
