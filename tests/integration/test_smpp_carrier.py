"""The SMPP carrier against the server session over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.domain.submissions import Answer, AnswerResult, Arrival, InboundPart, Receipt, ReceiptState
from yanshu.protocols.events import Answered, BindRequested, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Tag
from yanshu.protocols.smpp.smsc import SmscSession
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.link import Address, Link, listen
from yanshu.text import segments

R = AnswerResult
NOW = datetime(2026, 1, 1, tzinfo=UTC)


Reaction = Callable[["Smsc", Link, pdus.SubmitSm], None]


def accept(smsc: "Smsc", link: Link, pdu: pdus.SubmitSm) -> None:
    smsc.session(link).answer(pdu, message_id=f"id{len(smsc.submits)}")


def refuse(status: int) -> Reaction:
    return lambda smsc, link, pdu: smsc.session(link).answer(pdu, status)


def ignore(smsc: "Smsc", link: Link, pdu: pdus.SubmitSm) -> None:
    return


def drop(smsc: "Smsc", link: Link, pdu: pdus.SubmitSm) -> None:
    link.abort()


class Smsc:
    """Accepts binds with password ``secret``; `answer` decides what becomes of submits."""

    def __init__(self) -> None:
        self.answer: Reaction = accept
        self.bind_status = 0
        self.binds: list[pdus.Bind] = []
        self.submits: list[pdus.SubmitSm] = []
        self.events: list[Any] = []
        self.links: list[Link] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, tls: Any = None, port: int = 0) -> None:
        self._server = await listen(Address("127.0.0.1", port, tls), self._make_link)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        connected = [link for link in self.links if link.is_writable]  # not those whose TLS handshake failed
        for link in connected:
            link.abort()
        for link in connected:
            await link.closed.wait()
        await self._server.wait_closed()

    def session(self, link: Link) -> SmscSession[Any]:
        assert isinstance(link.session, SmscSession)
        return link.session

    def bound(self, kind: type[pdus.Bind] = pdus.BindTransceiver) -> Link:
        """The newest link that is bound as `kind`."""
        return next(link for link in reversed(self.links) if self.session(link).is_bound and isinstance(self.session(link).bound_as, kind))

    def deliver(self, *messages: pdus.DeliverSm, kind: type[pdus.Bind] = pdus.BindTransceiver) -> None:
        link = self.bound(kind)
        self.session(link).deliver([(codec.body(pdu), index) for index, pdu in enumerate(messages)], link.now())
        link.flush_soon()

    def _make_link(self) -> Link:
        session: SmscSession[Any] = SmscSession(100, Timers(probe_seconds=0))
        link = Link(session, lambda events: self._take(link, events))
        self.links.append(link)
        return link

    def _take(self, link: Link, events: list[Any]) -> None:
        self.events.extend(events)
        for event in events:
            if isinstance(event, BindRequested):
                self._judge(link, event.pdu)
            elif isinstance(event, Requested) and isinstance(event.pdu, pdus.SubmitSm):
                self.submits.append(event.pdu)
                self.answer(self, link, event.pdu)

    def _judge(self, link: Link, pdu: pdus.Bind) -> None:
        self.binds.append(pdu)
        if self.bind_status or pdu.password != "secret":
            self.session(link).refuse_bind(self.bind_status or 0x0E)
        else:
            self.session(link).accept_bind("SMSC")


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Poll a condition; fail when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


class Recorder:
    """An intake that remembers; `safe` is what it answers to arrivals, None keeps the carrier waiting."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.bursts: list[list[Arrival]] = []
        self.states: list[LinkState] = []
        self.details: list[str] = []
        self.opened = 0
        self.safe: bool | None = True
        self.waiting: list[Callable[[bool], None]] = []

    def answered(self, answers: Sequence[Answer]) -> None:
        self.answers.extend(answers)

    def arrived(self, arrivals: Sequence[Arrival], done: Callable[[bool], None]) -> None:
        self.bursts.append(list(arrivals))
        if self.safe is None:
            self.waiting.append(done)
        else:
            done(self.safe)

    def link_changed(self, connector_id: str, state: LinkState, detail: str) -> None:
        self.states.append(state)
        self.details.append(detail)

    def window_opened(self, connector_id: str) -> None:
        self.opened += 1

    @property
    def results(self) -> list[AnswerResult]:
        return [answer.result for answer in self.answers]

    @property
    def arrivals(self) -> list[Arrival]:
        return [arrival for burst in self.bursts for arrival in burst]


