"""What the protocols of the simulator write and read, without sockets."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.protocols.cmpp import codec, reports
from yanshu.protocols.cmpp import pdus as cmpp_pdus
from yanshu.protocols.cmpp.constants import Version
from yanshu.protocols.session import Timers
from yanshu.protocols.smgp import codec as smgp_codec
from yanshu.protocols.smgp import pdus as smgp_pdus
from yanshu.protocols.smgp import reports as smgp_reports
from yanshu.protocols.smpp import codec as smpp_codec
from yanshu.protocols.smpp import pdus as smpp_pdus
from yanshu.protocols.smpp.constants import Command
from yanshu.simulator import Behaviour
from yanshu.simulator.script import Report
from yanshu.simulator.traffic import Inbound, Receipt, Segment
from yanshu.simulator.wires import cmpp, smgp, smpp
from yanshu.text import udh

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC).timestamp()
PHONE = "8613800138000"
TEXT = "你好".encode("utf-16-be")
LONG = Inbound(PHONE, "10690000", "ucs2", TEXT, reference=7, part=2, parts=3)


def receipt(stat: str = "DELIVRD", err: str = "000") -> Receipt:
    segment = Segment("10690000", PHONE, "ucs2", TEXT, wants_receipt=True, at=AT)
    return Receipt(segment, int(AT * 1e6) + 70_000, Report(1, stat, err), AT + 60)


def deliver_sm(body: bytes) -> Any:
    header = smpp_codec.pack_header(16 + len(body), Command.DELIVER_SM, 0, 1)
    return smpp_codec.decode(header + body)


def test_smpp_receipts_come_from_the_phone_in_class_4() -> None:
    pdu = deliver_sm(smpp.encode_receipt(receipt(), Behaviour()))
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class) == (PHONE, "10690000", 4)
    assert b" stat:DELIVRD err:000 " in pdu.short_message


def test_parts_of_a_long_smpp_text_have_a_header() -> None:
    pdu = deliver_sm(smpp.encode_inbound(LONG))
    assert (pdu.esm_class, pdu.data_coding) == (0x40, 8)
    assert udh.parse(pdu.short_message) == (udh.Concatenation(7, 3, 2), TEXT)


def test_cmpp_texts_come_from_a_number_without_country_code() -> None:
    pdu = cmpp.inbound_of(LONG)
    assert (pdu.src_terminal_id, pdu.dest_id, pdu.msg_fmt, pdu.tp_udhi, pdu.registered_delivery) == (PHONE[2:], "10690000", 8, 1, 0)
    assert udh.parse(pdu.msg_content) == (udh.Concatenation(7, 3, 2), TEXT)


STATES = [
    ("DELIVRD", "000", "DELIVRD"),
    ("UNDELIV", "MK:0001", "MK:0001"),
    ("UNDELIV", "1", "UNDELIV"),
    ("EXPIRED", "MI:0024", "MI:0024"),
    ("REJECTD", "DB:0141", "DB:0141"),
]


@pytest.mark.parametrize(("stat", "err", "written"), STATES)
@pytest.mark.parametrize(("long", "octets"), [(False, 60), (True, 71)])
def test_cmpp_reports_have_the_states_of_gateways_and_the_size_of_the_version(
    stat: str, err: str, written: str, long: bool, octets: int
) -> None:
    pdu = cmpp.receipt_of(receipt(stat, err), Behaviour(), long=long)
    report = reports.parse(pdu.msg_content)
    assert report is not None
    assert (len(pdu.msg_content), pdu.registered_delivery, pdu.src_terminal_id) == (octets, 1, PHONE[2:])
    assert (report.stat, report.submit_time, report.done_time, report.dest_terminal_id) == (written, "2611231630", "2611231631", PHONE[2:])


def test_a_msg_id_tells_the_second_and_no_two_are_alike() -> None:
    first = int(AT * 1e6)
    ids = {cmpp.msg_id(first + step) for step in range(0, 1_000_000, 7)}
    assert len(ids) == -(-1_000_000 // 7)
    parts = reports.take_apart(cmpp.msg_id(first + 70_000))
    assert (parts.month, parts.day, parts.hour, parts.minute, parts.second) == (11, 23, 8, 30, 0)
    assert (parts.gateway, parts.serial) == (cmpp.GATEWAY + 1, 70_000 - 65_536)


@pytest.mark.parametrize("written", ["13800138000", "8613800138000", "+8613800138000", "008613800138000"])
def test_cmpp_submits_are_read_whichever_way_the_number_is_written(written: str) -> None:
    header = udh.build(300, 2, 1, wide=True)
    pdu = cmpp_pdus.Submit(src_id="10690000", dest_terminal_ids=(written,), msg_fmt=8, tp_udhi=1, msg_content=header + TEXT)
    segment = cmpp.read_segment(pdu, AT)
    assert segment == Segment("10690000", PHONE, "ucs2", TEXT, wants_receipt=True, at=AT, reference=300, part=1, parts=2)


def connected(version: Version = Version.V30) -> cmpp.CmppWire:
    wire = cmpp.CmppWire(10, Timers())
    wire.session.connected(0.0)
    wire.session.receive_data(codec.encode(cmpp_pdus.Connect(sequence_id=1, source_addr="yanshu", version=int(version)), version), 0.0)
    return wire


REQUESTS: list[tuple[str, cmpp_pdus.Pdu, cmpp_pdus.Pdu]] = [
    ("to nobody", cmpp_pdus.Submit(sequence_id=5), cmpp_pdus.SubmitResp(sequence_id=5, result=1)),
    ("to two", cmpp_pdus.Submit(sequence_id=5, dest_terminal_ids=("1", "2")), cmpp_pdus.SubmitResp(sequence_id=5, result=1)),
    ("cancel", cmpp_pdus.Cancel(sequence_id=5, msg_id=1), cmpp_pdus.CancelResp(sequence_id=5, success_id=1)),
    ("query", cmpp_pdus.Query(sequence_id=5), cmpp_pdus.QueryResp(sequence_id=5)),
]


@pytest.mark.parametrize(("name", "request_", "answer"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_cmpp_requests_that_are_no_submit_to_one_are_answered_at_once(name: str, request_: cmpp_pdus.Pdu, answer: cmpp_pdus.Pdu) -> None:
    wire = connected()
    assert wire.segment(request_, AT) is None
    assert wire.session.data_to_send() == codec.encode(answer, Version.V30)


def test_smpp_statuses_of_requests_nobody_serves() -> None:
    wire = smpp.SmppWire(10, Timers())
    assert wire.segment(smpp_pdus.QuerySm(sequence_number=3), AT) is None
    assert wire.segment(smpp_pdus.SubmitSm(sequence_number=4, destination_addr=""), AT) is None
    octets = wire.session.data_to_send()
    assert [int.from_bytes(octets[at : at + 4], "big") for at in (8, 24)] == [0x67, 0x0B]


def test_smgp_texts_come_from_a_number_without_country_code_and_say_in_a_parameter_that_they_have_a_header() -> None:
    pdu = smgp.inbound_of(LONG)
    assert (pdu.src_term_id, pdu.dest_term_id, pdu.msg_format, pdu.tlvs, pdu.is_report) == (PHONE[2:], "10690000", 8, {2: b"\x01"}, 0)
    assert udh.parse(pdu.msg_content) == (udh.Concatenation(7, 3, 2), TEXT)


SMGP_STATES = [
    ("DELIVRD", "000", "DELIVRD", "000"),
    ("UNDELIV", "MK:0001", "MK:0001", "999"),
    ("UNDELIV", "1", "UNDELIV", "999"),
    ("UNDELIV", "705", "UNDELIV", "705"),
    ("EXPIRED", "MK:0024", "MK:0024", "999"),
    ("EXPIRED", "", "EXPIRED", "001"),
    ("REJECTD", "DB:0141", "DB:0141", "999"),
    ("REJECTD", "", "REJECTD", "005"),
]


@pytest.mark.parametrize(("stat", "err", "state", "error"), SMGP_STATES)
@pytest.mark.parametrize(("form", "octets"), [("same", 122), ("hex", 132)], ids=["an id of ten octets", "an id of twenty digits"])
def test_smgp_reports_have_the_states_of_gateways_and_the_id_of_the_answer(
    stat: str, err: str, state: str, error: str, form: Any, octets: int
) -> None:
    made = receipt(stat, err)
    pdu = smgp.receipt_of(made, Behaviour(receipt_id_form=form))
    report = smgp_reports.parse(pdu.msg_content)
    assert report is not None
    assert (len(pdu.msg_content), pdu.is_report, pdu.src_term_id) == (octets, 1, PHONE[2:])
    assert (report.stat, report.err, report.submit_date, report.done_date) == (state, error, "2611231630", "2611231631")
    assert report.msg_id == smgp.SmgpWire(10, Timers()).id_text(made.segment, made.number, Behaviour())


def test_an_smgp_id_is_digits_that_tell_the_minute_and_no_two_are_alike() -> None:
    first = int(AT * 1e6)
    ids = {smgp.msg_id(first + step) for step in range(0, 130_000_000, 77_777)}
    assert len(ids) == -(-130_000_000 // 77_777)
    assert smgp.msg_id(first + 12_070_000) == "0106" + "12" + "11230830" + "070000"


@pytest.mark.parametrize("written", ["13800138000", "8613800138000", "+8613800138000"])
def test_smgp_submits_are_read_whichever_way_the_number_is_written(written: str) -> None:
    header = udh.build(300, 2, 1, wide=True)
    pdu = smgp_pdus.Submit(
        src_term_id="10690000",
        dest_term_ids=(written,),
        msg_format=8,
        msg_content=header + TEXT,
        tlvs={2: b"\x01", 9: b"\x02", 10: b"\x01"},
    )
    segment = smgp.read_segment(pdu, AT)
    assert segment == Segment("10690000", PHONE, "ucs2", TEXT, wants_receipt=True, at=AT, reference=300, part=1, parts=2)


SMGP_REQUESTS: list[tuple[str, int, smgp_pdus.Pdu, smgp_pdus.Pdu]] = [
    ("to two", 2, smgp_pdus.Submit(5, dest_term_ids=("1", "2")), smgp_pdus.SubmitResp(5, status=10)),
    ("over a session to receive", 1, smgp_pdus.Submit(5, dest_term_ids=("1",)), smgp_pdus.SubmitResp(5, status=11)),
    ("query", 2, smgp_pdus.Query(5), smgp_pdus.QueryResp(5)),
]


@pytest.mark.parametrize(("name", "mode", "request_", "answer"), SMGP_REQUESTS, ids=[row[0] for row in SMGP_REQUESTS])
def test_smgp_requests_that_are_no_submit_to_one_are_answered_at_once(
    name: str, mode: int, request_: smgp_pdus.Pdu, answer: smgp_pdus.Pdu
) -> None:
    wire = smgp.SmgpWire(10, Timers())
    client = wire.client(smgp_pdus.Login(client_id="yanshu", login_mode=mode))
    assert (client.system_id, client.receives) == ("yanshu", True)
    assert wire.segment(request_, AT) is None
    assert wire.session.data_to_send() == smgp_codec.encode(answer)


def test_an_smgp_session_to_send_takes_no_deliveries() -> None:
    assert not smgp.SmgpWire(10, Timers()).client(smgp_pdus.Login(login_mode=0)).receives
