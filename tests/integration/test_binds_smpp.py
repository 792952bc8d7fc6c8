"""Customers over SMPP: binds judged, texts accepted by the one first stage, receipts and replies delivered back until taken."""

import socket
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.integration.bind_house import Customer, House, owed
from tests.integration.programs import Program, submit_sm
from tests.integration.serving import until
from yanshu.protocols.events import BindRefused, Bound
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.constants import Status, Tag
from yanshu.text import udh

_numbers = count(1)
TO = "13800138000"
TEST_TO = "8610000000001"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("platform"))
    try:
        yield house.open()
    finally:
        house.stop()


@pytest.fixture
def customer(house: House) -> Customer:
    return Customer(house)


def receipts(program: Program, number: int) -> list[str]:
    """The texts of so many receipts."""
    until(f"{number} receipts", lambda: len(program.delivered) >= number)
    assert all(pdu.esm_class == 0x04 for pdu in program.delivered)
    return [str(pdu.short_message, "ascii") for pdu in program.delivered]


def test_a_text_is_accepted_like_any_other_and_its_receipt_comes_back(customer: Customer) -> None:
    program = customer.program()
    (answer,) = program.submit(submit_sm(TO))
    assert (answer.status, len(answer.message_id), answer.message_id.isalnum()) == (0, 26, True)
    (text,) = receipts(program, 1)
    message = customer.message(answer.message_id)
    assert (message["status"], message["to"], message["text"], message["sender"]) == (
        "delivered",
        "+8613800138000",
        "【雁书】您好",
        "10690001",
    )
    assert text.startswith(f"id:{answer.message_id} sub:001 dlvrd:001 submit date:")
    assert "stat:DELIVRD err:000 text:" in text
    (pdu,) = program.delivered
    assert (pdu.source_addr, pdu.destination_addr) == (TO, "10690001")
    assert pdu.tlvs == {int(Tag.RECEIPTED_MESSAGE_ID): answer.message_id.encode() + b"\0", int(Tag.MESSAGE_STATE): b"\x02"}
    program.unbind()
    assert not program.faults


@pytest.mark.parametrize(
    ("wanted", "to", "comes"),
    [
        pytest.param(0, TEST_TO, False, id="none is asked for"),
        pytest.param(1, TEST_TO, True, id="always"),
        pytest.param(2, TEST_TO, False, id="on failure only, and it was delivered"),
        pytest.param(2, "8610000000002", True, id="on failure only, and it failed"),
    ],
)
def test_exactly_the_receipt_that_was_asked_for_comes(house: House, wanted: int, to: str, comes: bool) -> None:
    tester = house.caller("binds:write", "messages:read", livemode=False)
    system_id = f"test{next(_numbers)}"
    made = tester.call("POST", "/v1/binds", {"name": "x", "protocol": "smpp", "system_id": system_id, "inbound": False})
    program = Program(house).open(system_id, made["secret"])
    (answer,) = program.submit(submit_sm(to, registered_delivery=wanted))
    finals = ("delivered", "undelivered")
    until("the end", lambda: tester.call("GET", f"/v1/messages/msg_{answer.message_id}")["status"] in finals)
    (last,) = program.submit(submit_sm(TEST_TO))
    until("the last receipt", lambda: any(last.message_id.encode() in pdu.short_message for pdu in program.delivered))
    about = [pdu for pdu in program.delivered if answer.message_id.encode() in pdu.short_message]
    assert len(about) == comes
    if wanted == 2 and comes:
        assert b"stat:UNDELIV" in about[0].short_message
    program.unbind()


def test_a_burst_is_accepted_in_chunks_and_every_receipt_comes_once(customer: Customer) -> None:
    program = customer.program()
    answers = program.submit(*(submit_sm(f"138001{number:05}") for number in range(400)))
    assert {answer.status for answer in answers} == {0}
    idents = [answer.message_id for answer in answers]
    assert len(set(idents)) == 400
    texts = receipts(program, 400)
    assert sorted(text.split()[0].removeprefix("id:") for text in texts) == sorted(idents)
    until("nothing owed", lambda: owed(customer) == 0)
    assert len(program.delivered) == 400
    program.unbind()


LONG = "【雁书】" + "长短信由客户分段提交，平台收齐后合并，再按通道自己的方式切分。" * 5


