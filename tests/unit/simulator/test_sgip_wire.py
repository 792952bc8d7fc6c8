"""What the simulator writes and reads of SGIP, without sockets."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.protocols.events import Bound, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import LoginType, Result
from yanshu.protocols.sgip.server import ServerSession
from yanshu.simulator import Account, Behaviour
from yanshu.simulator.script import Report
from yanshu.simulator.traffic import Inbound, Receipt, Segment
from yanshu.simulator.wires import sgip
from yanshu.testing.clocks import FakeClock
from yanshu.text import udh

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC).timestamp()
PHONE = "8613800138000"
TEXT = "你好".encode("utf-16-be")
SEQUENCE = pdus.Sequence(3010001234, 1108104159, 8)
SUBMIT = pdus.Submit(sequence=SEQUENCE, sp_number="10690000", user_numbers=(PHONE,), message_coding=8, message_content=TEXT)


def door() -> sgip.SgipWire:
    wire = sgip.SgipWire(10, Timers(), lambda _: 1123163000)
    wire.session.connected(0.0)
    wire.session.receive_data(codec.encode(pdus.Bind(login_type=1, login_name="yanshu", login_password="simulate")), 0.0)
    return wire


def test_a_submit_is_read_with_its_sequence_as_its_mark() -> None:
    segment = door().segment(SUBMIT, AT)
    assert segment is not None
    assert (segment.source, segment.destination, segment.encoding, segment.payload) == ("10690000", PHONE, "ucs2", TEXT)
    assert door().id_text(segment, 1, Behaviour()) == SEQUENCE.message_id


def test_the_segments_of_a_long_text_are_read_by_their_headers() -> None:
    segment = sgip.read_segment(replace_content(udh.build(7, 3, 2) + TEXT), AT)
    assert (segment.reference, segment.part, segment.parts, segment.payload) == (7, 2, 3, TEXT)


def replace_content(content: bytes) -> pdus.Submit:
    return pdus.Submit(sequence=SEQUENCE, user_numbers=(PHONE,), tp_udhi=1, message_coding=8, message_content=content)


def test_a_submit_to_two_is_answered_with_19() -> None:
    wire = door()
    wire.admit(None)  # type: ignore[arg-type]  # the account does not matter
    wire.session.data_to_send()
    two = pdus.Submit(sequence=SEQUENCE, user_numbers=(PHONE, PHONE))
    assert wire.segment(two, AT) is None
    assert codec.decode(wire.session.data_to_send()) == pdus.SubmitResp(sequence=SEQUENCE, result=Result.ONE_NUMBER_ONLY)


STATES = [
    ("DELIVRD", "000", 0, 0),
    ("UNDELIV", "MK:0001", 2, 12),
    ("EXPIRED", "MI:0024", 2, 25),
    ("REJECTD", "DB:0141", 2, 69),
    ("UNDELIV", "XX:0001", 2, 21),
]


@pytest.mark.parametrize(("stat", "err", "state", "error"), STATES)
def test_a_report_names_the_submit_and_has_a_state_and_a_code_of_sgip(stat: str, err: str, state: int, error: int) -> None:
    pdu = sgip.report_of(Receipt(sgip.read_segment(SUBMIT, AT), 1, Report(1, stat, err), AT))
    assert (pdu.submit_sequence, pdu.user_number, pdu.state, pdu.error_code) == (SEQUENCE, PHONE, state, error)


def test_a_call_logs_in_as_the_gateway_and_says_what_it_says_again_under_the_same_sequence() -> None:
    wire = sgip.SgipWire.calling(Account(protocol="sgip"), 10, Timers(), FakeClock())
    client: ServerSession[Any] = ServerSession(LoginType.SMG_TO_SP, Timers())
    wire.session.connected(0.0)
    (asked,) = client.receive_data(wire.session.data_to_send(), 0.0)
    assert (asked.pdu.login_name, asked.pdu.login_password) == ("yanshu", "simulate")  # type: ignore[union-attr]
    client.accept()
    assert wire.session.receive_data(client.data_to_send(), 0.0) == [Bound("", None)]

    inbound = Inbound(PHONE, "10690000", "ucs2", TEXT, reference=7, part=2, parts=3)
    wire.deliver(inbound, Behaviour(), 1.0)
    (first,) = client.receive_data(wire.session.data_to_send(), 1.0)
    assert isinstance(first, Requested)
    assert (first.pdu.user_number, first.pdu.sp_number, first.pdu.tp_udhi) == (PHONE, "10690000", 1)
    assert udh.parse(first.pdu.message_content) == (udh.Concatenation(7, 3, 2), TEXT)
    client.acknowledge([first.pdu], Result.BUSY)
    wire.session.receive_data(client.data_to_send(), 1.1)
    wire.deliver(inbound, Behaviour(), 2.0)
    assert client.receive_data(wire.session.data_to_send(), 2.0) == [first]


def test_two_segments_have_two_ids() -> None:
    ids = {sgip.read_segment(SUBMIT, AT), Segment("1", PHONE, "ucs2", TEXT, wants_receipt=True, at=AT)}
    assert len({door().id_text(segment, 1, Behaviour()) for segment in ids}) == 2
