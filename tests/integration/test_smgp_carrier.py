"""The SMGP carrier over real sockets, against a gateway that does as it is told: no simulator, no store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tests.integration.test_smpp_carrier import Recorder, message, until
from tests.integration.test_smpp_carrier import connector as any_connector
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.smgp.dialect import smgp_carrier
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.submissions import AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.ports.clock import Clock
from yanshu.protocols.events import Answered, BindRequested, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smgp import pdus, reports
from yanshu.protocols.smgp.constants import LoginMode, Status, Tag
from yanshu.protocols.smgp.smgw import SmgwSession
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.link import Address, Link, listen
from yanshu.text import udh

R = AnswerResult
SECRET = "s3cr3t!"
NUMBER = "13800138000"
FIRST_ID = 0x01006111081041000678
Reaction = Callable[["Smgw", Link, pdus.Submit], None]


def ident(place: int = 0) -> str:
    """The id that the gateway gives to the submit in this place."""
    return f"{FIRST_ID + place:020x}"


def accept(smgw: "Smgw", link: Link, pdu: pdus.Submit) -> None:
    smgw.session(link).answer(pdu, msg_id=ident(len(smgw.submits) - 1))


def refuse(status: int) -> Reaction:
    return lambda smgw, link, pdu: smgw.session(link).answer(pdu, status)


def ignore(smgw: "Smgw", link: Link, pdu: pdus.Submit) -> None:
    return


def drop(smgw: "Smgw", link: Link, pdu: pdus.Submit) -> None:
    link.abort()


class Smgw:
    """A gateway; `answer` decides what becomes of submits, `login_status` of logins with the right secret."""

    def __init__(self) -> None:
        self.answer: Reaction = accept
        self.login_status = Status.OK
        self.knows_the_secret = True
        self.logins: list[pdus.Login] = []
        self.submits: list[pdus.Submit] = []
        self.acknowledged: list[int] = []
        self.links: list[Link] = []
        self.modes: dict[Link, int] = {}
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

    def session(self, link: Link) -> SmgwSession[Any]:
        assert isinstance(link.session, SmgwSession)
        return link.session

    def bound(self) -> Link:
        """The newest link that takes deliveries."""
        return next(link for link in reversed(self.links) if self.session(link).is_bound and self.modes[link] != LoginMode.SEND)

    def deliver(self, *deliveries: pdus.Deliver) -> None:
        link = self.bound()
        self.session(link).deliver([(pdu, index) for index, pdu in enumerate(deliveries)], link.now())
        link.flush_soon()

    def _make_link(self) -> Link:
        link = Link(SmgwSession(16, Timers(probe_seconds=0)), lambda events: self._take(link, events))
        self.links.append(link)
        return link

    def _take(self, link: Link, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, BindRequested):
                self._judge(link, event.pdu)
            elif isinstance(event, Requested):
                self.submits.append(event.pdu)
                self.answer(self, link, event.pdu)
            elif isinstance(event, Answered):
                self.acknowledged.append(event.status)

    def _judge(self, link: Link, pdu: pdus.Login) -> None:
        self.logins.append(pdu)
        self.modes[link] = pdu.login_mode
        session = self.session(link)
        if not session.proves(pdu, SECRET):
            session.refuse(Status.AUTHENTICATION)
        elif self.login_status:
            session.refuse(self.login_status)
        else:
            session.accept(SECRET if self.knows_the_secret else "another")


class Jumping(SystemClock):
    """A clock that is put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def connector(port: int, settings: dict[str, Any]) -> Connector:
    return replace(any_connector(port), protocol="smgp", settings={"client_id": "10690123", **settings})


