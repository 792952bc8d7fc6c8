"""When a client of SGIP is at rest, and when it is in trouble: there is no heartbeat that tells."""

from collections.abc import Callable

import pytest

from tests.unit.protocols.test_sgip_sessions import BODY, NODE, TIMERS, UPWARDS, bind, client_of, joined, numbered, sent, stamp_at
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.client import ClientSession
from yanshu.protocols.sgip.constants import Result
from yanshu.protocols.sgip.numbering import Sequences


def test_a_client_that_waits_for_answers_does_not_call_itself_idle() -> None:
    client, _ = joined()
    client.submit([(BODY, "a")], 29.0)
    client.data_to_send()
    client.tick(30.0)
    assert (client.data_to_send(), client.is_bound) == (b"", True)


def test_a_gateway_that_answers_nothing_any_more_is_left_and_not_taken_for_idle() -> None:
    client, _ = joined()
    for now in (29.0, 59.0, 89.0):
        client.submit([(BODY, "a")], now)
        client.tick(now + 1)
    assert (client.is_over, client.reason) == (True, "the peer is silent")
    client.connection_lost(90.0)
    assert not client.is_at_rest


def test_a_client_that_stays_is_not_idle_and_outlives_any_silence_in_which_it_asked_nothing() -> None:
    client: ClientSession[str] = ClientSession(bind(UPWARDS), Sequences(NODE, stamp_at), 4, TIMERS, leaves_when_idle=False)
    client.connected(0.0)
    client.receive_data(codec.encode(pdus.BindResp()), 0.0)
    client.data_to_send()
    for now in range(30, 3000, 30):
        client.tick(float(now))
    assert (client.data_to_send(), client.is_bound) == (b"", True)
    client.connection_lost(3000.0)
    assert not client.is_at_rest


def unbind(client: ClientSession[str]) -> None:
    client.tick(30.0)
    client.receive_data(codec.encode(pdus.UnbindResp()), 30.1)


def be_silent(client: ClientSession[str]) -> None:
    client.tick(30.0)
    client.tick(33.0)


def hear_goodbye(client: ClientSession[str]) -> None:
    client.receive_data(numbered(pdus.Unbind()), 29.0)


def ask(client: ClientSession[str]) -> None:
    client.submit([(BODY, "a")], 29.0)


def ask_and_hear(client: ClientSession[str]) -> None:
    client.submit([(BODY, "a")], 29.0)
    (_, submitted) = sent(client)
    client.receive_data(codec.encode(pdus.SubmitResp(sequence=submitted.sequence)), 29.1)


def leave_after_silence(client: ClientSession[str]) -> None:
    client.submit([(BODY, "a")], 5.0)
    client.tick(25.0)
    client.tick(30.0)


ENDS: list[tuple[str, Callable[[ClientSession[str]], None], bool]] = [
    ("it left because it was idle", unbind, True),
    ("its goodbye was not answered", be_silent, True),
    ("the gateway said goodbye after a while without requests", hear_goodbye, True),
    ("the gateway hung up after a while without requests", lambda _: None, True),
    ("it left because it was idle, its last request unanswered", leave_after_silence, False),
    ("the gateway hung up on a request", ask, False),
    ("the gateway hung up right after an answer", ask_and_hear, False),
]


@pytest.mark.parametrize(("name", "ends", "rests"), ENDS, ids=[case[0] for case in ENDS])
def test_a_client_is_at_rest_when_it_ended_for_want_of_requests_alone(
    name: str, ends: Callable[[ClientSession[str]], None], rests: bool
) -> None:
    client = client_of(UPWARDS)
    client.connected(0.0)
    client.receive_data(codec.encode(pdus.BindResp()), 0.0)
    ends(client)
    client.connection_lost(31.0)
    assert client.is_at_rest is rests


@pytest.mark.parametrize("answer", [b"", codec.encode(pdus.BindResp(result=Result.BAD_LOGIN))], ids=["silence", "refusal"])
def test_a_client_that_never_bound_is_not_at_rest(answer: bytes) -> None:
    client = client_of(UPWARDS)
    client.connected(0.0)
    client.receive_data(answer, 0.1)
    client.connection_lost(31.0)
    assert not client.is_at_rest
