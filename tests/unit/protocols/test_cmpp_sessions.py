"""Both ends of a CMPP session, joined in memory, and each end against a peer that misbehaves."""

from typing import Any

import pytest

from yanshu.protocols.cmpp import codec, digests, pdus
from yanshu.protocols.cmpp.constants import ConnectStatus, Result, Version
from yanshu.protocols.cmpp.ismg import IsmgSession
from yanshu.protocols.cmpp.session import CmppSession
from yanshu.protocols.cmpp.sp import SpSession
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, BindRefused, BindRequested, Bound, Event, Lost, PeerFault, Requested, TimedOut, Unbound
from yanshu.protocols.session import Timers

TIMERS = Timers(bind_timeout_seconds=5, response_timeout_seconds=2, probe_seconds=10, probes_unanswered=3, unbind_timeout_seconds=3)
SECRET = "s3cr3t!"
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.name)


def connect(version: Version) -> pdus.Connect:
    digest = digests.authenticator_source("901234", SECRET, 102030405)
    return pdus.Connect(source_addr="901234", authenticator_source=digest, version=int(version), timestamp=102030405)


class Body:
    """A submit in whichever version."""

    def octets(self, version: Version) -> bytes:
        return codec.body(pdus.Submit(dest_terminal_ids=("13800138000",), msg_content=b"hi"), version)


def sent(session: CmppSession[Any]) -> list[pdus.Pdu]:
    """What a session wrote, as PDUs."""
    data, found = session.data_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(codec.decode(data[:length], session.version))
        data = data[length:]
    return found


def joined(version: Version = Version.V30) -> tuple[SpSession[str], IsmgSession[str]]:
    """Two ends that have logged in at time 0."""
    client: SpSession[str] = SpSession(connect(version), SECRET, 4, TIMERS)
    server: IsmgSession[str] = IsmgSession(4, TIMERS)
    client.connected(0.0)
    server.connected(0.0)
    (asked,) = server.receive_data(client.data_to_send(), 0.0)
    assert isinstance(asked, BindRequested)
    assert server.proves(asked.pdu, SECRET)
    server.accept(SECRET)
    assert client.receive_data(server.data_to_send(), 0.0) == [Bound("", int(version))]
    return client, server


@BOTH
def test_the_two_ends_understand_each_other(version: Version) -> None:
    client, server = joined(version)
    assert client.gateway_is_proven
    client.submit([(Body(), "a"), (Body(), "b")], 0.3)
    for number, event in enumerate(server.receive_data(client.data_to_send(), 0.4)):
        assert isinstance(event, Requested)
        server.answer(event.pdu, result=number * Result.FLOW_CONTROL, msg_id=0xB42A9EC0303902A6 + number)
    answers = client.receive_data(server.data_to_send(), 0.5)
    assert answers == [Answered("a", 0, "b42a9ec0303902a6"), Answered("b", 8, "b42a9ec0303902a7")]

    server.deliver([(pdus.Deliver(msg_id=7, src_terminal_id="13800138000", msg_content=b"T"), "r")], 0.6)
    (delivered,) = client.receive_data(server.data_to_send(), 0.7)
    assert isinstance(delivered, Requested)
    client.acknowledge([delivered.pdu])
    assert server.receive_data(client.data_to_send(), 0.8) == [Answered("r", 0, "")]

    client.unbind(0.9)
    assert server.receive_data(client.data_to_send(), 1.0) == [Unbound()]
    assert client.receive_data(server.data_to_send(), 1.1) == []
    assert (client.is_over, client.reason, server.is_over) == (True, "unbound", True)


@BOTH
def test_a_stream_may_be_cut_anywhere(version: Version) -> None:
    client, server = joined(version)
    client.submit([(Body(), "a")], 0.1)
    events: list[Event] = []
    for octet in client.data_to_send():
        events += server.receive_data(bytes((octet,)), 0.2)
    assert [type(event) for event in events] == [Requested]