@asynccontextmanager
async def running(
    smgw: Smgw, secret: str = SECRET, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    """A carrier that runs, and is stopped afterwards."""
    intake = Recorder()
    carrier = smgp_carrier(connector(smgw.port, settings), secret, intake, clock or SystemClock())
    task = asyncio.create_task(carrier.run())
    try:
        yield carrier, intake
    finally:
        await carrier.stop(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def bound(smgw: Smgw, clock: Clock | None = None, **settings: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    async with running(smgw, SECRET, clock, **settings) as (carrier, intake):
        await until(lambda: carrier.state is LinkState.UP)
        yield carrier, intake


@pytest.fixture
async def smgw() -> AsyncIterator[Smgw]:
    server = Smgw()
    await server.start()
    yield server
    await server.stop()


def report(stat: str, msg_id: str, err: str = "000") -> pdus.Deliver:
    content = reports.build(reports.Report(msg_id, "001", "001", "2311081041", "2311081043", stat, err, "005hello"))
    return delivered(content)


def delivered(content: bytes) -> pdus.Deliver:
    """A report with this content."""
    return pdus.Deliver(msg_id="01006111081043000002", is_report=1, src_term_id=NUMBER, dest_term_id="10690000123", msg_content=content)


# --- logins ---


async def test_a_login_says_who_we_are_and_what_for(smgw: Smgw) -> None:
    async with bound(smgw):
        pass
    (login,) = smgw.logins
    assert (login.client_id, login.login_mode, login.client_version) == ("10690123", LoginMode.BOTH, 0x30)


async def test_a_gateway_that_wants_two_logins_gets_one_to_send_and_one_to_receive(smgw: Smgw) -> None:
    async with bound(smgw, login="send_receive") as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        smgw.deliver(report("DELIVRD", ident()))
        await until(lambda: smgw.acknowledged)
    assert sorted(login.login_mode for login in smgw.logins) == [LoginMode.SEND, LoginMode.RECEIVE]
    assert (intake.results, len(intake.arrivals)) == ([R.ACCEPTED], 1)


async def test_a_wrong_secret_blocks_the_link_and_is_not_tried_again_at_once(smgw: Smgw) -> None:
    async with running(smgw, secret="another") as (carrier, intake):
        await until(lambda: carrier.state is LinkState.BLOCKED)
        await asyncio.sleep(0.2)
    assert len(smgw.logins) == 1
    assert any("refuses client_id and password" in detail for detail in intake.details)


async def test_a_gateway_whose_digest_is_wrong_is_used_all_the_same(smgw: Smgw) -> None:
    smgw.knows_the_secret = False
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert intake.results == [R.ACCEPTED]


REFUSALS = [
    ("an address that is not on its list", Status.ADDRESS, LinkState.BLOCKED, "does not allow our address"),
    ("a version too high", Status.VERSION_TOO_HIGH, LinkState.BLOCKED, "set client_version"),
    ("a contract that has run out", Status.ACCOUNT_EXPIRED, LinkState.BLOCKED, "has expired"),
    ("too many connections", Status.TOO_MANY_CONNECTIONS, LinkState.DOWN, "too many connections"),
    ("a system that is busy", Status.BUSY, LinkState.DOWN, "status 1"),
]


@pytest.mark.parametrize(("name", "status", "state", "words"), REFUSALS, ids=[case[0] for case in REFUSALS])
async def test_a_refused_login_says_why(smgw: Smgw, name: str, status: Status, state: LinkState, words: str) -> None:
    smgw.login_status = status
    async with running(smgw) as (_, intake):
        await until(lambda: any(words in detail for detail in intake.details))
        assert intake.states[-1] is state


# --- submits ---


async def test_a_text_is_submitted_with_what_the_connector_says_and_answered_with_its_id(smgw: Smgw) -> None:
    async with bound(smgw, service_id="YANSHU", msg_src="901234", m_service_id="1234", priority=2, number_prefix="86") as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    (answer,) = intake.answers
    assert (answer.result, answer.carrier_message_id, answer.code) == (R.ACCEPTED, ident(), "0")
    (pdu,) = smgw.submits
    assert (pdu.msg_type, pdu.need_report, pdu.priority, pdu.service_id) == (6, 1, 2, "YANSHU")
    assert (pdu.src_term_id, pdu.dest_term_ids, pdu.msg_format) == ("10690000123", (f"86{NUMBER}",), 15)
    assert pdu.msg_content.decode("gb18030") == "您的验证码是123456"
    assert pdu.tlvs == {Tag.MSG_SRC: b"901234\0\0", Tag.M_SERVICE_ID: b"1234" + bytes(17)}


@pytest.mark.parametrize("udh_size", [6, 7], ids=["an octet for the reference", "two octets for the reference"])
async def test_the_segments_of_a_long_text_are_joined_and_numbered(smgw: Smgw, udh_size: int) -> None:
    text = "长" * 100
    async with bound(smgw, long_text="udh8" if udh_size == 6 else "udh16") as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: len(intake.answers) == 2)
    places = [{Tag.TP_UDHI: b"\x01", Tag.PK_TOTAL: b"\x02", Tag.PK_NUMBER: bytes((part,))} for part in (1, 2)]
    assert [pdu.tlvs for pdu in smgw.submits] == places
    heads = [udh.parse(pdu.msg_content) for pdu in smgw.submits]
    assert [(head.part, head.total) for head, _ in heads if head] == [(1, 2), (2, 2)]
    assert all(len(pdu.msg_content) - len(octets) == udh_size for pdu, (_, octets) in zip(smgw.submits, heads, strict=True))
    assert "".join(octets.decode("gb18030") for _, octets in heads) == text


FORMS = [("what GBK has", "gbk", "您好", 15), ("what it lacks", "gbk", "您好😀", 8), ("UCS-2 for all", "ucs2", "您好", 8)]


@pytest.mark.parametrize(("name", "text_format", "text", "form"), FORMS, ids=[case[0] for case in FORMS])
async def test_a_text_travels_in_the_format_of_the_connector(smgw: Smgw, name: str, text_format: str, text: str, form: int) -> None:
    async with bound(smgw, text_format=text_format) as (carrier, intake):
        carrier.submit([message(text=text)])
        await until(lambda: intake.answers)
    assert smgw.submits[0].msg_format == form
    assert smgw.submits[0].msg_content.decode("gb18030" if form == 15 else "utf-16-be") == text


async def test_a_text_to_many_is_encoded_once_and_goes_to_each(smgw: Smgw) -> None:
    numbers = [f"+861380013{n:04}" for n in range(16)]
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message(f"msg_{number}", recipient=number) for number in numbers])
        await until(lambda: len(intake.answers) == len(numbers))
    assert [pdu.dest_term_ids for pdu in smgw.submits] == [(number.removeprefix("+86"),) for number in numbers]
    assert len({pdu.msg_content for pdu in smgw.submits}) == 1