def connector(port: int, settings: dict[str, Any] | None = None, **fields: Any) -> Connector:
    values: dict[str, Any] = {
        "id": "con_1",
        "name": "a",
        "protocol": "smpp",
        "host": "127.0.0.1",
        "port": port,
        "settings": {"system_id": "yanshu", **(settings or {})},
        "secret": "",
        "sender": "10690000123",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Connector(**{**values, **fields})


def message(ident: str = "msg_1", text: str = "您的验证码是123456", **fields: Any) -> Message:
    count = segments.count(text, mainland=True)
    values: dict[str, Any] = {
        "id": ident,
        "workspace_id": "ws_1",
        "livemode": False,
        "lane": Lane.OTP,
        "recipient": "+8613800138000",
        "sender": "10690000123",
        "text": text,
        "encoding": Encoding(count.encoding),
        "units": count.units,
        "segments": count.segments,
        "status": Status.SUBMITTING,
        "created_at": NOW,
        "updated_at": NOW,
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        "due_at": None,
        "attempts": 1,
    }
    return Message(**{**values, **fields})


@asynccontextmanager
async def bound(smsc: Smsc, settings: dict[str, Any] | None = None, **fields: Any) -> AsyncIterator[tuple[SessionCarrier, Recorder]]:
    """A carrier that is up, and stopped afterwards."""
    intake = Recorder()
    carrier = smpp_carrier(connector(smsc.port, settings, **fields), "secret", intake, SystemClock())
    task = asyncio.create_task(carrier.run())
    try:
        await until(lambda: carrier.state is LinkState.UP)
        yield carrier, intake
    finally:
        await carrier.stop(1.0)
        await task


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    server = Smsc()
    await server.start()
    yield server
    await server.stop()


def mo(text: str, **fields: Any) -> pdus.DeliverSm:
    values: dict[str, Any] = {
        "source_addr": "8613800138000",
        "destination_addr": "10690000123",
        "data_coding": 8,
        "short_message": text.encode("utf-16-be"),
    }
    return pdus.DeliverSm(**{**values, **fields})


def receipt(ident: str, stat: str = "DELIVRD") -> pdus.DeliverSm:
    text = f"id:{ident} sub:001 dlvrd:001 submit date:2601010800 done date:2601010801 stat:{stat} err:000 text:"
    return mo("", esm_class=4, data_coding=0, short_message=text.encode())


async def test_a_submit_is_answered_with_the_carriers_id(smsc: Smsc) -> None:
    async with bound(smsc) as (carrier, intake):
        assert carrier.free() == 16
        carrier.submit([message()])
        await until(lambda: intake.answers)
        answer = intake.answers[0]
        assert (answer.message_id, answer.attempt, answer.segment, answer.total) == ("msg_1", 1, 1, 1)
        assert (answer.result, answer.carrier_message_id, answer.code) == (R.ACCEPTED, "id1", "0x00000000")
        await until(lambda: intake.opened)
    sent = smsc.submits[0]
    assert (sent.source_addr, sent.destination_addr, sent.registered_delivery, sent.data_coding) == ("10690000123", "8613800138000", 1, 8)
    assert sent.short_message.decode("utf-16-be") == "您的验证码是123456"
    assert intake.states == [LinkState.CONNECTING, LinkState.UP, LinkState.DRAINING, LinkState.DOWN]


async def test_every_segment_of_a_long_text_is_answered(smsc: Smsc) -> None:
    async with bound(smsc, window=2) as (carrier, intake):
        carrier.submit([message(text="长" * 300)])
        assert carrier.free() == 0
        await until(lambda: len(intake.answers) == 5)
    assert [(a.segment, a.total) for a in intake.answers] == [(part, 5) for part in range(1, 6)]
    assert all(pdu.esm_class == 0x40 for pdu in smsc.submits)


async def test_receipts_and_texts_are_acknowledged_only_when_safe(smsc: Smsc) -> None:
    async with bound(smsc) as (_, intake):
        intake.safe = None
        smsc.deliver(receipt("id1"), mo("退订"))
        await until(lambda: len(intake.arrivals) == 2)
        first, second = intake.arrivals
        assert isinstance(first, Receipt)
        assert (first.keys, first.state, first.recipient) == (("id1",), ReceiptState.DELIVERED, "+8613800138000")
        assert first.done_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
        assert isinstance(second, InboundPart)
        assert (second.sender, second.recipient, second.text, second.parts) == ("+8613800138000", "10690000123", "退订", 1)
        assert not [e for e in smsc.events if isinstance(e, Answered)]
        for done in intake.waiting:
            done(True)
        await until(lambda: [e.status for e in smsc.events if isinstance(e, Answered)] == [0, 0])


async def test_what_could_not_be_stored_is_refused_so_that_it_comes_again(smsc: Smsc) -> None:
    async with bound(smsc) as (_, intake):
        intake.safe = False
        smsc.deliver(mo("hi"))
        await until(lambda: [e.status for e in smsc.events if isinstance(e, Answered)] == [8])


async def test_a_burst_of_deliveries_is_one_call(smsc: Smsc) -> None:
    async with bound(smsc) as (_, intake):
        smsc.deliver(*(receipt(f"id{n}") for n in range(50)))
        await until(lambda: len(intake.arrivals) == 50)
        assert len(intake.bursts) < 10
        assert len({arrival.id for arrival in intake.arrivals}) == 50


async def test_throttling_pauses_the_link_and_then_it_goes_on(smsc: Smsc) -> None:
    async with bound(smsc) as (carrier, intake):
        smsc.answer = refuse(0x58)
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.answers[0].result, intake.answers[0].code) == (R.THROTTLED, "0x00000058")
        assert carrier.state is LinkState.THROTTLED
        assert carrier.free() == 0
        await until(lambda: carrier.state is LinkState.UP)
        await until(lambda: carrier.free() > 0 and intake.opened)
        smsc.answer = accept
        carrier.submit([message("msg_2")])
        await until(lambda: intake.results == [R.THROTTLED, R.ACCEPTED])


