"""What every session of ours does, whatever the protocol: rules that other gateways broke."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.unit.protocols import test_cmpp_sessions as cmpp
from tests.unit.protocols import test_sgip_sessions as sgip
from tests.unit.protocols import test_smgp_sessions as smgp
from tests.unit.protocols import test_smpp_sessions as smpp
from yanshu.protocols.cmpp import pdus as cmpp_pdus
from yanshu.protocols.events import Answered, PeerFault, Requested
from yanshu.protocols.sgip.numbering import Sequences
from yanshu.protocols.sgip.server import ServerSession
from yanshu.protocols.smgp import pdus as smgp_pdus
from yanshu.protocols.smpp import pdus as smpp_pdus
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.protocols.smpp.smsc import SmscSession

WINDOW = 4


class Pair(NamedTuple):
    """Two ends that are bound at time 0, what is submitted and delivered, and how the server answers."""

    client: Any
    server: Any
    body: Any
    delivery: Any
    answer: Callable[[Any], None]

    def submit(self, items: str, now: float) -> list[Any]:
        """Submit one text an item; the requests as the server has them."""
        self.client.submit([(self.body, item) for item in items], now)
        return [event.pdu for event in self.server.receive_data(self.client.data_to_send(), now) if isinstance(event, Requested)]

    def deliver(self, now: float) -> list[Any]:
        """Deliver one thing; the requests as the client has them."""
        self.server.deliver([(self.delivery, "r")], now)
        return [event.pdu for event in self.client.receive_data(self.server.data_to_send(), now) if isinstance(event, Requested)]


def smpp_pair() -> Pair:
    client: EsmeSession[str] = EsmeSession(smpp_pdus.BindTransceiver(system_id="yanshu"), WINDOW, smpp.TIMERS)
    server: SmscSession[str] = SmscSession(WINDOW, smpp.TIMERS)
    _join(client, server, lambda: server.accept_bind("SMSC"))
    return Pair(client, server, smpp.BODY, smpp.RECEIPT, lambda pdu: server.answer(pdu, message_id="1"))


def cmpp_pair() -> Pair:
    client, server = cmpp.joined()
    return Pair(client, server, cmpp.Body(), cmpp_pdus.Deliver(), lambda pdu: server.answer(pdu, msg_id=1))


def smgp_pair() -> Pair:
    client, server = smgp.joined()
    return Pair(client, server, smgp.BODY, smgp_pdus.Deliver(), server.answer)


def sgip_pair() -> Pair:
    client = sgip.client_of(sgip.UPWARDS)
    server: ServerSession[str] = ServerSession(sgip.UPWARDS, sgip.TIMERS, window=WINDOW, sequences=Sequences(sgip.GATEWAY, sgip.stamp_at))
    _join(client, server, server.accept)
    return Pair(client, server, sgip.BODY, sgip.REPORT, lambda pdu: server.acknowledge([pdu]))


def _join(client: Any, server: Any, accept: Callable[[], None]) -> None:
    client.connected(0.0)
    server.connected(0.0)
    server.receive_data(client.data_to_send(), 0.0)
    accept()
    client.receive_data(server.data_to_send(), 0.0)
    assert client.is_bound


ALL = [smpp_pair, cmpp_pair, sgip_pair, smgp_pair]
# SGIP has no question whether the peer is there.
ASKING = [smpp_pair, cmpp_pair, smgp_pair]
over_all = pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__.partition("_")[0])
over_those_that_ask = pytest.mark.parametrize("make", ASKING, ids=lambda make: make.__name__.partition("_")[0])


@over_all
def test_answers_may_come_in_any_order(make: Callable[[], Pair]) -> None:
    pair = make()
    for pdu in reversed(pair.submit("abc", 0.1)):
        pair.answer(pdu)
    events = pair.client.receive_data(pair.server.data_to_send(), 0.2)
    assert [(event.item, event.status, event.is_late) for event in events] == [("c", 0, False), ("b", 0, False), ("a", 0, False)]
    assert pair.client.free == WINDOW


@over_all
def test_a_full_window_does_not_hold_up_an_acknowledgement(make: Callable[[], Pair]) -> None:
    pair = make()
    pair.submit("abcd", 0.1)
    assert pair.client.free == 0
    pair.client.acknowledge(pair.deliver(0.2))
    events = pair.server.receive_data(pair.client.data_to_send(), 0.3)
    assert [(event.item, event.status) for event in events if isinstance(event, Answered)] == [("r", 0)]


@over_those_that_ask
def test_a_full_window_does_not_hold_up_the_answer_to_a_probe(make: Callable[[], Pair]) -> None:
    pair = make()
    pair.client.submit([(pair.body, item) for item in "abcd"], 9.5)
    assert pair.client.free == 0
    pair.client.data_to_send()
    pair.server.tick(10.0)
    pair.client.receive_data(pair.server.data_to_send(), 10.1)
    assert pair.server.receive_data(pair.client.data_to_send(), 10.2) == []
    assert pair.server.next_deadline() == pytest.approx(20.2)


@over_those_that_ask
def test_any_octet_of_the_peer_counts_as_life(make: Callable[[], Pair]) -> None:
    pair = make()
    pair.deliver(9.0)
    pair.client.data_to_send()
    pair.client.tick(10.0)
    assert pair.client.data_to_send() == b""
    pair.client.tick(19.0)
    assert pair.client.data_to_send() != b""


@over_all
def test_an_answer_nobody_asked_for_is_never_answered(make: Callable[[], Pair]) -> None:
    pair = make()
    (pdu,) = pair.submit("a", 0.1)
    pair.answer(pdu)
    octets = pair.server.data_to_send()
    assert [type(event) for event in pair.client.receive_data(octets, 0.2)] == [Answered]
    assert [type(event) for event in pair.client.receive_data(octets, 0.3)] == [PeerFault]
    assert pair.client.data_to_send() == b""


@over_all
def test_a_permit_comes_back_when_no_answer_comes(make: Callable[[], Pair]) -> None:
    pair = make()
    pair.submit("abcd", 0.1)
    pair.client.tick(25.0)
    assert pair.client.free == WINDOW
