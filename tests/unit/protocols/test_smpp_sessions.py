"""Both ends of an SMPP session, joined in memory, and each end against a peer that misbehaves."""

from typing import Any

import pytest

from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, BindRefused, BindRequested, Bound, Lost, PeerFault, Requested, TimedOut, Unbound
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Command
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.protocols.smpp.smsc import SmscSession

TIMERS = Timers(bind_timeout_seconds=5, response_timeout_seconds=2, probe_seconds=10, unbind_timeout_seconds=3)
BODY = codec.body(pdus.SubmitSm(destination_addr="8613800138000", short_message=b"hi"))
RECEIPT = codec.body(pdus.DeliverSm(source_addr="8613800138000", esm_class=4, short_message=b"id:1 stat:DELIVRD"))


def sent(session: EsmeSession[Any] | SmscSession[Any]) -> list[pdus.Pdu]:
    """What a session wrote, as PDUs."""
    data, found = session.data_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(codec.decode(data[:length]))
        data = data[length:]
    return found


def esme(bind: pdus.Bind | None = None, window: int = 4) -> EsmeSession[str]:
    """A client that is bound at time 0."""
    session: EsmeSession[str] = EsmeSession(bind or pdus.BindTransceiver(system_id="yanshu"), window, TIMERS)
    session.connected(0.0)
    (request,) = sent(session)
    session.receive_data(codec.encode(codec.response_to(request, system_id="SMSC")), 0.0)
    assert session.is_bound
    return session


def smsc(bind: pdus.Bind | None = None) -> SmscSession[str]:
    """A server whose client is bound at time 0."""
    session: SmscSession[str] = SmscSession(4, TIMERS)
    session.connected(0.0)
    session.receive_data(codec.encode(bind or pdus.BindTransceiver(sequence_number=1)), 0.0)
    session.accept_bind("SMSC")
    session.data_to_send()
    return session


def test_the_two_ends_understand_each_other() -> None:
    client: EsmeSession[str] = EsmeSession(pdus.BindTransceiver(system_id="yanshu", password="pw"), 4, TIMERS)
    server: SmscSession[str] = SmscSession(4, TIMERS)
    client.connected(0.0)
    server.connected(0.0)
    (asked,) = server.receive_data(client.data_to_send(), 0.1)
    assert isinstance(asked, BindRequested)
    assert (asked.pdu.system_id, asked.pdu.password) == ("yanshu", "pw")
    server.accept_bind("SMSC")
    assert client.receive_data(server.data_to_send(), 0.2) == [Bound("SMSC", 0x34)]

    client.submit([(BODY, "a"), (BODY, "b")], 0.3)
    requests = server.receive_data(client.data_to_send(), 0.4)
    for number, event in enumerate(requests):
        assert isinstance(event, Requested)
        server.answer(event.pdu, message_id=f"id{number}")
    assert client.receive_data(server.data_to_send(), 0.5) == [Answered("a", 0, "id0"), Answered("b", 0, "id1")]

    server.deliver([(RECEIPT, "r")], 0.6)
    (delivered,) = client.receive_data(server.data_to_send(), 0.7)
    assert isinstance(delivered, Requested)
    client.acknowledge([delivered.pdu])
    assert server.receive_data(client.data_to_send(), 0.8) == [Answered("r", 0, "")]

    client.unbind(0.9)
    assert server.receive_data(client.data_to_send(), 1.0) == [Unbound()]
    assert client.receive_data(server.data_to_send(), 1.1) == []
    assert (client.is_over, client.reason, server.is_over) == (True, "unbound", True)


def test_answers_may_come_in_any_order() -> None:
    session = esme()
    session.submit([(BODY, "a"), (BODY, "b")], 1.0)
    first, second = sent(session)
    answers = codec.encode(codec.response_to(second, message_id="2")) + codec.encode(codec.response_to(first, message_id="1"))
    assert session.receive_data(answers, 1.1) == [Answered("b", 0, "2"), Answered("a", 0, "1")]
    assert session.free == 4


def test_a_refused_bind_ends_the_session() -> None:
    session: EsmeSession[str] = EsmeSession(pdus.BindTransceiver(), 4, TIMERS)
    session.connected(0.0)
    (request,) = sent(session)
    assert session.receive_data(codec.encode(codec.response_to(request, command_status=0x0E)), 0.1) == [BindRefused(0x0E)]
    assert session.is_over
    assert "ESME_RINVPASWD" in session.reason


def test_a_bind_answered_by_generic_nack_is_refused() -> None:
    session: EsmeSession[str] = EsmeSession(pdus.BindTransceiver(), 4, TIMERS)
    session.connected(0.0)
    assert session.receive_data(codec.encode(pdus.GenericNack(command_status=3, sequence_number=1)), 0.1) == [BindRefused(3)]


