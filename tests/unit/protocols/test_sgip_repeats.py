"""Requests that a peer of an SGIP session makes again."""

from typing import Any

from tests.unit.protocols.test_sgip_sessions import DOWNWARDS, GATEWAY, TIMERS, bind, joined, sent
from yanshu.protocols.events import Event, PeerFault, Requested
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import Result
from yanshu.protocols.sgip.repeats import Repeats
from yanshu.protocols.sgip.server import ServerSession
from yanshu.protocols.sgip.session import SgipSession


def requested(session: SgipSession[Any], *asked: pdus.Pdu) -> list[Event]:
    return [event for pdu in asked for event in session.receive_data(codec.encode(pdu), 1.0)]


def delivered(text: bytes = b"T", counter: int = 9) -> pdus.Deliver:
    return pdus.Deliver(sequence=pdus.Sequence(GATEWAY, 1108104300, counter), user_number="8613800138000", message_content=text)


def test_a_resent_request_is_taken_once_and_answered_twice() -> None:
    _, sp = joined(DOWNWARDS)
    (event,) = requested(sp, delivered())
    assert isinstance(event, Requested)
    sp.acknowledge([event.pdu])
    assert requested(sp, delivered()) == []
    first, second = sent(sp)
    assert first == second == pdus.DeliverResp(sequence=delivered().sequence)


def test_a_request_resent_before_it_is_safe_waits_for_the_first_ones_answer() -> None:
    _, sp = joined(DOWNWARDS)
    (event,) = requested(sp, delivered(), delivered())
    assert isinstance(event, Requested)
    assert sent(sp) == []
    sp.acknowledge([event.pdu])
    assert len(sent(sp)) == 1


def test_a_request_that_was_not_taken_is_taken_when_it_is_resent() -> None:
    _, sp = joined(DOWNWARDS)
    (event,) = requested(sp, delivered())
    assert isinstance(event, Requested)
    sp.acknowledge([event.pdu], Result.BUSY)
    assert [type(event) for event in requested(sp, delivered())] == [Requested]


def test_a_reused_sequence_with_other_content_is_error_9() -> None:
    _, sp = joined(DOWNWARDS)
    requested(sp, delivered())
    assert [type(event) for event in requested(sp, delivered(b"another"))] == [PeerFault]
    assert sent(sp) == [pdus.DeliverResp(sequence=delivered().sequence, result=Result.SEQUENCE)]
    assert sp.is_bound


def heard_over_two(repeats: Repeats) -> tuple[ServerSession[str], ServerSession[str]]:
    """Two connections of one gateway."""
    first: ServerSession[str] = ServerSession(DOWNWARDS, TIMERS, repeats)
    second: ServerSession[str] = ServerSession(DOWNWARDS, TIMERS, repeats)
    for session in (first, second):
        session.connected(0.0)
        session.receive_data(codec.encode(bind(DOWNWARDS)), 0.0)
        session.accept()
        session.data_to_send()
    return first, second


def test_a_request_resent_over_another_connection_is_taken_once_though_the_first_one_broke() -> None:
    first, second = heard_over_two(Repeats())
    (event,) = requested(first, delivered())
    assert isinstance(event, Requested)
    first.connection_lost(1.1)
    assert requested(second, delivered()) == []
    first.acknowledge([event.pdu])
    assert requested(second, delivered()) == []
    assert sent(second) == [pdus.DeliverResp(sequence=delivered().sequence)]


def test_a_gateway_that_counts_anew_with_each_connection_loses_nothing() -> None:
    first, second = heard_over_two(Repeats())
    assert [type(event) for event in requested(first, delivered(b"one")) + requested(second, delivered(b"two"))] == [Requested] * 2


def test_the_answer_to_one_request_says_nothing_of_another_with_its_sequence() -> None:
    first, second = heard_over_two(Repeats())
    (one, two) = requested(first, delivered(b"one")) + requested(second, delivered(b"two"))
    assert isinstance(one, Requested)
    assert isinstance(two, Requested)
    first.acknowledge([one.pdu])
    assert requested(second, delivered(b"two")) == []
    assert sent(second) == []  # it is not safe yet
    second.acknowledge([two.pdu])
    assert len(sent(second)) == 1


def test_only_the_latest_requests_are_remembered() -> None:
    session, _ = heard_over_two(Repeats(most=2))
    assert len(requested(session, *(delivered(counter=counter) for counter in (1, 2, 3, 3, 2, 1)))) == 4
