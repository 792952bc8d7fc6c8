"""Both ends of SGIP sessions in both directions, joined in memory, and each end against a peer that misbehaves."""

from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, BindRefused, BindRequested, Bound, Event, Lost, PeerFault, Requested, TimedOut, Unbound
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.client import ClientSession
from yanshu.protocols.sgip.constants import LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences
from yanshu.protocols.sgip.server import ServerSession
from yanshu.protocols.sgip.session import SgipSession

TIMERS = Timers(bind_timeout_seconds=5, response_timeout_seconds=20, probe_seconds=30, probes_unanswered=2, unbind_timeout_seconds=3)
NODE, GATEWAY = 3010001234, 101000
BODY = codec.body(pdus.Submit(user_numbers=("8613800138000",), message_content=b"hi"))
UPWARDS, DOWNWARDS = LoginType.SP_TO_SMG, LoginType.SMG_TO_SP
DELIVER = pdus.Deliver(user_number="8613800138000", sp_number="10655123", message_content=b"T")
REPORT = pdus.Report(submit_sequence=pdus.Sequence(NODE, 1108104159, 2), user_number="8613800138000")
USER_RPT = pdus.UserRpt(sp_number="10655123", user_number="8613800138000", user_condition=1)
SUBMIT = pdus.Submit(user_numbers=("8613800138000",))


def stamp_at(now: float) -> int:
    return 1108104100 + int(now)


def bind(login_type: LoginType) -> pdus.Bind:
    return pdus.Bind(login_type=int(login_type), login_name="yanshu", login_password="pass1234")


def client_of(login_type: LoginType, slot: int = 0) -> ClientSession[str]:
    node = NODE if login_type is UPWARDS else GATEWAY
    return ClientSession(bind(login_type), Sequences(node, stamp_at, slot), 4, TIMERS)


def sent(session: SgipSession[Any]) -> list[pdus.Pdu]:
    """What a session wrote, as PDUs."""
    data, found = session.data_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(codec.decode(data[:length]))
        data = data[length:]
    return found


def numbered(pdu: pdus.Pdu, counter: int = 9) -> bytes:
    """A PDU of the gateway."""
    pdu = codec.decode(codec.encode(pdu))
    pdu.sequence = pdus.Sequence(GATEWAY, 1108104300, counter)
    return codec.encode(pdu)


def joined(login_type: LoginType = UPWARDS) -> tuple[ClientSession[str], ServerSession[str]]:
    """Two ends that have bound at time 0."""
    client, server = client_of(login_type), ServerSession[str](login_type, TIMERS)
    client.connected(0.0)
    server.connected(0.0)
    (asked,) = server.receive_data(client.data_to_send(), 0.0)
    assert isinstance(asked, BindRequested)
    assert (asked.pdu.login_name, asked.pdu.login_password) == ("yanshu", "pass1234")
    server.accept()
    assert client.receive_data(server.data_to_send(), 0.0) == [Bound("", None)]
    return client, server


# --- the two directions ---


def test_what_an_sp_submits_is_answered_under_the_id_its_sequence_is() -> None:
    client, server = joined()
    client.submit([(BODY, "a"), (BODY, "b")], 59.0)
    first, second = (event.pdu for event in server.receive_data(client.data_to_send(), 59.1) if isinstance(event, Requested))
    assert first.sequence == pdus.Sequence(NODE, 1108104159, 2)
    server.acknowledge([second], Result.OVER_FLOW_LIMIT)
    server.acknowledge([first])
    assert client.receive_data(server.data_to_send(), 59.2) == [
        Answered("b", 33, "b368f952420c53df00000003"),
        Answered("a", 0, "b368f952420c53df00000002"),
    ]
    assert client.free == 4


def test_what_a_gateway_delivers_and_reports_over_its_own_connection_is_acknowledged() -> None:
    gateway, sp = joined(DOWNWARDS)
    gateway.deliver([(DELIVER, "text"), (REPORT, "report"), (USER_RPT, "state")], 1.0)
    requests = [event.pdu for event in sp.receive_data(gateway.data_to_send(), 1.1) if isinstance(event, Requested)]
    assert [type(pdu) for pdu in requests] == [pdus.Deliver, pdus.Report, pdus.UserRpt]
    assert requests[1].submit_sequence.message_id == "b368f952420c53df00000002"
    sp.acknowledge(requests)
    answers = gateway.receive_data(sp.data_to_send(), 1.2)
    assert [(event.item, event.status) for event in answers if isinstance(event, Answered)] == [("text", 0), ("report", 0), ("state", 0)]