def test_a_bind_without_an_answer_ends_the_session() -> None:
    session: EsmeSession[str] = EsmeSession(pdus.BindTransceiver(), 4, TIMERS)
    session.connected(0.0)
    assert session.next_deadline() == 5.0
    session.tick(5.0)
    assert (session.is_over, session.next_deadline()) == (True, None)


def test_a_submit_times_out_frees_its_permit_and_its_late_answer_is_matched() -> None:
    session = esme(window=1)
    session.submit([(BODY, "a")], 1.0)
    (request,) = sent(session)
    assert session.next_deadline() == 3.0
    assert session.tick(2.9) == []
    assert session.tick(3.0) == [TimedOut("a")]
    assert session.free == 1
    late = codec.encode(codec.response_to(request, message_id="x"))
    assert session.receive_data(late, 4.0) == [Answered("a", 0, "x", is_late=True)]
    (stray,) = session.receive_data(late, 4.1)
    assert isinstance(stray, PeerFault)


def test_an_answer_later_than_late_is_a_stray() -> None:
    session = esme()
    session.submit([(BODY, "a")], 1.0)
    (request,) = sent(session)
    session.tick(3.0)
    session.tick(5.1)
    (stray,) = session.receive_data(codec.encode(codec.response_to(request)), 5.2)
    assert isinstance(stray, PeerFault)


@pytest.mark.parametrize(("octets", "ident"), [(b"", ""), (b"a1", "a1"), (b"a1\0rest", "a1"), (b"z" * 4000 + b"\0", "z" * 255)])
def test_an_id_is_read_to_its_end_or_as_far_as_it_can_be_kept(octets: bytes, ident: str) -> None:
    session = esme()
    session.submit([(BODY, "a")], 1.0)
    (request,) = sent(session)
    answer = codec.pack_header(16 + len(octets), Command.SUBMIT_SM_RESP, 0, request.sequence_number) + octets
    assert session.receive_data(answer, 2.0) == [Answered("a", 0, ident)]


def test_what_waits_when_the_connection_goes_is_lost() -> None:
    session = esme()
    session.submit([(BODY, "a"), (BODY, "b")], 1.0)
    assert session.connection_lost(2.0) == [Lost("a"), Lost("b")]
    assert session.is_over


def test_more_than_the_window_is_our_error_and_nothing_of_it_is_written() -> None:
    session = esme(window=1)
    with pytest.raises(LocalProtocolError):
        session.submit([(BODY, "a"), (BODY, "b")], 1.0)
    assert (session.free, session.data_to_send()) == (1, b"")


def test_a_submit_before_bind_is_our_error() -> None:
    session: EsmeSession[str] = EsmeSession(pdus.BindTransceiver(), 4, TIMERS)
    with pytest.raises(LocalProtocolError):
        session.submit([(BODY, "a")], 1.0)


def test_a_silent_peer_is_asked_twice_and_then_given_up() -> None:
    session = esme()
    for moment in (10.0, 20.0):
        assert session.next_deadline() == moment
        session.tick(moment)
        assert [type(pdu) for pdu in sent(session)] == [pdus.EnquireLink]
    session.tick(30.0)
    assert (session.is_over, session.reason) == (True, "the peer is silent")


def test_anything_heard_counts_as_life() -> None:
    session = esme()
    session.tick(10.0)
    sent(session)
    session.receive_data(codec.encode(pdus.EnquireLink(sequence_number=5)), 15.0)
    assert sent(session) == [pdus.EnquireLinkResp(sequence_number=5)]
    assert session.next_deadline() == 25.0


def test_an_unbind_without_an_answer_ends_in_time() -> None:
    session = esme()
    session.unbind(1.0)
    assert not session.is_over
    session.tick(4.0)
    assert (session.is_over, session.reason) == (True, "no answer to unbind")


def test_what_is_delivered_while_unbinding_is_still_taken() -> None:
    session = esme()
    session.unbind(1.0)
    frame = codec.pack_header(16 + len(RECEIPT), Command.DELIVER_SM, 0, 9) + RECEIPT
    (event,) = session.receive_data(frame, 1.1)
    assert isinstance(event, Requested)


def test_generic_nack_fails_the_request_it_names() -> None:
    session = esme()
    session.submit([(BODY, "a")], 1.0)
    (request,) = sent(session)
    nack = codec.encode(pdus.GenericNack(command_status=3, sequence_number=request.sequence_number))
    assert session.receive_data(nack, 1.1) == [Answered("a", 3, "", is_nack=True)]


def _frame(command: int, body: bytes = b"", sequence: int = 7) -> bytes:
    return codec.pack_header(16 + len(body), command, 0, sequence) + body