@pytest.mark.parametrize("one_write", [True, False], ids=["all segments in one write", "segment by segment, the last first"])
@pytest.mark.parametrize("joined_by", ["udh", "sar"])
def test_segments_are_joined_and_each_gets_its_answer_and_its_receipt(customer: Customer, joined_by: str, one_write: bool) -> None:
    program = customer.program()
    octets = LONG.encode("utf-16-be")
    # An odd size: the customer cuts in the middle of a character.
    pieces = [octets[start : start + 133] for start in range(0, len(octets), 133)]
    submits = [segment(joined_by, place, len(pieces), piece) for place, piece in enumerate(pieces, 1)]
    answers = program.submit(*submits) if one_write else [program.submit(one)[0] for one in reversed(submits)]
    assert {answer.status for answer in answers} == {0}
    assert len({answer.message_id for answer in answers}) == len(pieces)
    texts = receipts(program, len(pieces))
    assert sorted(text.split()[0].removeprefix("id:") for text in texts) == sorted(answer.message_id for answer in answers)
    rows = customer.served.admin.call("GET", "/v1/messages?to=%2B8613800138001&limit=1")["data"]
    assert (rows[0]["text"], rows[0]["segments"]) == (LONG, 3)
    program.unbind()


def segment(joined_by: str, part: int, total: int, octets: bytes) -> pdus.SubmitSm:
    if joined_by == "udh":
        return submit_sm("13800138001", short_message=udh.build(7, total, part) + octets, esm_class=0x40)
    sar = {0x020C: b"\0\x07", 0x020E: bytes((total,)), 0x020F: bytes((part,))}
    return submit_sm("13800138001", short_message=octets, tlvs=sar)


def test_a_segment_that_is_submitted_again_gets_the_same_answer(customer: Customer) -> None:
    program = customer.program()
    first = segment("udh", 1, 2, "前".encode("utf-16-be"))
    once, again = program.submit(first)[0], program.submit(first)[0]
    assert (once.status, once.message_id) == (0, again.message_id)
    program.submit(segment("udh", 2, 2, "后".encode("utf-16-be")))
    texts = receipts(program, 2)
    assert sum(once.message_id in text for text in texts) == 1
    program.unbind()


