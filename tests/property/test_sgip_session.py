"""Laws of SGIP sessions: any octets, cut anywhere, raise nothing, and an answer is matched to its own request."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.test_sgip_sessions import BODY, DOWNWARDS, UPWARDS, joined, numbered
from yanshu.protocols.events import Answered, Requested
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.constants import Command

frames = st.builds(
    lambda command, body: (20 + len(body)).to_bytes(4, "big") + int(command).to_bytes(4, "big") + bytes(12) + body,
    st.sampled_from(list(Command)) | st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=200),
)
whole = st.builds(numbered, st.builds(pdus.Deliver, message_content=st.binary(max_size=140)))
streams = st.lists(frames | whole | st.binary(max_size=30), max_size=6).map(b"".join)


@given(streams, st.sampled_from([UPWARDS, DOWNWARDS]), st.integers(1, 64))
def test_any_octets_cut_anywhere_are_survived_by_both_ends(stream: bytes, login_type: object, step: int) -> None:
    for session in joined(login_type):  # type: ignore[arg-type]
        for at in range(0, len(stream), step):
            session.receive_data(stream[at : at + step], 1.0)
        session.tick(2.0)
        session.connection_lost(3.0)


@given(st.permutations(range(4)), st.integers(0, 255))
def test_answers_in_any_order_go_to_their_own_requests(order: list[int], result: int) -> None:
    client, server = joined()
    client.submit([(BODY, str(n)) for n in range(4)], 1.0)
    requests = [event.pdu for event in server.receive_data(client.data_to_send(), 1.1) if isinstance(event, Requested)]
    for place in order:
        server.acknowledge([requests[place]], result)
    answers = client.receive_data(server.data_to_send(), 1.2)
    assert answers == [Answered(str(place), result, requests[place].sequence.message_id) for place in order]
