"""The CMPP carrier over real sockets, against a gateway that does as it is told: no simulator, no store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tests.integration.test_smpp_carrier import Recorder, message, until
from tests.integration.test_smpp_carrier import connector as any_connector
from yanshu.adapters.carriers.cmpp.dialect import cmpp_carrier
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.submissions import AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.protocols.cmpp import pdus, reports
from yanshu.protocols.cmpp.constants import ConnectStatus, Result, Version
from yanshu.protocols.cmpp.ismg import IsmgSession
from yanshu.protocols.events import Answered, BindRequested, Requested
from yanshu.protocols.session import Timers
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.link import Address, Link, listen
from yanshu.text import udh

R = AnswerResult
SECRET = "s3cr3t!"
NUMBER = "13800138000"
FIRST_ID = 0xB42A9EC0303902A6
Reaction = Callable[["Ismg", Link, pdus.Submit], None]


def accept(ismg: "Ismg", link: Link, pdu: pdus.Submit) -> None:
    ismg.session(link).answer(pdu, msg_id=FIRST_ID + len(ismg.submits) - 1)


def refuse(result: int) -> Reaction:
    return lambda ismg, link, pdu: ismg.session(link).answer(pdu, result=result)


def drop(ismg: "Ismg", link: Link, pdu: pdus.Submit) -> None:
    link.abort()


class Ismg:
    """A gateway that speaks up to `highest`; `answer` decides what becomes of submits."""

    def __init__(self, highest: Version = Version.V30) -> None:
        self.highest = highest
        self.answer: Reaction = accept
        self.accepts_and_names_lower = False
        self.proves_itself = True
        self.connects: list[int] = []
        self.submits: list[pdus.Submit] = []
        self.acknowledged: list[int] = []
        self.links: list[Link] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await listen(Address("127.0.0.1", 0), self._make_link)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        connected = [link for link in self.links if link.is_connected]
        for link in connected:
            link.abort()
        for link in connected:
            await link.closed.wait()
        await self._server.wait_closed()

    def session(self, link: Link) -> IsmgSession[Any]:
        assert isinstance(link.session, IsmgSession)
        return link.session

    def deliver(self, *deliveries: pdus.Deliver) -> None:
        link = next(link for link in reversed(self.links) if self.session(link).is_bound)
        self.session(link).deliver([(pdu, index) for index, pdu in enumerate(deliveries)], link.now())
        link.flush_soon()

    def _make_link(self) -> Link:
        link = Link(IsmgSession(16, Timers(probe_seconds=0), self.highest), lambda events: self._take(link, events))
        self.links.append(link)
        return link

    def _take(self, link: Link, events: list[Any]) -> None:
        session = self.session(link)
        for event in events:
            if isinstance(event, BindRequested):
                self.connects.append(event.pdu.version)
                if self.accepts_and_names_lower:
                    session.version = Version.V20
                if session.proves(event.pdu, SECRET):
                    session.accept(SECRET if self.proves_itself else "another")
                else:
                    session.refuse(ConnectStatus.AUTHENTICATION)
            elif isinstance(event, Requested):
                self.submits.append(event.pdu)
                self.answer(self, link, event.pdu)
            elif isinstance(event, Answered):
                self.acknowledged.append(event.status)


def connector(port: int, settings: dict[str, Any]) -> Connector:
    return replace(any_connector(port), protocol="cmpp", settings={"sp_id": "901234", **settings})


@asynccontextmanager
async def running(ismg: Ismg, secret: str = SECRET, **settings: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    """A carrier that runs, and is stopped afterwards."""
    intake = Recorder()
    carrier = cmpp_carrier(connector(ismg.port, settings), secret, intake, SystemClock())
    task = asyncio.create_task(carrier.run())
    try:
        yield carrier, intake
    finally:
        await carrier.stop(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def bound(ismg: Ismg, **settings: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    async with running(ismg, **settings) as (carrier, intake):
        await until(lambda: carrier.state is LinkState.UP)
        yield carrier, intake


@pytest.fixture
async def ismg() -> AsyncIterator[Ismg]:
    server = Ismg()
    await server.start()
    yield server
    await server.stop()


def report(stat: str, msg_id: int, *, long: bool = True) -> pdus.Deliver:
    content = reports.build(reports.Report(msg_id, stat, "2311081041", "2311081043", NUMBER, 1), long=long)
    return pdus.Deliver(msg_id=99, dest_id="10690000123", src_terminal_id=NUMBER, registered_delivery=1, msg_content=content)


@pytest.mark.parametrize("version", ["3.0", "2.0"])
async def test_a_text_is_submitted_with_what_the_connector_says_and_answered_with_its_id(ismg: Ismg, version: str) -> None:
    async with bound(ismg, version=version, service_id="YANSHU") as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    (answer,) = intake.answers
    assert (answer.result, answer.carrier_message_id, answer.code) == (R.ACCEPTED, f"{FIRST_ID:x}", "0")
    (pdu,) = ismg.submits
    assert (pdu.src_id, pdu.dest_terminal_ids, pdu.msg_src, pdu.service_id) == ("10690000123", (NUMBER,), "901234", "YANSHU")
    assert (pdu.registered_delivery, pdu.msg_fmt) == (1, 8)
    assert pdu.msg_content.decode("utf-16-be") == "您的验证码是123456"


async def test_a_gateway_of_the_lower_version_is_spoken_to_in_that(ismg: Ismg) -> None:
    ismg.highest = Version.V20
    async with bound(ismg) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert (ismg.connects, intake.results) == ([0x20], [R.ACCEPTED])
    assert LinkState.BLOCKED not in intake.states


async def test_a_gateway_that_accepts_and_names_a_lower_version_loses_nothing(ismg: Ismg) -> None:
    ismg.accepts_and_names_lower = True
    async with bound(ismg) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        text = pdus.Deliver(dest_id="106", src_terminal_id=NUMBER, msg_fmt=8, msg_content="退订".encode("utf-16-be"))
        ismg.deliver(report("DELIVRD", FIRST_ID, long=False), text)
        await until(lambda: len(ismg.acknowledged) == 2)
    assert ismg.submits[0].msg_content.decode("utf-16-be") == "您的验证码是123456"
    receipt, part = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert isinstance(part, InboundPart)
    assert (receipt.state, part.text) == (ReceiptState.DELIVERED, "退订")


async def test_a_version_that_was_pinned_is_not_left(ismg: Ismg) -> None:
    ismg.highest = Version.V20
    async with running(ismg, version="3.0") as (carrier, intake):
        await until(lambda: carrier.state is LinkState.BLOCKED)
    assert any("set version to 2.0" in detail for detail in intake.details)


async def test_a_wrong_secret_blocks_the_link_and_is_not_tried_again_at_once(ismg: Ismg) -> None:
    async with running(ismg, secret="another") as (carrier, intake):
        await until(lambda: carrier.state is LinkState.BLOCKED)
        await asyncio.sleep(0.2)
    assert len(ismg.connects) == 1
    assert any("refuses sp_id and password" in detail for detail in intake.details)


@pytest.mark.parametrize("strict", [False, True], ids=["is told of and used", "is left where that is asked for"])
async def test_a_gateway_that_does_not_prove_itself(ismg: Ismg, strict: bool) -> None:
    ismg.proves_itself = False
    async with running(ismg, strict_digest=strict) as (carrier, intake):
        await until(lambda: carrier.state is (LinkState.BLOCKED if strict else LinkState.UP))
        assert any("does not prove that it knows the password" in detail for detail in intake.details) is strict
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert (intake.results, len(ismg.submits)) == ([R.UNSENT], 0) if strict else ([R.ACCEPTED], 1)


async def test_the_segments_of_a_long_text_are_joined_and_numbered(ismg: Ismg) -> None:
    text = "长" * 100
    async with bound(ismg) as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: len(intake.answers) == 2)
    heads = [udh.parse(pdu.msg_content) for pdu in ismg.submits]
    assert [(pdu.pk_number, pdu.pk_total, pdu.tp_udhi) for pdu in ismg.submits] == [(1, 2, 1), (2, 2, 1)]
    assert [(head.part, head.total) for head, _ in heads if head] == [(1, 2), (2, 2)]
    assert "".join(octets.decode("utf-16-be") for _, octets in heads) == text


@pytest.mark.parametrize(("text", "form"), [("您好", 15), ("您好😀", 8)], ids=["what GBK has", "what it lacks"])
async def test_a_gbk_connector_sends_gbk_where_it_can(ismg: Ismg, text: str, form: int) -> None:
    async with bound(ismg, text_format="gbk") as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: intake.answers)
    assert ismg.submits[0].msg_fmt == form
    assert ismg.submits[0].msg_content.decode("gbk" if form == 15 else "utf-16-be") == text


RESULTS = [
    ("flow control", Result.FLOW_CONTROL, R.THROTTLED, "8"),
    ("a wrong sender", Result.SRC_ID, R.REFUSED, "10"),
    ("a number it does not serve", Result.NOT_SERVED_HERE, R.BUSY, "9"),
    ("a result of its own", 250, R.BUSY, "250"),
]


@pytest.mark.parametrize(("name", "result", "meaning", "code"), RESULTS, ids=[case[0] for case in RESULTS])
async def test_a_result_is_told_in_our_words(ismg: Ismg, name: str, result: int, meaning: R, code: str) -> None:
    ismg.answer = refuse(result)
    async with bound(ismg) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.results, intake.answers[0].code) == ([meaning], code)
        assert (carrier.state is LinkState.THROTTLED) is (meaning is R.THROTTLED)


async def test_what_was_on_the_wire_of_a_lost_connection_is_unanswered(ismg: Ismg) -> None:
    ismg.answer = drop
    async with bound(ismg) as (carrier, intake):
        carrier.submit([message("msg_1"), message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
    assert set(intake.results) == {R.UNANSWERED}
    assert len(ismg.submits) <= 2


STATS = [
    ("delivered", "DELIVRD", ReceiptState.DELIVERED, ""),
    ("on its way", "ACCEPTD", ReceiptState.ACCEPTED, ""),
    ("a code of the network", "MA:0051", ReceiptState.UNDELIVERABLE, "MA:0051"),
    ("a code nobody knows", "XX:9999", ReceiptState.UNKNOWN, "XX:9999"),
]


@pytest.mark.parametrize("long", [True, False], ids=["71 octets", "60 octets in a 3.0 session"])
@pytest.mark.parametrize(("name", "stat", "state", "err"), STATS, ids=[case[0] for case in STATS])
async def test_a_report_becomes_a_receipt(ismg: Ismg, name: str, stat: str, state: ReceiptState, err: str, long: bool) -> None:
    async with bound(ismg) as (_, intake):
        ismg.deliver(report(stat, FIRST_ID, long=long))
        await until(lambda: ismg.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.recipient) == ((f"{FIRST_ID:x}",), f"+86{NUMBER}")
    assert (receipt.state, receipt.stat, receipt.err) == (state, stat, err)
    assert receipt.done_at == datetime(2023, 11, 8, 2, 43, tzinfo=UTC)
    assert ismg.acknowledged == [0]


async def test_a_report_that_cannot_be_read_is_kept_and_acknowledged(ismg: Ismg) -> None:
    async with bound(ismg) as (_, intake):
        ismg.deliver(pdus.Deliver(src_terminal_id=NUMBER, registered_delivery=1, msg_content=b"\0junk"))
        await until(lambda: ismg.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.state, receipt.text) == (("",), ReceiptState.ACCEPTED, "\ufffdjunk")


async def test_what_is_not_safe_is_not_acknowledged_as_taken(ismg: Ismg) -> None:
    async with bound(ismg) as (_, intake):
        intake.safe = False
        ismg.deliver(report("DELIVRD", FIRST_ID))
        await until(lambda: ismg.acknowledged)
    assert ismg.acknowledged == [9]


TEXTS = [
    ("UCS-2", 8, "退订".encode("utf-16-be"), "退订"),
    ("GBK", 15, "退订".encode("gbk"), "退订"),
    ("ASCII", 0, b"TD", "TD"),
    ("GBK that calls itself ASCII", 0, "退订".encode("gbk"), "退订"),
]


@pytest.mark.parametrize(("name", "form", "octets", "text"), TEXTS, ids=[case[0] for case in TEXTS])
async def test_a_text_of_a_phone_is_read(ismg: Ismg, name: str, form: int, octets: bytes, text: str) -> None:
    async with bound(ismg) as (_, intake):
        ismg.deliver(pdus.Deliver(dest_id="8610690000123", src_terminal_id=f"86{NUMBER}", msg_fmt=form, msg_content=octets))
        await until(lambda: ismg.acknowledged)
    (part,) = intake.arrivals
    assert isinstance(part, InboundPart)
    assert (part.text, part.sender, part.recipient, part.parts) == (text, f"+86{NUMBER}", "10690000123", 1)


async def test_the_parts_of_a_long_text_of_a_phone_carry_their_places(ismg: Ismg) -> None:
    async with bound(ismg) as (_, intake):
        for part in (2, 1):
            content = udh.build(7, 2, part) + "好".encode("utf-16-be")
            ismg.deliver(pdus.Deliver(dest_id="106", src_terminal_id=NUMBER, tp_udhi=1, msg_fmt=8, msg_content=content))
        await until(lambda: len(ismg.acknowledged) == 2)
    found = [(arrival.part, arrival.parts, arrival.reference) for arrival in intake.arrivals if isinstance(arrival, InboundPart)]
    assert found == [(2, 2, 7), (1, 2, 7)]