# name, what the peer sends, what we answer
RUDE: list[tuple[str, bytes, list[pdus.Pdu]]] = [
    ("an unknown command", _frame(0x99), [pdus.GenericNack(command_status=3, sequence_number=7)]),
    ("an unknown response", _frame(0x80000099), []),
    ("a response nobody asked for", _frame(Command.SUBMIT_SM_RESP, b"x\0"), []),
    ("an unbind_resp nobody asked for", _frame(Command.UNBIND_RESP), []),
    ("a generic_nack for nothing", _frame(Command.GENERIC_NACK, sequence=0), []),
    ("a request for the other side", _frame(Command.QUERY_SM, b"1\0\0\0\0"), [pdus.QuerySmResp(command_status=4, sequence_number=7)]),
    ("a bind", _frame(Command.BIND_RECEIVER, b"\0\0\0\0\0\0\0"), [pdus.BindReceiverResp(command_status=4, sequence_number=7)]),
    ("a deliver_sm that ends too early", _frame(Command.DELIVER_SM, b"\0"), [pdus.DeliverSmResp(command_status=0xC2, sequence_number=7)]),
    ("an outbind", _frame(Command.OUTBIND, b"a\0b\0"), []),
]


@pytest.mark.parametrize(("name", "octets", "answers"), RUDE, ids=[case[0] for case in RUDE])
def test_nonsense_is_answered_by_the_rules_and_the_session_goes_on(name: str, octets: bytes, answers: list[pdus.Pdu]) -> None:
    session = esme()
    events = session.receive_data(octets + codec.encode(pdus.EnquireLink(sequence_number=8)), 1.0)
    assert [type(event) for event in events] == [PeerFault]
    assert sent(session) == [*answers, pdus.EnquireLinkResp(sequence_number=8)]
    assert session.is_bound


@pytest.mark.parametrize("length", [0, 15, 65_537, 2**31 - 1], ids=str)
def test_a_length_that_cannot_be_ends_the_session(length: int) -> None:
    session = esme()
    good = codec.encode(pdus.EnquireLink(sequence_number=8))
    events = session.receive_data(good + length.to_bytes(4, "big"), 1.0)
    assert [type(event) for event in events] == [PeerFault]
    assert (session.is_over, session.reason) == (True, "broken framing")
    assert session.receive_data(good, 1.1) == []


def test_a_server_refuses_a_bind() -> None:
    session: SmscSession[str] = SmscSession(4, TIMERS)
    session.connected(0.0)
    session.receive_data(codec.encode(pdus.BindTransmitter(sequence_number=3)), 0.1)
    session.refuse_bind(0x0F)
    assert sent(session) == [pdus.BindTransmitterResp(command_status=0x0F, sequence_number=3)]
    assert session.is_over


def test_a_server_refuses_a_second_bind_and_keeps_the_first() -> None:
    session = smsc()
    session.receive_data(codec.encode(pdus.BindTransceiver(sequence_number=2)), 1.0)
    assert sent(session) == [pdus.BindTransceiverResp(command_status=5, sequence_number=2)]
    assert session.is_bound


def test_a_server_takes_no_submit_from_a_receiver() -> None:
    session = smsc(pdus.BindReceiver(sequence_number=1))
    session.receive_data(_frame(Command.SUBMIT_SM, BODY), 1.0)
    assert sent(session) == [pdus.SubmitSmResp(command_status=4, sequence_number=7)]


def test_a_server_takes_no_submit_before_bind() -> None:
    session: SmscSession[str] = SmscSession(4, TIMERS)
    session.connected(0.0)
    session.receive_data(_frame(Command.SUBMIT_SM, BODY), 1.0)
    assert sent(session) == [pdus.SubmitSmResp(command_status=4, sequence_number=7)]


def test_a_server_cannot_judge_a_bind_nobody_asked_for() -> None:
    with pytest.raises(LocalProtocolError):
        SmscSession[str](4, TIMERS).accept_bind("SMSC")


def test_a_server_answers_questions() -> None:
    session = smsc()
    (event,) = session.receive_data(codec.encode(pdus.QuerySm(sequence_number=4, message_id="1")), 1.0)
    assert isinstance(event, Requested)
    session.answer(event.pdu, message_id="1", message_state=2)
    assert sent(session) == [pdus.QuerySmResp(sequence_number=4, message_id="1", message_state=2)]


def test_an_error_answer_to_a_submit_has_no_body() -> None:
    session = smsc()
    (event,) = session.receive_data(_frame(Command.SUBMIT_SM, BODY), 1.0)
    assert isinstance(event, Requested)
    session.answer(event.pdu, 0x58)
    assert session.data_to_send() == codec.pack_header(16, Command.SUBMIT_SM_RESP, 0x58, 7)