async def test_a_number_that_does_not_fit_is_refused_and_the_others_go(smgw: Smgw) -> None:
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message("msg_1", recipient="+" + "1" * 22), message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
    assert intake.results == [R.REFUSED, R.ACCEPTED]
    assert (intake.answers[0].code or "").startswith("local:")


RESULTS = [
    ("busy, which is what it has for too fast", Status.BUSY, R.THROTTLED, "1"),
    ("a wrong sender", Status.SRC_TERM_ID, R.REFUSED, "46"),
    ("a number it does not reach", Status.NO_ROUTE, R.BUSY, "39"),
    ("a status of its own", 130, R.BUSY, "130"),
]


@pytest.mark.parametrize(("name", "status", "meaning", "code"), RESULTS, ids=[case[0] for case in RESULTS])
async def test_a_status_is_told_in_our_words(smgw: Smgw, name: str, status: int, meaning: R, code: str) -> None:
    smgw.answer = refuse(status)
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.results, intake.answers[0].code) == ([meaning], code)
        assert (carrier.state is LinkState.THROTTLED) is (meaning is R.THROTTLED)


async def test_an_over_speed_status_of_the_carriers_own_can_be_named(smgw: Smgw) -> None:
    smgw.answer = refuse(130)
    async with bound(smgw, status_overrides={"130": "throttled"}) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.results, carrier.state) == ([R.THROTTLED], LinkState.THROTTLED)