def test_a_gateway_may_deliver_over_the_connection_of_the_sp_and_waits_for_the_answer() -> None:
    server: ServerSession[str] = ServerSession(UPWARDS, TIMERS, window=2, sequences=Sequences(GATEWAY, stamp_at))
    client = client_of(UPWARDS)
    for session in (client, server):
        session.connected(0.0)
    server.receive_data(client.data_to_send(), 0.0)
    server.accept()
    client.receive_data(server.data_to_send(), 0.0)
    (sequence,) = server.deliver([(REPORT, "report")], 1.0)
    (event,) = client.receive_data(server.data_to_send(), 1.1)
    assert isinstance(event, Requested)
    assert event.pdu.sequence == sequence == pdus.Sequence(GATEWAY, 1108104101, 1)
    client.acknowledge([event.pdu])
    assert server.receive_data(client.data_to_send(), 1.2) == [Answered("report", 0, sequence.message_id)]
    with pytest.raises(LocalProtocolError, match="window is full"):
        server.deliver([(REPORT, "report")] * 3, 1.3)


def test_a_delivery_that_is_made_again_keeps_its_sequence_and_finds_its_answer() -> None:
    gateway, sp = joined(DOWNWARDS)
    (sequence,) = gateway.deliver([(DELIVER, "text")], 1.0)
    (event,) = sp.receive_data(gateway.data_to_send(), 1.1)
    assert isinstance(event, Requested)
    assert gateway.tick(21.0) == [TimedOut("text", sequence.message_id)]
    assert gateway.deliver([(REPORT, "report"), (replace(DELIVER, sequence=sequence), "text again")], 22.0)[1] == sequence
    again = sp.receive_data(gateway.data_to_send(), 22.1)
    assert [type(event.pdu) for event in again if isinstance(event, Requested)] == [pdus.Report]
    sp.acknowledge([event.pdu])
    assert gateway.receive_data(sp.data_to_send(), 22.2) == [Answered("text again", 0, sequence.message_id)]
    assert gateway.outstanding == 1


@pytest.mark.parametrize("pdu", [DELIVER, REPORT, USER_RPT], ids=lambda pdu: type(pdu).__name__)
def test_what_a_gateway_delivers_over_our_own_connection_is_taken_too(pdu: pdus.Pdu) -> None:
    client, _ = joined()
    (event,) = client.receive_data(numbered(pdu), 1.0)
    assert isinstance(event, Requested)
    client.acknowledge([event.pdu], Result.BUSY)
    (answer,) = sent(client)
    assert isinstance(answer, pdus.Resp)
    assert (answer.sequence, answer.result) == (pdus.Sequence(GATEWAY, 1108104300, 9), Result.BUSY)


def test_a_stream_may_be_cut_anywhere() -> None:
    client, server = joined()
    client.submit([(BODY, "a")], 0.1)
    events: list[Event] = []
    for octet in client.data_to_send():
        events += server.receive_data(bytes((octet,)), 0.2)
    assert [type(event) for event in events] == [Requested]


# --- binding ---


def test_a_bind_refused_ends_both_ends() -> None:
    client, server = client_of(UPWARDS), ServerSession[str](UPWARDS, TIMERS)
    client.connected(0.0)
    server.connected(0.0)
    server.receive_data(client.data_to_send(), 0.0)
    server.refuse(Result.TOO_MANY_CONNECTIONS)
    assert client.receive_data(server.data_to_send(), 0.1) == [BindRefused(3)]
    assert (client.is_over, server.is_over) == (True, True)


def test_a_bind_of_the_wrong_login_type_is_refused_and_told_of_without_its_password() -> None:
    server: ServerSession[str] = ServerSession(DOWNWARDS, TIMERS)
    server.connected(0.0)
    (event,) = server.receive_data(codec.encode(bind(UPWARDS)), 0.0)
    assert event == PeerFault("BIND of 'yanshu' with login type 1, not 2")
    assert sent(server) == [pdus.BindResp(result=Result.LOGIN_TYPE)]
    assert server.is_over


