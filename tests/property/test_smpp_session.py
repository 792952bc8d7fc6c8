"""Laws of SMPP sessions: any cut of the stream gives the same events, and no octets break a session."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from yanshu.protocols.events import Answered, BindRequested, Event, Lost, TimedOut
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Command
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.protocols.smpp.smsc import SmscSession

TIMERS = Timers(response_timeout_seconds=2)
BODY = codec.body(pdus.SubmitSm(destination_addr="86138", short_message=b"hi"))

frames = st.one_of(
    st.builds(
        lambda seq, ident: codec.encode(pdus.SubmitSmResp(sequence_number=seq, message_id=ident)), st.integers(0, 8), st.sampled_from("ab")
    ),
    st.builds(
        lambda seq: codec.encode(pdus.DeliverSm(sequence_number=seq, short_message=b"id:1 stat:DELIVRD", esm_class=4)), st.integers(0, 9)
    ),
    st.builds(lambda seq: codec.encode(pdus.EnquireLink(sequence_number=seq)), st.integers(0, 9)),
    st.builds(lambda seq: codec.encode(pdus.GenericNack(sequence_number=seq, command_status=3)), st.integers(0, 9)),
    st.builds(
        lambda command, body: codec.pack_header(16 + len(body), command, 0, 3) + body,
        st.sampled_from([*Command, 0x99]),
        st.binary(max_size=40),
    ),
    st.binary(min_size=1, max_size=30),
)
streams = st.lists(frames, max_size=12).map(b"".join)


def client() -> EsmeSession[int]:
    session: EsmeSession[int] = EsmeSession(pdus.BindTransceiver(), 5, TIMERS)
    session.connected(0.0)
    session.receive_data(codec.encode(pdus.BindTransceiverResp(sequence_number=1)), 0.0)
    session.submit([(BODY, item) for item in range(5)], 0.0)
    session.data_to_send()
    return session


def server() -> SmscSession[int]:
    session: SmscSession[int] = SmscSession(5, TIMERS)
    session.connected(0.0)
    return session


def feed(session: Any, pieces: list[bytes]) -> tuple[list[Event], bytes, bool]:
    """What comes of a stream: events, answer and whether the session is over. A server lets everybody in."""
    events: list[Event] = []
    out = b""
    for piece in pieces:
        events += session.receive_data(piece, 0.5)
        out += session.data_to_send()
    return events, out, session.is_over


@given(streams, st.data())
def test_any_cut_of_the_stream_gives_the_same_events(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    for make in (client, server):
        assert feed(make(), pieces) == feed(make(), [stream])
        assert feed(make(), [stream[at : at + 1] for at in range(len(stream))]) == feed(make(), [stream])


@given(streams)
def test_every_submit_ends_exactly_once(stream: bytes) -> None:
    session = client()
    events = session.receive_data(stream, 0.5)
    events += session.tick(2.0)
    events += session.connection_lost(3.0)
    ended = [event.item for event in events if isinstance(event, Answered | TimedOut | Lost) and not getattr(event, "is_late", False)]
    assert sorted(ended) == list(range(5))


@given(streams)
def test_a_server_survives_anything_before_and_after_a_bind(stream: bytes) -> None:
    session = server()
    session.receive_data(stream, 0.1)
    bound = server()
    (asked,) = bound.receive_data(codec.encode(pdus.BindTransceiver(sequence_number=1)), 0.1)
    assert isinstance(asked, BindRequested)
    bound.accept_bind("SMSC")
    bound.receive_data(stream, 0.2)