def test_a_long_text_may_come_as_message_payload(customer: Customer) -> None:
    program = customer.program()
    (answer,) = program.submit(submit_sm(TO, short_message=b"", tlvs={int(Tag.MESSAGE_PAYLOAD): LONG.encode("utf-16-be")}))
    assert customer.message(answer.message_id)["text"] == LONG
    program.unbind()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"data_coding": 0, "short_message": b"\x00 \x1be \x02\x11"}, "@ € $_", id="the GSM alphabet"),
        pytest.param({"short_message": "${name} 元".encode("utf-16-be")}, "${name} 元", id="what looks like a place"),
        pytest.param({"data_coding": 3, "short_message": b"caf\xe9"}, "café", id="Latin-1"),
        pytest.param({"data_coding": 15, "short_message": "退订".encode("gbk")}, "退订", id="GBK"),
    ],
)
def test_texts_are_read_as_their_coding_says(customer: Customer, fields: dict[str, Any], text: str) -> None:
    program = customer.program()
    (answer,) = program.submit(submit_sm(TO, **fields))
    assert customer.message(answer.message_id)["text"] == text
    program.unbind()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"destination_addr": "12"}, Status.ESME_RINVDSTADR, id="no number"),
        pytest.param({"destination_addr": ""}, Status.ESME_RINVDSTADR, id="an empty number"),
        pytest.param({"destination_addr": TEST_TO}, Status.ESME_RINVDSTADR, id="a test number on a live bind"),
        pytest.param({"source_addr": "20690001"}, Status.ESME_RINVSRCADR, id="a source that is not the customer's"),
        pytest.param({"short_message": b""}, Status.ESME_RINVMSGLEN, id="no text"),
        pytest.param({"data_coding": 4}, Status.ESME_RSUBMITFAIL, id="binary"),
        pytest.param({"esm_class": 0x40, "short_message": b"\x09\0"}, Status.ESME_RINVESMCLASS, id="a header longer than the text"),
        pytest.param({"esm_class": 0x08}, Status.ESME_RINVESMCLASS, id="an acknowledgement of a person"),
        pytest.param({"validity_period": "tomorrow"}, Status.ESME_RINVEXPIRY, id="a validity that is no time"),
        pytest.param({"validity_period": "200101000000000+"}, Status.ESME_RINVEXPIRY, id="a validity that has passed"),
        pytest.param({"schedule_delivery_time": "200101000000000+"}, Status.ESME_RINVSCHED, id="a time that has passed"),
        pytest.param({"tlvs": {0x020E: b"\x02"}}, Status.ESME_RMISSINGOPTPARAM, id="SAR without a number"),
        pytest.param({"tlvs": {0x020C: b"\0\1", 0x020E: b"\x02", 0x020F: b"\x03"}}, Status.ESME_RINVOPTPARAMVAL, id="segment 3 of 2"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_status_that_says_why(house: House, fields: dict[str, Any], status: Status) -> None:
    program = Customer(house, senders=["1069*"]).program()
    wrong, right = program.submit(submit_sm(TO, **fields) if "destination_addr" not in fields else submit_sm("x", **fields), submit_sm(TO))
    assert (wrong.status, wrong.message_id) == (status, "")
    assert right.status == 0
    program.unbind()


def test_validity_schedule_and_reference_are_the_messages_own(customer: Customer) -> None:
    program = customer.program()
    tlvs = {int(Tag.USER_MESSAGE_REFERENCE): b"\x01\x02"}
    (answer,) = program.submit(submit_sm(TO, schedule_delivery_time="000001000000000R", validity_period="000002000000000R", tlvs=tlvs))
    message = customer.message(answer.message_id)
    assert (message["status"], message["client_reference"]) == ("scheduled", "258")
    program.unbind()


@pytest.mark.parametrize(("kind", "may_submit", "gets"), [(pdus.BindTransmitter, True, False), (pdus.BindReceiver, False, True)])
def test_transmitters_submit_and_receivers_receive(customer: Customer, kind: type[pdus.Bind], may_submit: bool, gets: bool) -> None:
    sender, program = customer.program(pdus.BindTransmitter), customer.program(kind)
    assert program.submit(submit_sm(TO))[0].status == (0 if may_submit else Status.ESME_RINVBNDSTS)
    (answer,) = sender.submit(submit_sm(TO))
    until("the end", lambda: customer.message(answer.message_id)["status"] == "delivered")
    if gets:
        assert receipts(program, 1)
    else:
        until("something owed", lambda: owed(customer) == 1)
    assert sender.delivered == []
    for each in (sender, program):
        each.unbind()


def health(customer: Customer) -> tuple[int, int]:
    """How many sessions are open, and how much is owed, as the API says."""
    found = customer.served.admin.call("GET", customer.path + "/health")
    return found["sessions"], found["owed"]


def test_what_is_owed_waits_until_the_customer_is_back(customer: Customer) -> None:
    program = customer.program(pdus.BindTransmitter)
    answers = program.submit(*(submit_sm(TO) for _ in range(20)))
    until("what is owed", lambda: health(customer) == (1, 20))
    program.cut()
    until("the end", lambda: all(customer.message(answer.message_id)["status"] == "delivered" for answer in answers))
    until("no session", lambda: health(customer) == (0, 20))
    back = customer.program()
    texts = receipts(back, 20)
    assert {text.split()[0].removeprefix("id:") for text in texts} == {answer.message_id for answer in answers}
    until("nothing owed", lambda: owed(customer) == 0)
    back.unbind()


def test_what_was_not_acknowledged_comes_again_to_whoever_is_there(customer: Customer) -> None:
    deaf = customer.program(acknowledge=lambda _: None)
    (answer,) = deaf.submit(submit_sm(TO))
    until("the first try", lambda: len(deaf.delivered) == 1)
    deaf.cut()
    back = customer.program()
    assert answer.message_id in receipts(back, 1)[0]
    back.unbind()


def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(customer: Customer) -> None:
    said = {"status": int(Status.ESME_RX_P_APPN)}
    program = customer.program(acknowledge=lambda _: said["status"])
    program.submit(submit_sm(TO))
    until("the try", lambda: len(program.delivered) == 1)
    until("nothing owed", lambda: owed(customer) == 0)
    said["status"] = Status.ESME_RX_T_APPN
    program.submit(submit_sm(TO))
    until("the other try", lambda: len(program.delivered) == 2)
    said["status"] = 0
    until("one more try", lambda: len(program.delivered) == 3)
    assert program.delivered[1].short_message == program.delivered[2].short_message
    program.unbind()


def test_a_reply_goes_to_the_bind_whose_message_it_answers(house: House) -> None:
    idle, asked = Customer(house, inbound=True).program(), Customer(house, inbound=False).program()
    to = "13800138077"
    (answer,) = asked.submit(submit_sm(to, registered_delivery=0))
    text = "回复" * 40
    house.reply(f"86{to}", text)
    until("the reply", lambda: len(asked.delivered) == 2)
    pieces = [udh.parse(pdu.short_message) for pdu in asked.delivered]
    assert [piece[0][1:] if piece[0] else None for piece in pieces] == [(2, 1), (2, 2)]
    assert b"".join(piece[1] for piece in pieces).decode("utf-16-be") == text
    first = asked.delivered[0]
    assert (first.source_addr, first.source_addr_ton, first.destination_addr, first.esm_class) == (f"86{to}", 1, "10690001", 0x40)
    assert answer.status == 0
    assert idle.delivered == []
    for each in (idle, asked):
        each.unbind()


def test_an_unasked_text_goes_to_the_bind_whose_senders_name_the_number_best(house: House) -> None:
    any_number, mine = Customer(house, inbound=True).program(), Customer(house, inbound=True, senders=["10690000*"]).program()
    to = "13800138078"
    house.admin.call("POST", "/v1/messages", {"to": to, "text": "【雁书】您好", "sender": "10690000"})
    house.reply(f"86{to}", "TD")
    until("the reply", lambda: len(mine.delivered) == 1)
    assert (mine.delivered[0].short_message, mine.delivered[0].data_coding) == (b"TD", 0)
    assert any_number.delivered == []
    for each in (any_number, mine):
        each.unbind()


def refused(program: Program) -> int:
    assert isinstance(program.bound, BindRefused)
    until("the end", lambda: program.is_closed)
    return program.bound.status


def test_who_may_not_in_is_told_why_and_hung_up_on(house: House, customer: Customer) -> None:
    assert refused(Program(house).open(customer.system_id, "wrong")) == Status.ESME_RINVPASWD
    assert refused(Program(house).open("nobody", customer.secret)) == Status.ESME_RINVPASWD
    elsewhere = Customer(house, cidrs=["192.0.2.0/24"])
    assert refused(Program(house).open(elsewhere.system_id, elsewhere.secret)) == Status.ESME_RBINDFAIL
    off = Customer(house)
    house.admin.call("PATCH", off.path, {"status": "disabled"})
    assert refused(Program(house).open(off.system_id, off.secret)) == Status.ESME_RBINDFAIL
    rows = until("the audit entries", lambda: [r for r in house.admin.call("GET", "/v1/audit")["data"] if r["action"] == "bind.refused"])
    assert {"credentials", "address"} & {row["detail"]["because"] for row in rows}


def test_a_bind_has_no_more_sessions_than_it_may(house: House) -> None:
    two = Customer(house, sessions=2)
    first, second = two.program(), two.program()
    assert refused(Program(house).open(two.system_id, two.secret)) == Status.ESME_RALYBND
    first.unbind()
    third = two.program()
    for each in (second, third):
        each.unbind()


def test_beyond_window_and_throughput_it_is_throttled(house: House) -> None:
    small = Customer(house, window=5).program()
    statuses = [answer.status for answer in small.submit(*(submit_sm(TO) for _ in range(20)))]
    assert statuses.count(0) == 5
    assert statuses.count(Status.ESME_RTHROTTLED) == 15
    slow = Customer(house, throughput=10).program()
    statuses = [answer.status for answer in slow.submit(*(submit_sm(TO) for _ in range(50)))]
    assert 10 <= statuses.count(0) <= 15
    assert statuses.count(0) + statuses.count(Status.ESME_RTHROTTLED) == 50
    for each in (small, slow):
        each.unbind()


@pytest.mark.parametrize("change", [{"status": "disabled"}, {"secret": "another"}, {"cidrs": ["192.0.2.0/24"]}])
def test_sessions_follow_their_bind(customer: Customer, change: dict[str, Any]) -> None:
    program = customer.program()
    customer.served.admin.call("PATCH", customer.path, change)
    until("the end", lambda: program.is_closed)


def test_a_deleted_bind_is_over(customer: Customer) -> None:
    program = customer.program()
    customer.served.admin.call("DELETE", customer.path)
    until("the end", lambda: program.is_closed)
    assert refused(Program(customer.served).open(customer.system_id, customer.secret)) == Status.ESME_RINVPASWD


@pytest.mark.parametrize(
    ("octets", "ends"),
    [
        pytest.param("00000010000000ff0000000000000009", False, id="an unknown command"),
        pytest.param("0000001000000003" + "0000000000000009", False, id="a query without a body"),
        pytest.param("0000001000000004" + "0000000000000009", False, id="a submit without a body"),
        pytest.param("00000001000000040000000000000009", True, id="a length below the header's"),
        pytest.param("ffffffff000000040000000000000009", True, id="a length beyond all limits"),
    ],
)
def test_broken_octets_harm_nobody_else(customer: Customer, octets: str, ends: bool) -> None:
    program, other = customer.program(), customer.program()
    program.write(bytes.fromhex(octets))
    if ends:
        until("the end", lambda: program.is_closed)
    else:
        assert program.submit(submit_sm(TO))[0].status == 0
        program.unbind()
    assert other.submit(submit_sm(TO))[0].status == 0
    other.unbind()


def test_one_address_may_not_ask_for_too_many_binds_at_once(house: House, customer: Customer) -> None:
    host, _, port = house.platform.reception.addresses["smpp"].rpartition(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(20)]
    try:
        surplus = Program(house).open("nobody", "guess")
        assert (surplus.is_closed, surplus.bound) == (True, None)  # hung up on without a word
    finally:
        for one in silent:
            one.close()

    def is_welcome_again() -> bool:
        return isinstance(Program(house).open(customer.system_id, customer.secret).bound, Bound)

    until("room for others", is_welcome_again)
