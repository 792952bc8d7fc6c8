"""Both ends of an SMGP session, joined in memory, and each end against a peer that misbehaves."""

from collections.abc import Callable
from typing import Any

import pytest

from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, BindRefused, BindRequested, Bound, Event, Lost, PeerFault, Requested, TimedOut, Unbound
from yanshu.protocols.session import Timers
from yanshu.protocols.smgp import codec, digests, pdus
from yanshu.protocols.smgp.constants import LoginMode, Status
from yanshu.protocols.smgp.session import SmgpSession
from yanshu.protocols.smgp.smgw import SmgwSession
from yanshu.protocols.smgp.sp import SpSession

TIMERS = Timers(bind_timeout_seconds=5, response_timeout_seconds=2, probe_seconds=10, probes_unanswered=3, unbind_timeout_seconds=3)
SECRET = "s3cr3t!"
BODY = codec.body(pdus.Submit(dest_term_ids=("13800138000",), msg_content=b"hi"))
IDENT = "6495c36ac4ea6b00000b"


def login(version: int = 0x30) -> pdus.Login:
    digest = digests.authenticator_client("901234", SECRET, 102030405)
    return pdus.Login(
        client_id="901234", authenticator_client=digest, login_mode=LoginMode.BOTH, timestamp=102030405, client_version=version
    )


def sent(session: SmgpSession[Any]) -> list[pdus.Pdu]:
    """What a session wrote, as PDUs."""
    data, found = session.data_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(codec.decode(data[:length]))
        data = data[length:]
    return found


def asking(version: int = 0x30) -> tuple[SpSession[str], SmgwSession[str], list[Event]]:
    """A client that wants to log in at time 0, and what its server makes of it."""
    client: SpSession[str] = SpSession(login(version), SECRET, 4, TIMERS)
    server: SmgwSession[str] = SmgwSession(4, TIMERS)
    client.connected(0.0)
    server.connected(0.0)
    return client, server, server.receive_data(client.data_to_send(), 0.0)


def joined() -> tuple[SpSession[str], SmgwSession[str]]:
    """Two ends that have logged in at time 0."""
    client, server, (asked,) = asking()
    assert isinstance(asked, BindRequested)
    assert server.proves(asked.pdu, SECRET)
    server.accept(SECRET)
    assert client.receive_data(server.data_to_send(), 0.0) == [Bound("", 0x30)]
    return client, server


def test_the_two_ends_understand_each_other() -> None:
    client, server = joined()
    assert client.gateway_is_proven
    client.submit([(BODY, "a"), (BODY, "b")], 0.3)
    for number, event in enumerate(server.receive_data(client.data_to_send(), 0.4)):
        assert isinstance(event, Requested)
        server.answer(event.pdu, number * Status.BUSY, msg_id=IDENT)
    assert client.receive_data(server.data_to_send(), 0.5) == [Answered("a", 0, IDENT), Answered("b", 1, IDENT)]

    server.deliver([(pdus.Deliver(msg_id=IDENT, src_term_id="13800138000", msg_content=b"T"), "r")], 0.6)
    (delivered,) = client.receive_data(server.data_to_send(), 0.7)
    assert isinstance(delivered, Requested)
    assert delivered.pdu.msg_id == IDENT
    client.acknowledge([delivered.pdu])
    assert server.receive_data(client.data_to_send(), 0.8) == [Answered("r", 0, "")]

    client.unbind(0.9)
    assert server.receive_data(client.data_to_send(), 1.0) == [Unbound()]
    assert client.receive_data(server.data_to_send(), 1.1) == []
    assert (client.is_over, client.reason, server.is_over) == (True, "unbound", True)


def test_a_server_may_say_goodbye_too() -> None:
    client, server = joined()
    server.unbind(0.1)
    assert client.receive_data(server.data_to_send(), 0.2) == [Unbound()]
    assert server.receive_data(client.data_to_send(), 0.3) == []
    assert (server.is_over, server.reason, client.reason) == (True, "unbound", "the peer said goodbye")