REFUSALS: list[tuple[str, int, dict[str, Any], AnswerResult]] = [
    ("a bad recipient is final", 0x0B, {}, R.REFUSED),
    ("a system error is worth another try", 0x08, {}, R.BUSY),
    ("a vendor's status is worth another try", 0x401, {}, R.BUSY),
    ("a vendor's status means what the connector says", 0x401, {"status_overrides": {"0x00000401": "refused"}}, R.REFUSED),
]


@pytest.mark.parametrize(("name", "status", "settings", "result"), REFUSALS, ids=[case[0] for case in REFUSALS])
async def test_a_status_becomes_an_answer(smsc: Smsc, name: str, status: int, settings: dict[str, Any], result: AnswerResult) -> None:
    smsc.answer = refuse(status)
    async with bound(smsc, settings) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
        assert (intake.answers[0].result, intake.answers[0].code) == (result, f"0x{status:08x}")


NACKS = [
    ("a command it does not know", 0x03, R.BUSY),
    ("no reason at all", 0x00, R.BUSY),
    ("what a response would make final", 0x0B, R.BUSY),
    ("too fast", 0x58, R.THROTTLED),
    ("a full queue", 0x14, R.THROTTLED),
]


@pytest.mark.parametrize(("name", "status", "result"), NACKS, ids=[case[0] for case in NACKS])
async def test_a_generic_nack_is_worth_another_try(smsc: Smsc, name: str, status: int, result: AnswerResult) -> None:
    def nack(server: Smsc, link: Any, pdu: pdus.SubmitSm) -> None:
        server.session(link).send(pdus.GenericNack(command_status=status, sequence_number=pdu.sequence_number))

    smsc.answer = nack
    async with bound(smsc) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.results == [result])
        assert (carrier.state is LinkState.THROTTLED) == (result is R.THROTTLED)


async def test_a_submit_without_an_answer_frees_its_permit_and_a_late_answer_still_counts(smsc: Smsc) -> None:
    smsc.answer = ignore
    async with bound(smsc, {"response_timeout_seconds": 0.2}, window=1) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.results == [R.UNANSWERED])
        assert carrier.free() == 1
        link = smsc.bound()
        smsc.session(link).answer(smsc.submits[0], message_id="late")
        link.flush_soon()
        await until(lambda: intake.results == [R.UNANSWERED, R.ACCEPTED])
        assert intake.answers[1].carrier_message_id == "late"


async def test_a_dropped_link_leaves_the_written_unanswered_and_the_rest_unsent(smsc: Smsc) -> None:
    smsc.answer = drop
    async with bound(smsc, window=2) as (carrier, intake):
        carrier.submit([message(f"msg_{n}") for n in range(5)])
        await until(lambda: len(intake.answers) == 5)
        assert sorted(intake.results) == [R.UNANSWERED] * 2 + [R.UNSENT] * 3
        smsc.answer = accept
        await until(lambda: carrier.state is LinkState.UP)
        carrier.submit([message("again")])
        await until(lambda: intake.results[-1] is R.ACCEPTED)


