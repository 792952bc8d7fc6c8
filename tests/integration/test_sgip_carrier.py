"""The SGIP carrier over real sockets, against a gateway that does as it is told: no simulator, no store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.integration.serving import free_port
from tests.integration.test_smpp_carrier import Recorder, message, until
from tests.integration.test_smpp_carrier import connector as any_connector
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.sgip.dialect import sgip_carrier
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.submissions import AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.protocols.events import Answered, BindRequested, PeerFault, Requested, Unbound
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.client import ClientSession
from yanshu.protocols.sgip.constants import LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences
from yanshu.protocols.sgip.server import ServerSession
from yanshu.protocols.sgip.session import SgipSession
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.link import Address, Link, connect, listen
from yanshu.text import udh

R = AnswerResult
LOGIN, PASSWORD = "yanshu", "pass1234"
NUMBER = "8613800138000"
NODE, GATEWAY = 3010001234, 101000
TIMERS = Timers(probe_seconds=0)
SUBMITTED = pdus.Sequence(NODE, 1108104159, 8)
Reaction = Callable[["Smg", Link, pdus.Submit], None]


def answer(result: int = Result.OK) -> Reaction:
    return lambda smg, link, pdu: smg.session(link).acknowledge([pdu], result)


def drop(smg: "Smg", link: Link, pdu: pdus.Submit) -> None:
    link.abort()


class Smg:
    """A gateway: `answer` decides what becomes of submits, `call` connects to the SP."""

    def __init__(self) -> None:
        self.answer: Reaction = answer()
        self.bind_result = Result.OK
        self.binds: list[pdus.Bind] = []
        self.submits: list[pdus.Submit] = []
        self.unbinds = 0
        self.links: list[Link] = []
        self.calls: list[Link] = []
        self.called: list[Any] = []
        self.listen_port = free_port()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await listen(Address("127.0.0.1", port), self._make_link)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        connected = [link for link in (*self.links, *self.calls) if link.is_connected]
        for link in connected:
            link.abort()
        for link in connected:
            await link.closed.wait()
        await self._server.wait_closed()

    def session(self, link: Link) -> SgipSession[Any]:
        assert isinstance(link.session, SgipSession)
        return link.session

    async def call(self, password: str = PASSWORD, login: str = LOGIN, login_type: int = LoginType.SMG_TO_SP) -> None:
        """Connect to the SP and log in there."""
        bind = pdus.Bind(login_type=login_type, login_name=login, login_password=password)
        session: ClientSession[Any] = ClientSession(bind, Sequences(GATEWAY, lambda _: 1108104300, len(self.calls)), 32, TIMERS)
        self.calls.append(await connect(Address("127.0.0.1", self.listen_port), lambda: Link(session, self.called.extend)))

    async def deliver(self, *deliveries: pdus.Deliver | pdus.Report | pdus.UserRpt) -> None:
        """Deliver over the newest call."""
        link = self.calls[-1]
        session = self.session(link)
        await until(lambda: session.is_bound)
        assert isinstance(session, ClientSession)
        session.deliver([(pdu, place) for place, pdu in enumerate(deliveries)], link.now())
        link.flush_soon()

    async def say(self, pdu: pdus.Pdu) -> None:
        """Write a PDU over the newest call, its sequence included."""
        link = self.calls[-1]
        await until(lambda: self.session(link).is_bound)
        self.session(link).send(pdu)
        link.flush_soon()

    @property
    def acknowledged(self) -> list[int]:
        return [event.status for event in self.called if isinstance(event, Answered)]

    def _make_link(self) -> Link:
        link = Link(ServerSession(LoginType.SP_TO_SMG, TIMERS), lambda events: self._take(link, events))
        self.links.append(link)
        return link

    def _take(self, link: Link, events: list[Any]) -> None:
        session = link.session
        assert isinstance(session, ServerSession)
        for event in events:
            if isinstance(event, BindRequested):
                self.binds.append(event.pdu)
                if (event.pdu.login_name, event.pdu.login_password) == (LOGIN, PASSWORD) and not self.bind_result:
                    session.accept()
                else:
                    session.refuse(self.bind_result or Result.BAD_LOGIN)
            elif isinstance(event, Requested):
                self.submits.append(event.pdu)
                self.answer(self, link, event.pdu)
            elif isinstance(event, Unbound):
                self.unbinds += 1


def connector(smg: Smg, settings: dict[str, Any]) -> Connector:
    own = {"login_name": LOGIN, "corp_id": "01234", "area_code": "010", "listen_host": "127.0.0.1", "listen_port": smg.listen_port}
    return replace(any_connector(smg.port), protocol="sgip", settings={**own, **settings}, window=32)


@asynccontextmanager
async def running(smg: Smg, password: str = PASSWORD, slot: int = 0, **settings: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    """A carrier that runs, and is stopped afterwards."""
    intake = Recorder()
    carrier = sgip_carrier(connector(smg, settings), password, intake, SystemClock(), slot)
    task = asyncio.create_task(carrier.run())
    try:
        yield carrier, intake
    finally:
        await carrier.stop(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def bound(smg: Smg, **settings: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    async with running(smg, **settings) as (carrier, intake):
        await until(lambda: carrier.state is LinkState.UP)
        yield carrier, intake


@pytest.fixture
async def smg() -> AsyncIterator[Smg]:
    gateway = Smg()
    await gateway.start()
    yield gateway
    await gateway.stop()


def report(state: int = 0, error: int = 0, sequence: pdus.Sequence = SUBMITTED) -> pdus.Report:
    return pdus.Report(submit_sequence=sequence, user_number=NUMBER, state=state, error_code=error)


def text_of(octets: bytes, coding: int = 8, **fields: Any) -> pdus.Deliver:
    return pdus.Deliver(user_number=NUMBER, sp_number="8610690000123", message_coding=coding, message_content=octets, **fields)


# --- submitting ---


async def test_a_text_is_submitted_with_what_the_connector_says_and_its_sequence_is_its_id(smg: Smg) -> None:
    async with bound(smg, service_type="YANSHU") as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    (pdu,) = smg.submits
    assert (pdu.sp_number, pdu.user_numbers, pdu.corp_id, pdu.service_type) == ("10690000123", (NUMBER,), "01234", "YANSHU")
    assert (pdu.report_flag, pdu.charge_number, pdu.message_coding, pdu.sequence.node) == (1, "0" * 21, 8, NODE)
    assert pdu.message_content.decode("utf-16-be") == "您的验证码是123456"
    (answered,) = intake.answers
    assert (answered.result, answered.carrier_message_id, answered.code) == (R.ACCEPTED, pdu.sequence.message_id, "0")


async def test_the_segments_of_a_long_text_are_joined(smg: Smg) -> None:
    text = "长" * 100
    async with bound(smg) as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: len(intake.answers) == 2)
    heads = [udh.parse(pdu.message_content) for pdu in smg.submits]
    assert [pdu.tp_udhi for pdu in smg.submits] == [1, 1]
    assert [(head.part, head.total) for head, _ in heads if head] == [(1, 2), (2, 2)]
    assert "".join(octets.decode("utf-16-be") for _, octets in heads) == text


@pytest.mark.parametrize(("text", "coding"), [("您好", 15), ("您好😀", 8)], ids=["what GBK has", "what it lacks"])
async def test_a_gbk_connector_sends_gbk_where_it_can(smg: Smg, text: str, coding: int) -> None:
    async with bound(smg, text_format="gbk") as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: intake.answers)
    assert smg.submits[0].message_coding == coding
    assert smg.submits[0].message_content.decode("gbk" if coding == 15 else "utf-16-be") == text


RESULTS = [
    ("a busy node", Result.BUSY, R.THROTTLED, "11"),
    ("a full second", Result.OVER_FLOW_LIMIT, R.THROTTLED, "33"),
    ("the throttle of some gateways", 88, R.THROTTLED, "88"),
    ("a number without 86", Result.NUMBER, R.REFUSED, "6"),
    ("a sequence it saw before", Result.SEQUENCE, R.BUSY, "9"),
    ("a result of its own", 250, R.BUSY, "250"),
]


@pytest.mark.parametrize(("name", "result", "meaning", "code"), RESULTS, ids=[case[0] for case in RESULTS])
async def test_a_result_is_told_in_our_words(smg: Smg, name: str, result: int, meaning: R, code: str) -> None:
    smg.answer = answer(result)
    async with bound(smg) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.results, intake.answers[0].code) == ([meaning], code)
        assert (carrier.state is LinkState.THROTTLED) is (meaning is R.THROTTLED)


async def test_what_was_on_the_wire_of_a_lost_connection_is_unanswered_and_keeps_its_id(smg: Smg) -> None:
    smg.answer = drop
    async with bound(smg) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    (lost,) = intake.answers
    assert (lost.result, lost.carrier_message_id) == (R.UNANSWERED, smg.submits[0].sequence.message_id)


async def test_a_wrong_password_blocks_the_link_and_is_not_tried_again_at_once(smg: Smg) -> None:
    async with running(smg, password="another") as (carrier, intake):
        await until(lambda: carrier.state is LinkState.BLOCKED)
        await asyncio.sleep(0.2)
    assert len(smg.binds) == 1
    assert any("refuses login_name and password" in detail for detail in intake.details)


# --- at rest, and back on demand ---


async def test_an_idle_connection_is_closed_and_opened_again_on_demand_without_a_loss(smg: Smg) -> None:
    async with bound(smg, idle_seconds=1) as (carrier, intake):
        await until(lambda: smg.unbinds == 1 and not smg.links[0].is_connected)
        await until(lambda: carrier.free() == 32)
        assert carrier.state is LinkState.UP
        carrier.submit([message("msg_1"), message("msg_2", text="长" * 100)])
        assert carrier.outstanding == 3
        await until(lambda: len(intake.answers) == 3)
        assert carrier.free() == 32
    assert (len(smg.binds), set(intake.results)) == (2, {R.ACCEPTED})
    assert LinkState.DOWN not in intake.states[:-1]
    assert len({pdu.sequence for pdu in smg.submits}) == 3


async def test_what_waits_for_a_gateway_that_is_gone_is_given_back_unsent_and_the_link_comes_back_with_it(smg: Smg) -> None:
    async with bound(smg, idle_seconds=1) as (carrier, intake):
        await until(lambda: carrier.free() == 32 and smg.unbinds == 1)
        await smg.stop()
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.results, carrier.state, carrier.free()) == ([R.UNSENT], LinkState.DOWN, 0)
        await smg.start(smg.port)
        await until(lambda: carrier.state is LinkState.UP)


async def test_what_waits_for_a_gateway_that_refuses_is_given_back_unsent(smg: Smg) -> None:
    async with bound(smg, idle_seconds=1) as (carrier, intake):
        await until(lambda: carrier.free() == 32 and smg.unbinds == 1)
        smg.bind_result = Result.LOGINS_TOO_FREQUENT
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert intake.results == [R.UNSENT]
    assert any("too often" in detail for detail in intake.details)
    assert len(smg.binds) == 2


async def test_a_link_at_rest_stops_at_once(smg: Smg) -> None:
    async with bound(smg, idle_seconds=1) as (carrier, _):
        await until(lambda: carrier.free() == 32 and smg.unbinds == 1)
        async with asyncio.timeout(0.5):
            await carrier.stop(5.0)
        assert carrier.free() == 0
    assert len(smg.binds) == 1


async def test_a_connection_without_listener_stays(smg: Smg) -> None:
    async with bound(smg, idle_seconds=0, listen_port=0, response_timeout_seconds=0.1):
        await asyncio.sleep(0.5)
        assert smg.links[0].is_connected
    assert smg.unbinds == 1


# --- what the gateway says ---

STATES = [
    ("delivered", 0, 0, ReceiptState.DELIVERED, "DELIVRD", ""),
    ("on its way", 1, 0, ReceiptState.ACCEPTED, "ENROUTE", ""),
    ("out of reach", 2, 25, ReceiptState.EXPIRED, "UNDELIV", "25"),
    ("33, a full queue here and a throttle in an answer", 2, 33, ReceiptState.UNDELIVERABLE, "UNDELIV", "33"),
    ("a charge that is refused", 2, 24, ReceiptState.REJECTED, "UNDELIV", "24"),
    ("the billing platform", 2, 118, ReceiptState.REJECTED, "UNDELIV", "118"),
    ("an error of its own", 2, 54, ReceiptState.UNKNOWN, "UNDELIV", "54"),
    ("a state of its own", 7, 54, ReceiptState.ACCEPTED, "7", ""),
]


@pytest.mark.parametrize(("name", "state", "error", "meaning", "stat", "err"), STATES, ids=[case[0] for case in STATES])
async def test_a_report_becomes_a_receipt(smg: Smg, name: str, state: int, error: int, meaning: ReceiptState, stat: str, err: str) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        await smg.deliver(report(state, error))
        await until(lambda: smg.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.recipient) == ((SUBMITTED.message_id,), f"+{NUMBER}")
    assert (receipt.state, receipt.stat, receipt.err) == (meaning, stat, err)
    assert smg.acknowledged == [0]


async def test_a_report_over_our_own_connection_is_taken_too(smg: Smg) -> None:
    async with bound(smg) as (_, intake):
        (link,) = smg.links
        smg.session(link).send(report())
        link.flush_soon()
        await until(lambda: intake.arrivals)
    assert isinstance(intake.arrivals[0], Receipt)


async def test_a_report_on_a_forwarded_text_is_nobodys_receipt(smg: Smg) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        await smg.deliver(replace(report(), report_type=1))
        await until(lambda: smg.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert receipt.keys == ("",)


async def test_what_is_not_safe_is_answered_busy_and_taken_when_it_comes_again(smg: Smg) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        intake.safe = False
        await smg.deliver(report())
        await until(lambda: smg.acknowledged)
        intake.safe = True
        await smg.say(replace(report(), sequence=pdus.Sequence(GATEWAY, 1108104300, 2)))
        await until(lambda: len(intake.arrivals) == 2)
    assert smg.acknowledged == [11]


async def test_what_is_resent_after_a_broken_connection_is_taken_once(smg: Smg) -> None:
    text = replace(text_of(b"T", 0), sequence=pdus.Sequence(GATEWAY, 1108104300, 77))
    async with bound(smg) as (_, intake):
        intake.safe = None
        await smg.call()
        await smg.say(text)
        await until(lambda: intake.waiting)
        smg.calls[0].abort()
        await smg.calls[0].closed.wait()
        await smg.call()
        await smg.say(text)
        await smg.deliver(report())
        await until(lambda: len(intake.waiting) == 2)
        for done in intake.waiting:
            done(True)
        await until(lambda: smg.acknowledged)
        await smg.say(text)
        await until(lambda: any(isinstance(event, PeerFault) for event in smg.called))  # the answer to what was said, not asked
    assert [type(arrival) for arrival in intake.arrivals] == [InboundPart, Receipt]


TEXTS = [
    ("UCS-2", 8, "退订".encode("utf-16-be"), "退订"),
    ("GBK", 15, "退订".encode("gbk"), "退订"),
    ("ASCII", 0, b"TD", "TD"),
]


@pytest.mark.parametrize(("name", "coding", "octets", "text"), TEXTS, ids=[case[0] for case in TEXTS])
async def test_a_text_of_a_phone_is_read(smg: Smg, name: str, coding: int, octets: bytes, text: str) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        await smg.deliver(text_of(octets, coding))
        await until(lambda: smg.acknowledged)
    (part,) = intake.arrivals
    assert isinstance(part, InboundPart)
    assert (part.text, part.sender, part.recipient, part.parts) == (text, f"+{NUMBER}", "10690000123", 1)


async def test_the_parts_of_a_long_text_of_a_phone_carry_their_places(smg: Smg) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        await smg.deliver(*(text_of(udh.build(7, 2, part) + "好".encode("utf-16-be"), tp_udhi=1) for part in (2, 1)))
        await until(lambda: len(smg.acknowledged) == 2)
    found = [(arrival.part, arrival.parts, arrival.reference) for arrival in intake.arrivals if isinstance(arrival, InboundPart)]
    assert found == [(2, 2, 7), (1, 2, 7)]


async def test_news_of_a_subscription_are_acknowledged_and_logged(smg: Smg) -> None:
    async with bound(smg) as (_, intake):
        await smg.call()
        with capture_logs() as lines:
            await smg.deliver(pdus.UserRpt(sp_number="10690000123", user_number=NUMBER, user_condition=1), text_of(b"T", 0))
            await until(lambda: len(smg.acknowledged) == 2)
    assert [type(arrival) for arrival in intake.arrivals] == [InboundPart]
    assert [(line["event"], line["state"]) for line in lines] == [("subscription changed", 1)]
