"""Customers over CMPP 2.0 and 3.0: the same platform, in the words of China Mobile's protocol."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.integration.bind_house import Customer, House, owed
from tests.integration.programs import CmppProgram, submit_of
from tests.integration.serving import until
from yanshu.protocols.cmpp import pdus, reports
from yanshu.protocols.cmpp.constants import ConnectStatus, Result, Version
from yanshu.protocols.events import BindRefused
from yanshu.text import udh

TO = "13800138000"
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.name)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("platform"))
    try:
        yield house.open()
    finally:
        house.stop()


@pytest.fixture
def customer(house: House) -> Customer:
    return Customer(house, protocol="cmpp")


def reported(program: CmppProgram, count: int) -> list[reports.Report]:
    """So many reports."""
    until(f"{count} reports", lambda: len(program.delivered) >= count)
    assert all(pdu.registered_delivery == 1 for pdu in program.delivered)
    found = [reports.parse(pdu.msg_content) for pdu in program.delivered]
    return [report for report in found if report is not None]


def rows(house: House, to: str, limit: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.admin.call("GET", f"/v1/messages?to=%2B86{to}&limit={limit}")["data"]
    return found


@BOTH
def test_a_text_is_accepted_and_its_report_names_the_msg_id(customer: Customer, house: House, version: Version) -> None:
    program = customer.cmpp_program(version=version)
    assert program.session is not None
    assert program.session.gateway_is_proven
    (answer,) = program.submit(submit_of(TO))
    assert answer.status == Result.OK
    (report,) = reported(program, 1)
    (pdu,) = program.delivered
    assert (f"{report.msg_id:016x}", report.stat, report.dest_terminal_id) == (answer.message_id, "DELIVRD", TO)
    assert len(pdu.msg_content) == (60 if version is Version.V20 else 71)
    assert (pdu.dest_id, pdu.service_id, pdu.src_terminal_id) == ("10690001", "SHOP", TO)
    assert pdu.msg_id != report.msg_id
    message = rows(house, TO)[0]
    assert (message["status"], message["sender"], message["text"]) == ("delivered", "10690001", "【雁书】您好")
    until("nothing owed", lambda: owed(customer) == 0)
    program.unbind()
    assert not program.faults


@BOTH
def test_a_submit_to_many_is_one_text_to_each_under_ids_that_follow(customer: Customer, version: Version) -> None:
    program = customer.cmpp_program(version=version)
    numbers = tuple(f"138001390{place:02}" for place in range(20))
    (answer,) = program.submit(submit_of(numbers))
    found = reported(program, 20)
    first = int(answer.message_id, 16)
    assert {(report.msg_id - first, report.dest_terminal_id) for report in found} == set(enumerate(numbers))
    program.unbind()


def test_what_is_wrong_with_one_of_many_numbers_is_told_by_its_report(customer: Customer) -> None:
    program = customer.cmpp_program()
    (answer,) = program.submit(submit_of((TO, "12")))
    assert answer.status == Result.OK
    assert {(report.dest_terminal_id, report.stat) for report in reported(program, 2)} == {(TO, "DELIVRD"), ("12", "REJECTD")}
    program.unbind()


def test_segments_are_joined_and_each_is_reported(customer: Customer, house: House) -> None:
    program = customer.cmpp_program()
    text = "【雁书】" + "长短信按分条提交，收齐后合并。" * 10
    octets = text.encode("utf-16-be")
    pieces = [octets[start : start + 134] for start in range(0, len(octets), 134)]
    total = len(pieces)
    answers = program.submit(
        *(
            submit_of("13800138002", tp_udhi=1, pk_total=total, pk_number=part, msg_content=udh.build(5, total, part) + piece)
            for part, piece in enumerate(pieces, 1)
        )
    )
    found = reported(program, total)
    assert {f"{report.msg_id:016x}" for report in found} == {answer.message_id for answer in answers}
    assert rows(house, "13800138002")[0]["text"] == text
    program.unbind()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"msg_fmt": 0, "msg_content": b"hello"}, "hello", id="ASCII"),
        pytest.param({"msg_fmt": 15, "msg_content": "退订".encode("gbk")}, "退订", id="GBK"),
        pytest.param({"msg_fmt": 0, "msg_content": "退订".encode("gbk")}, "退订", id="GBK under the name of ASCII"),
    ],
)
def test_texts_are_read_as_their_format_says(customer: Customer, house: House, fields: dict[str, Any], text: str) -> None:
    program = customer.cmpp_program()
    assert program.submit(submit_of("13800138003", registered_delivery=0, **fields))[0].status == Result.OK
    assert rows(house, "13800138003")[0]["text"] == text
    program.unbind()


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        pytest.param({"to": "12"}, Result.DEST_TERMINAL_ID, id="no number"),
        pytest.param({"to": ""}, Result.DEST_TERMINAL_ID, id="an empty number"),
        pytest.param({"src_id": "20690001"}, Result.SRC_ID, id="a source that is not the customer's"),
        pytest.param({"msg_content": b""}, Result.LENGTH, id="no text"),
        pytest.param({"msg_fmt": 4}, Result.STRUCTURE, id="binary"),
        pytest.param({"tp_udhi": 1, "msg_content": b"\x09\0"}, Result.STRUCTURE, id="a header longer than the text"),
        pytest.param({"valid_time": "tomorrow"}, Result.STRUCTURE, id="a validity that is no time"),
        pytest.param({"valid_time": "200101000000032+"}, Result.STRUCTURE, id="a validity that has passed"),
        pytest.param({"at_time": "200101000000032+"}, Result.STRUCTURE, id="a time that has passed"),
    ],
)
@BOTH
def test_what_cannot_be_sent_is_refused_with_the_result_that_says_why(
    house: House, fields: dict[str, Any], result: Result, version: Version
) -> None:
    program = Customer(house, protocol="cmpp", senders=["1069*"]).cmpp_program(version=version)
    wrong, right = program.submit(submit_of(**{"to": TO, **fields}), submit_of(TO))
    assert (wrong.status, int(wrong.message_id or "0", 16), right.status) == (result, 0, Result.OK)
    program.unbind()


def test_query_and_cancel_are_answered_with_no(customer: Customer) -> None:
    program = customer.cmpp_program()
    program.ask(pdus.Query(sequence_id=77, time="20260301"))
    program.ask(pdus.Cancel(sequence_id=78, msg_id=1))
    assert program.submit(submit_of(TO))[0].status == Result.OK
    until("both answers", lambda: len(program.faults) == 2)
    assert ["QueryResp" in program.faults[0], "CancelResp" in program.faults[1]] == [True, True]
    program.unbind()


@BOTH
def test_a_reply_comes_to_whom_it_answers_in_segments(customer: Customer, house: House, version: Version) -> None:
    program = customer.cmpp_program(version=version)
    to = f"138001380{int(version):02x}"[:11].replace("x", "0")
    program.submit(submit_of(to, registered_delivery=0))
    text = "回复" * 40
    house.reply(f"86{to}", text)
    until("the reply", lambda: len(program.delivered) == 2)
    pieces = [udh.parse(pdu.msg_content) for pdu in program.delivered]
    assert b"".join(octets for _, octets in pieces).decode("utf-16-be") == text
    assert [(pdu.src_terminal_id, pdu.dest_id, pdu.msg_fmt, pdu.tp_udhi, pdu.registered_delivery) for pdu in program.delivered] == [
        (to, "10690001", 8, 1, 0)
    ] * 2
    program.unbind()


def test_what_was_refused_comes_again_under_the_same_msg_id(customer: Customer) -> None:
    program = customer.cmpp_program()
    said = {"result": 8}
    program.acknowledge = lambda _: said["result"]
    program.submit(submit_of(TO))
    until("the first try", lambda: len(program.delivered) == 1)
    said["result"] = 0
    until("the next try", lambda: len(program.delivered) == 2)
    first, again = program.delivered
    assert replace(first, sequence_id=again.sequence_id) == again
    until("nothing owed", lambda: owed(customer) == 0)
    program.unbind()


def test_beyond_the_window_it_is_flow_control(house: House) -> None:
    program = Customer(house, protocol="cmpp", window=5).cmpp_program()
    results = [answer.status for answer in program.submit(*(submit_of(TO) for _ in range(20)))]
    assert (results.count(Result.OK), results.count(Result.FLOW_CONTROL)) == (5, 15)
    program.unbind()


def test_who_may_not_in_is_told_why(house: House, customer: Customer) -> None:
    elsewhere = Customer(house, protocol="cmpp", cidrs=["192.0.2.0/24"])
    full = Customer(house, protocol="cmpp", sessions=1)
    inside = full.cmpp_program()
    for system_id, secret, status in (
        (customer.system_id, "wrong", ConnectStatus.AUTHENTICATION),
        ("nobody", customer.secret, ConnectStatus.AUTHENTICATION),
        (elsewhere.system_id, elsewhere.secret, ConnectStatus.SOURCE_ADDRESS),
        (full.system_id, full.secret, 5),
    ):
        program = CmppProgram(house).open(system_id, secret)
        assert program.bound == BindRefused(status)
        until("the end", lambda program=program: program.is_closed)
    inside.unbind()