STOPS = [("forbidden hours", 74), ("over the daily volume", 75), ("an expired account", 76)]


@pytest.mark.parametrize(("name", "status"), STOPS, ids=[case[0] for case in STOPS])
async def test_a_carrier_that_takes_nothing_for_hours_stops_the_link_and_keeps_nothing(smgw: Smgw, name: str, status: int) -> None:
    smgw.answer = refuse(status)
    clock = Jumping()
    async with bound(smgw, clock) as (carrier, intake):
        carrier.submit([message(f"msg_{n}") for n in range(20)] + [message("msg_long", "长" * 100)])
        await until(lambda: len(intake.answers) == 22)
        assert set(intake.results) == {R.THROTTLED, R.UNSENT}
        assert (carrier.state, carrier.outstanding, carrier.free()) == (LinkState.BLOCKED, 0, 0)
        assert f"takes nothing for now (code {status})" in intake.details[-1]
        written = len(smgw.submits)
        carrier.submit([message("msg_late")])  # claimed before the carrier said so
        assert intake.results[-1] is R.UNSENT

        clock.ahead = 3700.0
        smgw.answer = accept
        smgw.bound().abort()
        await until(lambda: carrier.state is LinkState.UP)
        carrier.submit([message("msg_again")])
        await until(lambda: intake.results[-1] is R.ACCEPTED)
    assert len(smgw.submits) == written + 1


async def test_the_rest_of_a_long_text_does_not_wait_for_a_carrier_that_stopped(smgw: Smgw) -> None:
    def take_one(server: Smgw, link: Link, pdu: pdus.Submit) -> None:
        (accept if len(server.submits) == 1 else refuse(Status.OVER_DAILY_VOLUME))(server, link, pdu)

    smgw.answer = take_one
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message(text="长" * 200)])
        await until(lambda: len(intake.answers) == 3)
    assert sorted(intake.results) == sorted([R.ACCEPTED, R.THROTTLED, R.THROTTLED])


# --- faults ---