def test_a_wrong_secret_is_seen_by_the_gateway_and_ends_the_session() -> None:
    client: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    server: IsmgSession[str] = IsmgSession(4, TIMERS)
    client.connected(0.0)
    (asked,) = server.receive_data(client.data_to_send(), 0.0)
    assert isinstance(asked, BindRequested)
    assert not server.proves(asked.pdu, "another")
    server.refuse(ConnectStatus.AUTHENTICATION)
    assert client.receive_data(server.data_to_send(), 0.1) == [BindRefused(3)]
    assert (client.is_over, server.is_over) == (True, True)


def test_a_gateway_that_does_not_know_the_secret_is_reported_and_not_left() -> None:
    client: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    client.connected(0.0)
    octets = codec.encode(pdus.ConnectResp(sequence_id=1, version=0x30), Version.V30)
    assert [type(event) for event in client.receive_data(octets, 0.1)] == [PeerFault, Bound]
    assert (client.gateway_is_proven, client.is_bound) == (False, True)


def test_a_version_too_high_is_refused_with_its_status() -> None:
    client: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    server: IsmgSession[str] = IsmgSession(4, TIMERS, Version.V20)
    client.connected(0.0)
    assert server.receive_data(client.data_to_send(), 0.0) == []
    assert client.receive_data(server.data_to_send(), 0.1) == [BindRefused(ConnectStatus.VERSION_TOO_HIGH)]


def test_a_silent_peer_is_asked_three_times_and_left() -> None:
    client, _ = joined()
    asked = 0
    for second in range(1, 60):
        client.tick(float(second))
        asked += sum(isinstance(pdu, pdus.ActiveTest) for pdu in sent(client))
        if client.is_over:
            break
    assert (asked, client.reason, second) == (3, "the peer is silent", 40)


def test_an_active_test_answered_with_another_one_is_answered_and_counts_as_life() -> None:
    client, _ = joined()
    client.tick(10.0)
    (question,) = sent(client)
    client.receive_data(codec.encode(pdus.ActiveTest(sequence_id=question.sequence_id), Version.V30), 10.1)
    assert sent(client) == [pdus.ActiveTestResp(sequence_id=question.sequence_id)]
    assert client.next_deadline() == pytest.approx(20.1)


def test_an_answer_after_its_time_is_late_and_one_nobody_waits_for_is_a_fault() -> None:
    client, server = joined()
    client.submit([(Body(), "a")], 0.0)
    (request,) = server.receive_data(client.data_to_send(), 0.0)
    assert isinstance(request, Requested)
    assert client.tick(2.5) == [TimedOut("a")]
    assert client.free == 4
    server.answer(request.pdu, msg_id=1)
    octets = server.data_to_send()
    assert client.receive_data(octets, 3.0) == [Answered("a", 0, "0000000000000001", is_late=True)]
    assert [type(event) for event in client.receive_data(octets, 3.1)] == [PeerFault]


def test_what_waits_is_lost_with_the_connection() -> None:
    client, _ = joined()
    client.submit([(Body(), "a"), (Body(), "b")], 0.0)
    assert client.connection_lost(0.1) == [Lost("a"), Lost("b")]


BROKEN = [
    ("a length of nothing", b"\0\0\0\x04\0\0\0\0", True),
    ("a length of gigabytes", b"\x7f\xff\xff\xff\0\0\0\0", True),
    ("a command nobody knows", b"\0\0\0\x0c\0\0\0\x33\0\0\0\x01", False),
    ("a delivery that ends too early", b"\0\0\0\x10\0\0\0\x05\0\0\0\x09abcd", False),
    ("an answer without an id", b"\0\0\0\x0e\x80\0\0\x04\0\0\0\x01ab", False),
]