@pytest.mark.parametrize("refusals", [0, 5], ids=["back before the pause is over", "back long after the pause"])
async def test_the_rest_of_a_long_text_follows_as_soon_as_the_link_is_back(smsc: Smsc, refusals: int) -> None:
    def take_one(server: Smsc, link: Link, pdu: pdus.SubmitSm) -> None:
        (accept if len(server.submits) == 1 else refuse(0x58))(server, link, pdu)

    smsc.answer = take_one
    # "Already bound" makes the carrier come back after about enquire_link_seconds, so the number of refusals is a time.
    async with bound(smsc, {"enquire_link_seconds": 0.5}) as (carrier, intake):
        carrier.submit([message(text="长" * 250)])
        await until(lambda: carrier.state is LinkState.THROTTLED and intake.results == [R.ACCEPTED])
        smsc.answer = accept
        smsc.bind_status = 0x05 if refusals else 0
        smsc.bound().abort()
        await until(lambda: len(smsc.binds) > refusals, 30)
        smsc.bind_status = 0
        await until(lambda: len(intake.answers) == 4, 30)
    assert [(answer.segment, answer.result) for answer in intake.answers] == [(part, R.ACCEPTED) for part in range(1, 5)]


async def test_what_is_given_to_a_link_that_is_down_is_unsent() -> None:
    intake = Recorder()
    carrier = smpp_carrier(connector(1), "secret", intake, SystemClock())
    assert carrier.free() == 0
    carrier.submit([message()])
    assert intake.results == [R.UNSENT]


async def test_a_text_that_no_pdu_can_carry_is_refused(smsc: Smsc) -> None:
    async with bound(smsc) as (carrier, intake):
        carrier.submit([message(sender="x" * 30), message("msg_2")])
        await until(lambda: len(intake.answers) == 2)
        assert intake.results == [R.REFUSED, R.ACCEPTED]


SHAPES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("plain", {}, {"destination_addr": "8613800138000", "source_addr_npi": 1, "dest_addr_ton": 1, "validity_period": "", "tlvs": {}}),
    ("with the plus", {"keep_plus": True}, {"destination_addr": "+8613800138000"}),
    (
        "types and plans",
        {"source_ton": 5, "source_npi": 0, "dest_ton": 2, "dest_npi": 8},
        {"source_addr_ton": 5, "dest_addr_ton": 2, "dest_addr_npi": 8},
    ),
    ("a service", {"service_type": "OTP"}, {"service_type": "OTP"}),
    ("parameters of the carrier's own", {"extra_tlvs": {"0x1400": "0aff"}}, {"tlvs": {0x1400: b"\x0a\xff"}}),
]


@pytest.mark.parametrize(("name", "settings", "expected"), SHAPES, ids=[case[0] for case in SHAPES])
async def test_a_submit_is_shaped_by_the_settings(smsc: Smsc, name: str, settings: dict[str, Any], expected: dict[str, Any]) -> None:
    async with bound(smsc, settings) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.answers)
    assert {key: getattr(smsc.submits[0], key) for key in expected} == expected


async def test_the_remaining_life_of_a_message_is_sent_when_asked_for(smsc: Smsc) -> None:
    async with bound(smsc, {"validity": True}) as (carrier, intake):
        carrier.submit([message(expires_at=datetime.now(UTC) + timedelta(minutes=5, seconds=30))])
        await until(lambda: intake.answers)
    assert smsc.submits[0].validity_period.startswith("0000000005")
    assert smsc.submits[0].validity_period.endswith("000R")


async def test_messages_without_a_sender_carry_the_connectors(smsc: Smsc) -> None:
    async with bound(smsc) as (carrier, intake):
        carrier.submit([message(sender="")])
        await until(lambda: intake.answers)
    assert smsc.submits[0].source_addr == "10690000123"


BIND_REFUSALS = [
    ("a wrong password blocks the link", 0x0E, LinkState.BLOCKED, "ESME_RINVPASWD"),
    ("an unknown system_id blocks the link", 0x0F, LinkState.BLOCKED, "ESME_RINVSYSID"),
    ("already bound means to wait", 0x05, LinkState.DOWN, "ESME_RALYBND"),
    ("a system error means to wait", 0x08, LinkState.DOWN, "ESME_RSYSERR"),
]