def test_a_goodbye_nobody_answers_ends_the_session_in_time() -> None:
    client, _ = joined()
    client.unbind(1.0)
    client.tick(4.0)
    assert (client.is_over, client.reason) == (True, "no answer to unbind")


def test_what_is_delivered_during_the_goodbye_is_taken() -> None:
    client, server = joined()
    client.unbind(0.1)
    server.deliver([(pdus.Deliver(), "r")], 0.1)
    assert [type(event) for event in client.receive_data(server.data_to_send(), 0.2)] == [Requested]


def test_a_stream_may_be_cut_anywhere() -> None:
    client, server = joined()
    client.submit([(BODY, "a")], 0.1)
    events: list[Event] = []
    for octet in client.data_to_send():
        events += server.receive_data(bytes((octet,)), 0.2)
    assert [type(event) for event in events] == [Requested]


# --- logins ---


def test_a_wrong_secret_is_seen_by_the_gateway_and_ends_the_session() -> None:
    client, server, (asked,) = asking()
    assert isinstance(asked, BindRequested)
    assert not server.proves(asked.pdu, "another")
    server.refuse(Status.AUTHENTICATION)
    octets = server.data_to_send()
    assert octets[16:32] == bytes(16)  # a refusal carries no digest
    assert client.receive_data(octets, 0.1) == [BindRefused(Status.AUTHENTICATION)]
    assert (client.is_over, server.is_over) == (True, True)


def test_a_gateway_that_does_not_know_the_secret_is_reported_and_not_left() -> None:
    client, _, _ = asking()
    events = client.receive_data(codec.encode(pdus.LoginResp(sequence_id=1)), 0.1)
    assert [type(event) for event in events] == [PeerFault, Bound]
    assert (client.gateway_is_proven, client.is_bound) == (False, True)


def test_a_gateway_may_digest_its_status_as_one_octet() -> None:
    client, _, _ = asking()
    digest = digests.authenticator_server(0, login().authenticator_client, SECRET, 1)
    assert client.receive_data(codec.encode(pdus.LoginResp(sequence_id=1, authenticator_server=digest)), 0.1) == [Bound("", 0x30)]


VERSIONS = [("1.3, which clients write", 0x13, BindRequested), ("3.0", 0x30, BindRequested), ("3.1", 0x31, None)]


@pytest.mark.parametrize(("name", "version", "event"), VERSIONS, ids=[case[0] for case in VERSIONS])
def test_a_version_too_high_is_refused_with_its_status(name: str, version: int, event: type[Event] | None) -> None:
    client, server, events = asking(version)
    assert [type(found) for found in events] == ([event] if event else [])
    refused = client.receive_data(server.data_to_send(), 0.1)
    assert refused == ([] if event else [BindRefused(Status.VERSION_TOO_HIGH)])


def test_a_second_login_is_a_fault_and_changes_nothing() -> None:
    client, server = joined()
    assert [type(event) for event in server.receive_data(codec.encode(login()), 0.1)] == [PeerFault]
    with pytest.raises(LocalProtocolError):
        server.accept(SECRET)
    assert (server.is_bound, client.is_bound) == (True, True)


def test_a_second_login_before_the_first_is_judged_is_a_fault() -> None:
    _, server, (asked,) = asking()
    assert isinstance(asked, BindRequested)
    assert [type(event) for event in server.receive_data(codec.encode(pdus.Login(client_id="999999")), 0.1)] == [PeerFault]
    server.accept(SECRET)
    assert [pdu.sequence_id for pdu in sent(server)] == [asked.pdu.sequence_id]


def test_a_login_given_to_two_sessions_is_changed_by_neither() -> None:
    asked = login()
    for _ in range(2):
        client: SpSession[str] = SpSession(asked, SECRET, 4, TIMERS)
        client.connected(0.0)
        assert sent(client)[0].sequence_id == 1
    assert asked == login()