def test_a_second_bind_is_a_double_login_and_changes_nothing() -> None:
    _, server = joined()
    assert [type(event) for event in server.receive_data(codec.encode(bind(UPWARDS)), 1.0)] == [PeerFault]
    assert sent(server) == [pdus.BindResp(result=Result.DOUBLE_LOGIN)]
    assert server.is_bound


def test_a_second_answer_to_a_bind_changes_nothing() -> None:
    client, _ = joined()
    assert [type(event) for event in client.receive_data(codec.encode(pdus.BindResp(result=Result.BAD_LOGIN)), 1.0)] == [PeerFault]
    assert client.is_bound


def test_who_does_not_bind_in_time_is_left() -> None:
    server: ServerSession[str] = ServerSession(DOWNWARDS, TIMERS)
    server.connected(0.0)
    assert server.next_deadline() == 5.0
    server.tick(5.0)
    assert (server.is_over, server.reason) == (True, "no bind in time")


def test_nothing_is_accepted_or_refused_that_nobody_asked_for() -> None:
    _, server = joined()
    for judge in (server.accept, server.refuse):
        with pytest.raises(LocalProtocolError, match="no peer asks"):
            judge()


# --- sequences ---


def test_an_answer_with_a_changed_first_or_second_word_is_known_by_its_third() -> None:
    client, _ = joined()
    client.submit([(BODY, "a"), (BODY, "b")], 59.0)
    octets = codec.encode(pdus.SubmitResp(sequence=pdus.Sequence(7, 0, 3)))
    assert client.receive_data(octets, 59.1) == [Answered("b", 0, "b368f952420c53df00000003")]
    assert [type(event) for event in client.receive_data(octets, 59.2)] == [PeerFault]


def test_an_answer_after_its_time_is_late_when_it_is_whole_and_a_fault_when_it_is_changed() -> None:
    client, _ = joined()
    client.submit([(BODY, "a")], 0.0)
    assert client.tick(20.0) == [TimedOut("a", "b368f952420c53a400000002")]
    changed = codec.encode(pdus.SubmitResp(sequence=pdus.Sequence(NODE, 0, 2)))
    assert [type(event) for event in client.receive_data(changed, 21.0)] == [PeerFault]
    whole = codec.encode(pdus.SubmitResp(sequence=pdus.Sequence(NODE, stamp_at(0.0), 2)))
    assert client.receive_data(whole, 22.0) == [Answered("a", 0, "b368f952420c53a400000002", is_late=True)]


def test_two_connections_of_a_node_never_give_the_same_id_in_the_same_second() -> None:
    ids: set[pdus.Sequence] = set()
    for slot in (0, 1, 255):
        client = client_of(UPWARDS, slot)
        client.connected(0.0)
        ids |= {pdu.sequence for pdu in sent(client)}
    assert {sequence.counter for sequence in ids} == {1, 0x01000001, 0xFF000001}


def test_sequences_go_on_over_the_connections_of_a_link() -> None:
    sequences = Sequences(NODE, stamp_at, begin=0xFFFFFD)
    counters: list[int] = []
    for _ in range(2):
        client: ClientSession[str] = ClientSession(bind(UPWARDS), sequences, 4, TIMERS)
        client.connected(0.0)
        client.receive_data(codec.encode(pdus.BindResp()), 0.0)
        client.submit([(BODY, "a")], 0.0)
        counters += [pdu.sequence.counter for pdu in sent(client)]
    assert counters == [0xFFFFFE, 0xFFFFFF, 1, 2]


@pytest.mark.parametrize(("node", "slot"), [(-1, 0), (1 << 32, 0), (NODE, -1), (NODE, 256)])
def test_a_node_or_slot_that_does_not_fit_is_our_error(node: int, slot: int) -> None:
    with pytest.raises(LocalProtocolError):
        Sequences(node, stamp_at, slot)


# --- leaving ---


def test_an_idle_client_unbinds() -> None:
    client, server = joined()
    assert client.next_deadline() == 30.0
    client.tick(30.0)
    assert server.receive_data(client.data_to_send(), 30.1) == [Unbound()]
    assert client.receive_data(server.data_to_send(), 30.2) == []
    assert (client.is_over, client.reason, server.is_over, server.reason) == (True, "unbound", True, "the peer unbound")