@pytest.mark.parametrize(("name", "octets", "ends"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_octets_are_told_of_and_end_the_session_only_where_the_stream_is_lost(name: str, octets: bytes, ends: bool) -> None:
    client, _ = joined()
    assert [type(event) for event in client.receive_data(octets, 0.1)] == [PeerFault]
    assert client.is_over is ends


def test_a_delivery_that_cannot_be_read_is_answered_with_its_result() -> None:
    client, _ = joined()
    client.receive_data(b"\0\0\0\x16\0\0\0\x05\0\0\0\x09" + bytes(7) + b"\x05ab", 0.1)
    assert sent(client) == [pdus.DeliverResp(sequence_id=9, msg_id=5, result=Result.LENGTH)]


def test_nothing_is_submitted_before_the_login_nor_beyond_the_window() -> None:
    early: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    with pytest.raises(LocalProtocolError, match="not bound"):
        early.submit([(Body(), "a")], 0.0)
    client, _ = joined()
    with pytest.raises(LocalProtocolError, match="window is full"):
        client.submit([(Body(), str(n)) for n in range(5)], 0.0)
    assert sent(client) == []


def test_a_gateway_that_accepts_and_names_a_lower_version_is_spoken_to_in_that() -> None:
    client: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    server: IsmgSession[str] = IsmgSession(4, TIMERS, Version.V20)
    client.connected(0.0)
    client.data_to_send()
    client.receive_data(codec.encode(pdus.ConnectResp(sequence_id=1, version=0x20), Version.V20), 0.1)
    assert client.version is Version.V20
    server.receive_data(codec.encode(connect(Version.V20), Version.V20), 0.1)
    server.accept(SECRET)
    server.data_to_send()
    client.submit([(Body(), "a")], 0.2)
    (request,) = server.receive_data(client.data_to_send(), 0.3)
    assert isinstance(request, Requested)
    assert request.pdu.msg_content == b"hi"


def test_a_gateway_that_leaves_its_version_out_is_believed_to_speak_ours() -> None:
    client: SpSession[str] = SpSession(connect(Version.V30), SECRET, 4, TIMERS)
    client.connected(0.0)
    client.receive_data(codec.encode(pdus.ConnectResp(sequence_id=1, version=0), Version.V30), 0.1)
    assert (client.is_bound, client.version) == (True, Version.V30)


def test_a_query_and_a_cancel_are_answered_with_their_own_responses() -> None:
    _, server = joined()
    for request, answer in ((pdus.Cancel(9, msg_id=5), pdus.CancelResp(9, success_id=1)), (pdus.Query(9), pdus.QueryResp(9, mt_scs=4))):
        (event,) = server.receive_data(codec.encode(request, Version.V30), 0.1)
        assert isinstance(event, Requested)
        values = {"success_id": 1} if isinstance(answer, pdus.CancelResp) else {"mt_scs": 4}
        server.answer(event.pdu, **values)
        assert sent(server) == [answer]


@pytest.mark.parametrize("leaves", [True, False], ids=["while we take our leave", "before the login"])
def test_a_submit_outside_of_a_session_is_answered_as_not_taken(leaves: bool) -> None:
    if leaves:
        _, server = joined()
        server.unbind(0.1)
    else:
        server = IsmgSession(4, TIMERS)
        server.connected(0.0)
    server.data_to_send()
    octets = codec.encode(pdus.Submit(7, dest_terminal_ids=("1",)), Version.V30)
    assert [type(event) for event in server.receive_data(octets, 0.2)] == [PeerFault]
    assert sent(server) == [pdus.SubmitResp(7, result=Result.FLOW_CONTROL if leaves else Result.COMMAND)]


@pytest.mark.parametrize(("octets", "status"), [(b"\x08", 8), (b"\x08\0", 8), (b"\0\0\0\x08", 8)], ids=["1", "2", "4"])
def test_flow_control_is_understood_however_wide_the_result_is(octets: bytes, status: int) -> None:
    client, _ = joined()
    client.submit([(Body(), "a")], 0.0)
    (request,) = sent(client)
    body = bytes(8) + octets
    frame = b"".join(n.to_bytes(4, "big") for n in (12 + len(body), 0x80000004, request.sequence_id)) + body
    assert client.receive_data(frame, 0.1) == [Answered("a", status, "0000000000000000")]


def test_an_active_test_with_a_stray_octet_is_answered() -> None:
    client, _ = joined()
    client.receive_data(b"\0\0\0\x0d\0\0\0\x08\0\0\0\x05\0", 0.1)
    assert sent(client) == [pdus.ActiveTestResp(sequence_id=5)]