def test_a_login_without_an_answer_ends_the_session_in_time() -> None:
    client, server, _ = asking()
    client.tick(5.0)
    server.tick(5.0)
    assert (client.reason, server.reason) == ("no bind in time", "no bind in time")


# --- Active_Test ---


def test_a_silent_peer_is_asked_three_times_and_left() -> None:
    client, _ = joined()
    asked = 0
    for second in range(1, 60):
        client.tick(float(second))
        asked += sum(isinstance(pdu, pdus.ActiveTest) for pdu in sent(client))
        if client.is_over:
            break
    assert (asked, client.reason, second) == (3, "the peer is silent", 40)


def test_two_ends_that_answer_keep_a_quiet_session_alive() -> None:
    client, server = joined()
    for second in range(1, 200):
        now = float(second)
        assert client.tick(now) == server.tick(now) == []
        assert server.receive_data(client.data_to_send(), now) == []
        assert client.receive_data(server.data_to_send(), now) == []
    assert (client.is_bound, server.is_bound) == (True, True)


def test_an_active_test_answered_with_another_one_is_answered_and_counts_as_life() -> None:
    client, _ = joined()
    client.tick(10.0)
    (question,) = sent(client)
    client.receive_data(codec.encode(pdus.ActiveTest(sequence_id=question.sequence_id)), 10.1)
    assert sent(client) == [pdus.ActiveTestResp(sequence_id=question.sequence_id)]
    assert client.next_deadline() == pytest.approx(20.1)


def test_an_active_test_resp_with_the_octet_that_cmpp_has_is_life() -> None:
    client, _ = joined()
    assert client.receive_data(b"\0\0\0\x0d\x80\0\0\x04\0\0\0\x01\0", 1.0) == []


def test_an_active_test_with_the_octet_that_cmpp_has_is_answered() -> None:
    client, _ = joined()
    assert client.receive_data(b"\0\0\0\x0d\0\0\0\x04\0\0\0\x05\0", 0.1) == []
    assert sent(client) == [pdus.ActiveTestResp(sequence_id=5)]


# --- peers that misbehave ---


def test_an_answer_after_its_time_is_late_and_one_nobody_waits_for_is_a_fault() -> None:
    client, server = joined()
    client.submit([(BODY, "a")], 0.0)
    (request,) = server.receive_data(client.data_to_send(), 0.0)
    assert isinstance(request, Requested)
    assert client.tick(2.5) == [TimedOut("a")]
    assert client.free == 4
    server.answer(request.pdu, msg_id=IDENT)
    octets = server.data_to_send()
    assert client.receive_data(octets, 3.0) == [Answered("a", 0, IDENT, is_late=True)]
    assert [type(event) for event in client.receive_data(octets, 3.1)] == [PeerFault]


def test_what_waits_is_lost_with_the_connection() -> None:
    client, server = joined()
    client.submit([(BODY, "a"), (BODY, "b")], 0.0)
    server.deliver([(pdus.Deliver(), "r")], 0.0)
    assert client.connection_lost(0.1) == [Lost("a"), Lost("b")]
    assert server.connection_lost(0.1) == [Lost("r")]


BROKEN = [
    ("a length of nothing", b"\0\0\0\x04\0\0\0\0", True),
    ("a length of gigabytes", b"\x7f\xff\xff\xff\0\0\0\0", True),
    ("more than 8 KiB", b"\0\0\x20\x01\0\0\0\x03", True),
    ("a command nobody knows", b"\0\0\0\x0c\0\0\0\x33\0\0\0\x01", False),
    ("a delivery that ends too early", b"\0\0\0\x10\0\0\0\x03\0\0\0\x09abcd", False),
    ("an answer without an id", b"\0\0\0\x0e\x80\0\0\x02\0\0\0\x01ab", False),
    ("a submit to a client", codec.encode(pdus.Submit(dest_term_ids=("1",))), False),
    ("a second answer to the login", codec.encode(pdus.LoginResp()), False),
    ("an answer to a goodbye that was not said", codec.encode(pdus.ExitResp()), False),
]