async def test_what_was_on_the_wire_of_a_lost_connection_is_unanswered(smgw: Smgw) -> None:
    smgw.answer = drop
    async with bound(smgw) as (carrier, intake):
        carrier.submit([message("msg_1"), message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
    assert set(intake.results) == {R.UNANSWERED}
    assert len(smgw.submits) <= 2


async def test_a_gateway_that_falls_silent_is_left_and_its_submits_are_unanswered(smgw: Smgw) -> None:
    smgw.answer = ignore
    async with bound(smgw, active_test_seconds=0.05, active_test_misses=2, response_timeout_seconds=30) as (carrier, intake):
        transport = smgw.bound()._transport
        assert transport is not None
        transport.pause_reading()
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert intake.results == [R.UNANSWERED]
        await until(lambda: len(smgw.logins) == 2)
    assert any("the peer is silent" in detail for detail in intake.details)


# --- reports and texts ---

STATS = [
    ("delivered", "DELIVRD", "000", ReceiptState.DELIVERED, "000"),
    ("on its way", "ACCEPTD", "000", ReceiptState.ACCEPTED, "000"),
    ("not delivered", "UNDELIV", "006", ReceiptState.UNDELIVERABLE, "006"),
    ("a code of another network, and an error that tells nothing", "MA:0051", "999", ReceiptState.UNDELIVERABLE, "MA:0051"),
    ("a code nobody knows, and no error", "XX:9999", "", ReceiptState.UNKNOWN, "XX:9999"),
    ("a code nobody knows, and an error", "XX:9999", "705", ReceiptState.UNKNOWN, "705"),
]


@pytest.mark.parametrize(("name", "stat", "err", "state", "kept"), STATS, ids=[case[0] for case in STATS])
async def test_a_report_becomes_a_receipt(smgw: Smgw, name: str, stat: str, err: str, state: ReceiptState, kept: str) -> None:
    async with bound(smgw) as (_, intake):
        smgw.deliver(report(stat, ident(), err))
        await until(lambda: smgw.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.recipient) == ((ident().lstrip("0"),), f"+86{NUMBER}")
    assert (receipt.state, receipt.stat, receipt.err) == (state, stat, kept)
    assert receipt.done_at == datetime(2023, 11, 8, 2, 43, tzinfo=UTC)
    assert smgw.acknowledged == [0]


WRITTEN = [
    ("ten octets", bytes.fromhex(ident())),
    ("twenty digits", ident().encode()),
]


@pytest.mark.parametrize(("name", "octets"), WRITTEN, ids=[case[0] for case in WRITTEN])
async def test_an_id_in_bcd_or_in_ascii_hex_is_the_same_id(smgw: Smgw, name: str, octets: bytes) -> None:
    async with bound(smgw) as (_, intake):
        smgw.deliver(delivered(b"id:" + octets + b" sub:001 dlvrd:001 submit date:2311081041 done date:2311081043 stat:DELIVRD err:000"))
        await until(lambda: smgw.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.state) == ((ident().lstrip("0"),), ReceiptState.DELIVERED)


async def test_an_id_that_is_no_bcd_is_kept_as_its_octets(smgw: Smgw) -> None:
    async with bound(smgw) as (_, intake):
        smgw.deliver(report("DELIVRD", "6495c36ac4ea6b00000b"))
        await until(lambda: smgw.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert receipt.keys == ("6495c36ac4ea6b00000b",)


@pytest.mark.parametrize("content", [b"", b"\0junk", b"id:12345"], ids=["nothing", "junk", "an id cut short"])
async def test_a_report_that_cannot_be_read_is_kept_and_acknowledged(smgw: Smgw, content: bytes) -> None:
    async with bound(smgw) as (_, intake):
        smgw.deliver(delivered(content))
        await until(lambda: smgw.acknowledged)
    (receipt,) = intake.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.state) == (("",), ReceiptState.ACCEPTED)
    assert receipt.text == content.decode().replace("\0", "\ufffd")


async def test_what_is_not_safe_is_not_acknowledged_as_taken(smgw: Smgw) -> None:
    async with bound(smgw) as (_, intake):
        intake.safe = False
        smgw.deliver(report("DELIVRD", ident()))
        await until(lambda: smgw.acknowledged)
    assert smgw.acknowledged == [Status.BUSY]


async def test_a_text_of_a_phone_is_read(smgw: Smgw) -> None:
    async with bound(smgw) as (_, intake):
        smgw.deliver(
            pdus.Deliver(src_term_id=f"86{NUMBER}", dest_term_id="8610690000123", msg_format=15, msg_content="退订".encode("gb18030"))
        )
        await until(lambda: smgw.acknowledged)
    (part,) = intake.arrivals
    assert isinstance(part, InboundPart)
    assert (part.text, part.sender, part.recipient, part.parts) == ("退订", f"+86{NUMBER}", "10690000123", 1)


async def test_the_parts_of_a_long_text_of_a_phone_carry_their_places(smgw: Smgw) -> None:
    async with bound(smgw) as (_, intake):
        for part in (2, 1):
            content = udh.build(7, 2, part) + "好".encode("utf-16-be")
            smgw.deliver(pdus.Deliver(src_term_id=NUMBER, msg_format=8, msg_content=content, tlvs={Tag.TP_UDHI: b"\x01"}))
        await until(lambda: len(smgw.acknowledged) == 2)
    found = [
        (arrival.part, arrival.parts, arrival.reference, arrival.text) for arrival in intake.arrivals if isinstance(arrival, InboundPart)
    ]
    assert found == [(2, 2, 7, "好"), (1, 2, 7, "好")]
