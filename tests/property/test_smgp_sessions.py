"""Laws of SMGP sessions: no octets from the peer bring an error, and every item is told of exactly once."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.test_smgp_sessions import BODY, joined
from yanshu.protocols.events import Answered, Event, Lost, TimedOut
from yanshu.protocols.layouts import THREE_WORDS
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import Command

numbers = st.integers(0, 8)
strange = st.builds(
    lambda command, number, body: THREE_WORDS.pack(12 + len(body), command, number) + body,
    st.sampled_from([int(command) for command in Command]),
    numbers,
    st.binary(max_size=200),
)
answers = st.builds(pdus.SubmitResp, sequence_id=numbers, status=numbers) | st.builds(pdus.DeliverResp, sequence_id=numbers)
octets = answers.map(codec.encode) | strange | st.binary(max_size=20)


def told(events: list[Event]) -> list[str]:
    """Return the items whose end was told of; a late answer comes after its `TimedOut`."""
    return [event.item for event in events if isinstance(event, TimedOut | Lost) or (isinstance(event, Answered) and not event.is_late)]


@given(st.lists(octets, max_size=8))
def test_whatever_the_peer_sends_every_item_is_told_of_once(parts: list[bytes]) -> None:
    client, server = joined()
    client.submit([(BODY, "a"), (BODY, "b")], 0.0)
    server.deliver([(pdus.Deliver(), "a"), (pdus.Deliver(), "b")], 0.0)
    for session in (client, server):
        events: list[Event] = []
        for second, part in enumerate(parts):
            events += session.receive_data(part, float(second))
            events += session.tick(float(second))
        events += session.connection_lost(9.0)
        assert sorted(told(events)) == ["a", "b"]