@pytest.mark.parametrize(("name", "octets", "ends"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_octets_are_told_of_and_end_the_session_only_where_the_stream_is_lost(name: str, octets: bytes, ends: bool) -> None:
    client, _ = joined()
    assert [type(event) for event in client.receive_data(octets, 0.1)] == [PeerFault]
    assert client.is_over is ends


CUT = b"\0\0\0\x17\0\0\0\x03\0\0\0\x09" + bytes.fromhex(IDENT) + b"\0"


def test_a_delivery_that_cannot_be_read_is_answered_with_its_id_and_status() -> None:
    client, _ = joined()
    client.receive_data(CUT, 0.1)
    assert sent(client) == [pdus.DeliverResp(sequence_id=9, msg_id=IDENT, status=Status.LENGTH)]


def test_a_submit_that_cannot_be_read_is_answered_without_an_id() -> None:
    _, server = joined()
    server.receive_data(CUT[:7] + b"\x02" + CUT[8:], 0.1)
    assert sent(server) == [pdus.SubmitResp(sequence_id=9, status=Status.LENGTH)]


EARLY: list[tuple[str, Callable[[], SmgpSession[str]], pdus.Pdu]] = [
    ("a delivery", lambda: SpSession(login(), SECRET, 4, TIMERS), pdus.Deliver()),
    ("a submit", lambda: SmgwSession(4, TIMERS), pdus.Submit(dest_term_ids=("1",))),
    ("a query", lambda: SmgwSession(4, TIMERS), pdus.Query()),
]


@pytest.mark.parametrize(("name", "make", "pdu"), EARLY, ids=[case[0] for case in EARLY])
def test_nothing_is_taken_before_the_login(name: str, make: Callable[[], SmgpSession[str]], pdu: pdus.Pdu) -> None:
    assert [type(event) for event in make().receive_data(codec.encode(pdu), 0.1)] == [PeerFault]


@pytest.mark.parametrize("leaves", [True, False], ids=["while we take our leave", "before the login"])
def test_a_submit_outside_of_a_session_is_answered_as_not_taken(leaves: bool) -> None:
    if leaves:
        _, server = joined()
        server.unbind(0.1)
    else:
        server = SmgwSession(4, TIMERS)
        server.connected(0.0)
    server.data_to_send()
    assert [type(event) for event in server.receive_data(codec.encode(pdus.Submit(7, dest_term_ids=("1",))), 0.2)] == [PeerFault]
    assert sent(server) == [pdus.SubmitResp(7, status=Status.BUSY if leaves else Status.COMMAND)]


def test_a_query_is_asked_of_the_owner_and_answered_by_it() -> None:
    _, server = joined()
    (asked,) = server.receive_data(codec.encode(pdus.Query(sequence_id=5, query_time="20231108")), 0.1)
    assert asked == Requested(pdus.Query(sequence_id=5, query_time="20231108"))
    server.send(pdus.QueryResp(sequence_id=5, query_time="20231108", mt_scs=7))
    assert sent(server) == [pdus.QueryResp(sequence_id=5, query_time="20231108", mt_scs=7)]


def test_nothing_is_submitted_before_the_login_nor_beyond_the_window() -> None:
    early: SpSession[str] = SpSession(login(), SECRET, 4, TIMERS)
    with pytest.raises(LocalProtocolError, match="not bound"):
        early.submit([(b"", "a")], 0.0)
    client, _ = joined()
    with pytest.raises(LocalProtocolError, match="window is full"):
        client.submit([(BODY, str(n)) for n in range(5)], 0.0)
    assert sent(client) == []


def test_a_delivery_that_does_not_fit_takes_no_permit() -> None:
    _, server = joined()
    with pytest.raises(LocalProtocolError):
        server.deliver([(pdus.Deliver(), "a"), (pdus.Deliver(msg_content=bytes(256)), "b")], 0.1)
    assert (server.free, sent(server)) == (4, [])