def test_an_answer_to_unbind_with_a_changed_sequence_is_taken() -> None:
    client, _ = joined()
    client.unbind(1.0)
    assert client.receive_data(codec.encode(pdus.UnbindResp(sequence=pdus.Sequence(NODE, 0, 77))), 1.1) == []
    assert client.is_over


def test_an_idle_server_closes_without_a_word_and_so_does_one_given_up() -> None:
    for leave, reason in (("tick", "idle"), ("unbind", "closed")):
        _, server = joined(DOWNWARDS)
        getattr(server, leave)(30.0)
        assert (server.is_over, server.reason, server.data_to_send()) == (True, reason, b"")


def test_what_waits_is_lost_with_the_connection() -> None:
    client, _ = joined()
    client.submit([(BODY, "a"), (BODY, "b")], 0.0)
    assert client.connection_lost(0.1) == [Lost("a", "b368f952420c53a400000002"), Lost("b", "b368f952420c53a400000003")]


def test_nothing_is_submitted_before_the_bind_nor_beyond_the_window() -> None:
    with pytest.raises(LocalProtocolError, match="not bound"):
        client_of(UPWARDS).submit([(BODY, "a")], 0.0)
    client, _ = joined()
    with pytest.raises(LocalProtocolError, match="window is full"):
        client.submit([(BODY, str(n)) for n in range(5)], 0.0)
    assert sent(client) == []


# --- nonsense ---


def test_an_answer_without_a_result_is_none_and_its_request_goes_on_waiting() -> None:
    client, _ = joined()
    client.submit([(BODY, "a")], 0.0)
    octets = b"\0\0\0\x14\x80" + client.data_to_send()[5:20]
    assert [type(event) for event in client.receive_data(octets, 0.1)] == [PeerFault]
    assert (client.outstanding, client.is_over) == (1, False)


UNWANTED: list[tuple[str, LoginType, pdus.Pdu, Result]] = [
    ("a submit where we are the server of a gateway", DOWNWARDS, SUBMIT, Result.COMMAND),
    ("a delivery where an SP submits", UPWARDS, DELIVER, Result.COMMAND),
    ("a trace", DOWNWARDS, pdus.Trace(), Result.COMMAND),
]


@pytest.mark.parametrize(("name", "login_type", "pdu", "result"), UNWANTED, ids=[case[0] for case in UNWANTED])
def test_a_request_for_the_other_side_is_answered_with_an_error_and_the_session_stays(
    name: str, login_type: LoginType, pdu: pdus.Pdu, result: Result
) -> None:
    _, server = joined(login_type)
    octets = numbered(pdu)
    assert [type(event) for event in server.receive_data(octets, 1.0)] == [PeerFault]
    answer = server.data_to_send()
    assert answer == b"\0\0\0\x1d" + bytes((octets[4] | 0x80,)) + octets[5:20] + bytes((result,)) + bytes(8)
    assert server.is_bound


def test_a_request_before_the_bind_is_a_bad_login() -> None:
    server: ServerSession[str] = ServerSession(DOWNWARDS, TIMERS)
    server.connected(0.0)
    assert [type(event) for event in server.receive_data(numbered(DELIVER), 0.1)] == [PeerFault]
    (answer,) = sent(server)
    assert isinstance(answer, pdus.DeliverResp)
    assert answer.result == Result.BAD_LOGIN


BROKEN = [
    ("a length of nothing", b"\0\0\0\x04\0\0\0\0", True),
    ("a length of gigabytes", b"\x7f\xff\xff\xff\0\0\0\0", True),
    ("a command nobody knows", b"\0\0\0\x14\0\0\0\x33" + bytes(12), False),
    ("a delivery that cannot be read", b"\0\0\0\x16\0\0\0\x04" + bytes(12) + b"ab", True),
    ("an answer without a result", b"\0\0\0\x14\x80\0\0\x03" + bytes(12), False),
    ("an answer nobody waits for", b"\0\0\0\x1d\x80\0\0\x03" + bytes(21), False),
    ("an answer to a goodbye that was not said", b"\0\0\0\x14\x80\0\0\x02" + bytes(12), False),
]


@pytest.mark.parametrize(("name", "octets", "ends"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_octets_are_told_of_and_end_the_session_only_where_it_makes_no_sense_any_more(name: str, octets: bytes, ends: bool) -> None:
    client, _ = joined()
    assert [type(event) for event in client.receive_data(octets, 0.1)] == [PeerFault]
    assert client.is_over is ends