@pytest.mark.parametrize(("name", "status", "state", "detail"), BIND_REFUSALS, ids=[case[0] for case in BIND_REFUSALS])
async def test_a_refused_bind_is_explained(smsc: Smsc, name: str, status: int, state: LinkState, detail: str) -> None:
    smsc.bind_status = status
    intake = Recorder()
    carrier = smpp_carrier(connector(smsc.port), "secret", intake, SystemClock())
    task = asyncio.create_task(carrier.run())
    await until(lambda: len(intake.states) >= 2)
    assert carrier.state is state
    assert detail in intake.details[-1]
    await carrier.stop(1.0)
    await task


async def test_two_binds_send_over_one_and_receive_over_the_other(smsc: Smsc) -> None:
    async with bound(smsc, {"bind": "transmitter_receiver"}) as (carrier, intake):
        assert {type(bind) for bind in smsc.binds} == {pdus.BindTransmitter, pdus.BindReceiver}
        carrier.submit([message()])
        await until(lambda: intake.results == [R.ACCEPTED])
        smsc.deliver(mo("hi"), kind=pdus.BindReceiver)
        await until(lambda: intake.arrivals)


async def test_the_throughput_limit_holds(smsc: Smsc) -> None:
    loop = asyncio.get_running_loop()
    async with bound(smsc, window=16, throughput=20) as (carrier, intake):
        assert carrier.free() == 1
        started = loop.time()
        carrier.submit([message(f"a{n}") for n in range(15)])
        assert carrier.free() == 0
        await until(lambda: len(intake.answers) == 15)
        assert loop.time() - started >= 14 / 20
        opened = intake.opened
        await until(lambda: intake.opened > opened)
        assert carrier.free() == 1


async def test_whatever_the_carrier_does_every_segment_ends_exactly_once(smsc: Smsc) -> None:
    reactions = [accept, accept, accept, accept, refuse(0x08), refuse(0x0B), refuse(0x401), ignore]

    def moody(server: Smsc, link: Link, pdu: pdus.SubmitSm) -> None:
        count = len(server.submits)
        if count == 97:
            link.abort()
        else:
            reactions[count * 7 % len(reactions)](server, link, pdu)

    smsc.answer = moody
    given = 0
    async with bound(smsc, {"response_timeout_seconds": 0.3}, window=32) as (carrier, intake):
        while given < 300:
            await until(lambda: carrier.free() > 0, 10)
            carrier.submit([message(f"msg_{given + n}", text="长" * (1 + 60 * n)) for n in range(4)])
            given += 4
        total = given // 4 * (1 + 1 + 2 + 3)
        await until(lambda: len(intake.answers) >= total, 10)
    ended = [(answer.message_id, answer.segment) for answer in intake.answers]
    assert len(ended) == len(set(ended)) == total
    assert {R.ACCEPTED, R.BUSY, R.REFUSED, R.UNANSWERED} <= set(intake.results)


async def test_garbage_from_the_carrier_ends_the_link_and_nothing_is_lost(smsc: Smsc) -> None:
    def babble(server: Smsc, link: Any, pdu: pdus.SubmitSm) -> None:
        server.session(link).send_octets(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    smsc.answer = babble
    async with bound(smsc) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.results == [R.UNANSWERED])
        smsc.answer = accept
        await until(lambda: carrier.state is LinkState.UP)


async def test_a_long_reply_comes_in_parts(smsc: Smsc) -> None:
    parts = [
        mo("", esm_class=0x40, short_message=bytes((5, 0, 3, 9, 2, part)) + text.encode("utf-16-be"))
        for part, text in ((2, "二"), (1, "一"))
    ]
    sar = {int(Tag.SAR_MSG_REF_NUM): b"\x01\x02", int(Tag.SAR_TOTAL_SEGMENTS): b"\x02", int(Tag.SAR_SEGMENT_SEQNUM): b"\x01"}
    async with bound(smsc) as (_, intake):
        smsc.deliver(*parts, mo("三", tlvs=sar))
        await until(lambda: len(intake.arrivals) == 3)
    found = [(a.text, a.part, a.parts, a.reference) for a in intake.arrivals if isinstance(a, InboundPart)]
    assert found == [("二", 2, 2, 9), ("一", 1, 2, 9), ("三", 1, 2, 0x102)]


async def test_stopping_waits_for_answers(smsc: Smsc) -> None:
    smsc.answer = ignore
    async with bound(smsc) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: smsc.submits)
        stopping = asyncio.create_task(carrier.stop(5.0))
        await until(lambda: carrier.state is LinkState.DRAINING)
        link = smsc.bound()
        smsc.session(link).answer(smsc.submits[0], message_id="last")
        link.flush_soon()
        await stopping
        assert intake.results == [R.ACCEPTED]
