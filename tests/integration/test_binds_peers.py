"""Our binds against programs of others: npm's smpp and Debian's kannel as customers, Wireshark's dissectors as judges."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.integration.bind_house import Customer, House, owed
from tests.integration.programs import submit_of, submit_sm
from tests.integration.serving import until
from tests.peers.found import FOLDER, ROOT, needed, path_of
from tests.peers.kannel import Kannel, running_kannel
from tests.peers.tshark import capture, complaints, dissected
from yanshu.protocols.smpp.constants import Command, Tag
from yanshu.text import udh

TO = "13800138000"
LONG = "【雁书】" + "长短信由客户分段提交，平台收齐后合并。" * 10


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("platform"))
    try:
        yield house.open()
    finally:
        house.stop()


def port_of(house: House, protocol: str) -> int:
    return int(house.platform.reception.addresses[protocol].rpartition(":")[2])


# --- npm's smpp ---


class NodeCustomer:
    """`tests/peers/customer.js`: one JSON object a line, in and out."""

    def __init__(self, customer: Customer) -> None:
        port = port_of(customer.served, "smpp")
        command = [path_of("node"), str(ROOT / "tests" / "peers" / "customer.js"), str(port), customer.system_id, customer.secret]
        environment = {**os.environ, "PEERS": str(FOLDER)}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.told: list[dict[str, Any]] = []
        self._ears = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line))

    def __enter__(self) -> Self:
        self._ears.start()
        until("the bind", lambda: self.events("bound"))
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin,):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ears.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in list(self.told) if event["event"] == kind]

    def say(self, **wish: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()


def test_npm_smpp_submits_and_gets_its_receipts_and_replies(house: House) -> None:
    needed("npm:smpp")
    customer = Customer(house)
    to = "13800138011"
    with NodeCustomer(customer) as node:
        assert node.events("bound") == [{"event": "bound", "status": 0}]
        for tag in range(50):
            node.say(tag=tag, source_addr="10690001", destination_addr=to, short_message=f"【雁书】第 {tag} 条")
        until("the answers", lambda: len(node.events("answered")) == 50)
        assert {event["status"] for event in node.events("answered")} == {0}
        idents = {event["id"] for event in node.events("answered")}
        until("the receipts", lambda: len(node.events("delivered")) == 50)
        delivered = node.events("delivered")
        assert {event["receipted"] for event in delivered} == idents
        assert {(event["from"], event["to"], event["esm_class"], event["state"]) for event in delivered} == {(to, "10690001", 4, 2)}
        assert all(f"id:{event['receipted']} " in event["text"] and "stat:DELIVRD" in event["text"] for event in delivered)
        assert customer.message(next(iter(idents)))["text"].startswith("【雁书】第 ")
        house.reply(f"86{to}", "回复一条")
        until("the reply", lambda: len(node.events("delivered")) == 51)
        reply = node.events("delivered")[-1]
        assert (reply["from"], reply["to"], reply["esm_class"], reply["text"]) == (f"86{to}", "10690001", 0, "回复一条")
        until("a sign of life", lambda: node.events("alive"))
        node.say(unbind=True)
        until("the goodbye", lambda: node.events("closed"))
        assert node.events("error") == []


def test_npm_smpp_is_refused_in_words_it_understands(house: House) -> None:
    needed("npm:smpp")
    customer = Customer(house, senders=["1069*"])
    with NodeCustomer(customer) as node:
        node.say(tag="number", destination_addr="12", short_message="hello")
        node.say(tag="source", source_addr="2069", destination_addr=TO, short_message="hello")
        node.say(tag="empty", source_addr="1069", destination_addr=TO, short_message="")
        until("the answers", lambda: len(node.events("answered")) == 3)
        assert {event["tag"]: event["status"] for event in node.events("answered")} == {"number": 0x0B, "source": 0x0A, "empty": 0x01}
        assert node.events("delivered") == []


def test_npm_smpp_gets_what_it_missed(house: House) -> None:
    needed("npm:smpp")
    customer = Customer(house)
    with NodeCustomer(customer) as node:
        node.say(tag=1, source_addr="10690001", destination_addr=TO, short_message="hello")
        until("the answer", lambda: node.events("answered"))
        node.say(unbind=True)
        until("the goodbye", lambda: node.events("closed"))
    (ident,) = [event["id"] for event in node.events("answered")]
    until("the end", lambda: customer.message(ident)["status"] == "delivered")
    with NodeCustomer(customer) as back:
        if not node.events("delivered"):
            until("the receipt", lambda: back.events("delivered"))
        until("nothing owed", lambda: owed(customer) == 0)
        receipts = node.events("delivered") + back.events("delivered")
        assert [receipt["receipted"] for receipt in receipts] == [ident]


# --- kannel ---


@pytest.fixture(scope="module")
def kannel_customer(house: House) -> Customer:
    return Customer(house)


@pytest.fixture(scope="module")
def kannel(house: House, kannel_customer: Customer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    needed("bearerbox", "smsbox")
    folder = tmp_path_factory.mktemp("kannel")
    with running_kannel(folder, port_of(house, "smpp"), kannel_customer.system_id, kannel_customer.secret) as kannel:
        yield kannel


# kannel's words: 8 our answer was positive, 16 it was negative, 1 delivered, 2 failed.
def heard_of(kannel: Kannel, to: str) -> list[dict[str, str]]:
    return [call for call in list(kannel.ear.heard) if call["what"] == "dlr" and call["to"] == to]


def test_kannel_sends_and_learns_that_it_was_delivered(house: House, kannel: Kannel) -> None:
    to = "13800138021"
    assert "Accepted" in kannel.send(to, "【雁书】您好")
    until("both reports", lambda: {call["type"] for call in heard_of(kannel, to)} == {"8", "1"})
    final = next(call for call in heard_of(kannel, to) if call["type"] == "1")
    assert "stat:DELIVRD" in final["answer"]
    rows = house.admin.call("GET", f"/v1/messages?to=%2B86{to}")["data"]
    assert [(row["text"], row["status"]) for row in rows] == [("【雁书】您好", "delivered")]
    assert rows[0]["id"].removeprefix("msg_") in final["answer"]


def test_kannel_sends_a_long_text_in_segments_and_we_join_it(house: House, kannel: Kannel) -> None:
    to = "13800138022"
    assert "Accepted" in kannel.send(to, LONG)
    until("the report", lambda: "1" in {call["type"] for call in heard_of(kannel, to)})
    rows = house.admin.call("GET", f"/v1/messages?to=%2B86{to}")["data"]
    assert [(row["text"], row["segments"], row["status"]) for row in rows] == [(LONG, 3, "delivered")]


def test_kannel_sends_many_at_once(house: House, kannel: Kannel, kannel_customer: Customer) -> None:
    numbers = [f"138001382{place:02}" for place in range(50, 80)]
    for to in numbers:
        kannel.send(to, f"【雁书】给 {to}")
    until("the reports", lambda: all("1" in {call["type"] for call in heard_of(kannel, to)} for to in numbers))
    assert all(len([call for call in heard_of(kannel, to) if call["type"] == "1"]) == 1 for to in numbers)
    until("nothing owed", lambda: owed(kannel_customer) == 0)


def test_kannel_hears_a_reply_joined(house: House, kannel: Kannel) -> None:
    to = "13800138023"
    kannel.send(to, "【雁书】请回复")
    until("the report", lambda: "1" in {call["type"] for call in heard_of(kannel, to)})
    text = "回复" * 40
    house.reply(f"86{to}", text)
    until("the reply", lambda: any(call["what"] == "mo" for call in kannel.ear.heard))
    heard = "".join(call["text"] for call in kannel.ear.heard if call["what"] == "mo")
    call = next(call for call in kannel.ear.heard if call["what"] == "mo")
    assert heard.encode("latin-1").decode("utf-16-be") == text
    assert (call["from"].lstrip("+"), call["to"].lstrip("+")) == (f"86{to}", "10690001")


def test_kannel_is_told_why_a_text_is_refused(kannel: Kannel) -> None:
    to = "12"
    kannel.send(to, "【雁书】您好")
    until("the refusal", lambda: "16" in {call["type"] for call in heard_of(kannel, to)})
    assert "0x0000000b" in kannel.log().lower()


def test_kannel_keeps_its_session_and_finds_no_fault_with_us(kannel: Kannel) -> None:
    until("a question whether we are there", lambda: "enquire_link_resp" in kannel.log())
    complained = [line for line in kannel.log().splitlines() if any(word in line for word in ("ERROR", "PANIC", "unknown", "malformed"))]
    assert [line for line in complained if "0x0000000b" not in line.lower()] == []


# --- tshark ---


def test_what_we_write_over_smpp_is_read_by_wireshark_without_a_complaint(house: House, tmp_path: Path) -> None:
    needed("tshark")
    customer = Customer(house)
    program = customer.program()
    to = "13800138031"
    pieces = [LONG.encode("utf-16-be")[start : start + 134] for start in range(0, 2 * len(LONG), 134)]
    answers = program.submit(
        submit_sm(to),
        submit_sm("12"),
        *(submit_sm(to, esm_class=0x40, short_message=udh.build(1, len(pieces), part) + piece) for part, piece in enumerate(pieces, 1)),
    )
    until("the receipts", lambda: len(program.delivered) == 1 + len(pieces))
    house.reply(f"86{to}", "回复" * 40)
    until("the reply", lambda: len(program.delivered) == 3 + len(pieces))
    program.write(bytes.fromhex("00000010000000150000000000000099" + "00000010000000ff0000000000000098"))
    until("the answers", lambda: program.link is not None and program.link.heard.endswith(bytes.fromhex("0000000300000098")))
    program.unbind()
    assert program.link is not None
    port = port_of(house, "smpp")
    path = capture(tmp_path, program.link.heard, port)
    assert complaints(path, port, "smpp") == ""
    found = dissected(path, port, "smpp", ["smpp.command_id", "smpp.message_id", "smpp.receipted_message_id"])
    commands = [int(value, 0) for packet in found for value in packet["smpp.command_id"] if value]
    assert commands.count(Command.BIND_TRANSCEIVER_RESP) == 1
    assert commands.count(Command.SUBMIT_SM_RESP) == len(answers)
    assert commands.count(Command.DELIVER_SM) == len(program.delivered)
    assert {Command.ENQUIRE_LINK_RESP, Command.GENERIC_NACK, Command.UNBIND_RESP} <= set(commands)
    given = {answer.message_id for answer in answers if answer.status == 0}
    assert given <= {value for packet in found for value in packet["smpp.message_id"]}
    assert {pdu.tlvs[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0").decode() for pdu in program.delivered if pdu.esm_class == 4} == given


def test_what_we_write_over_cmpp_is_read_by_wireshark_without_a_complaint(house: House, tmp_path: Path) -> None:
    needed("tshark")
    program = Customer(house, protocol="cmpp").cmpp_program()
    to = "13800138032"
    answers = program.submit(submit_of(to), submit_of("12"), submit_of(("13800138033", "13800138034")))
    until("the reports", lambda: len(program.delivered) == 3)
    house.reply(f"86{to}", "回复" * 40)
    until("the reply", lambda: len(program.delivered) == 5)
    program.unbind()
    assert program.link is not None
    port = port_of(house, "cmpp")
    path = capture(tmp_path, program.link.heard, port)
    assert complaints(path, port, "cmpp") == ""
    found = dissected(path, port, "cmpp", ["cmpp.Command_Id", "cmpp.submit_resp.Result"])
    commands = [int(value, 0) for packet in found for value in packet["cmpp.Command_Id"] if value]
    results = [int(value, 0) for packet in found for value in packet["cmpp.submit_resp.Result"] if value]
    assert results == [0, 13, 0]
    assert [commands.count(wanted) for wanted in (0x80000001, 0x80000004, 5, 0x80000002)] == [1, len(answers), 5, 1]
