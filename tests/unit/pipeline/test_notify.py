"""The pure parts of notify: slots, ids in order, what an object was after an event."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.events import Event
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.domain.webhooks import Delivery, DeliveryStatus
from yanshu.pipeline.notify_deliver import CONCURRENCY, Slots
from yanshu.pipeline.notify_expand import Minter
from yanshu.pipeline.notify_settle import INTERNAL, Attempt
from yanshu.pipeline.notify_view import as_of
from yanshu.ports.channel import PostResult
from yanshu.rules.webhooks.retries import Ending
from yanshu.testing.clocks import FakeClock

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

MESSAGE = Message(
    id="msg_1",
    workspace_id="ws_1",
    livemode=True,
    lane=Lane.OTP,
    recipient="+8613800138000",
    sender="10690000",
    text="t",
    encoding=Encoding.GSM7,
    units=1,
    segments=1,
    status=Status.DELIVERED,
    created_at=NOW,
    updated_at=NOW + timedelta(seconds=9),
    expires_at=NOW + timedelta(seconds=300),
    due_at=None,
    submitted_at=NOW + timedelta(seconds=5),
    done_at=NOW + timedelta(seconds=9),
    connector_id="con_2",
    version=5,
)


def event(seq: int, seconds: int, **data: object) -> Event:
    at = NOW + timedelta(seconds=seconds)
    return Event(
        id=f"evt_{seq}", workspace_id="ws_1", livemode=True, type="message.x", object_id="msg_1", seq=seq, created_at=at, data=dict(data)
    )


def delivery(attempts: int = 0) -> Delivery:
    return Delivery(
        id="dlv_1",
        workspace_id="ws_1",
        endpoint_id="whe_1",
        url="https://example.com",
        events=("evt_1",),
        objects=("msg_1",),
        status=DeliveryStatus.PENDING,
        created_at=NOW,
        updated_at=NOW,
        next_at=NOW,
        attempts=attempts,
    )


def test_a_late_call_tells_what_was_so_then() -> None:
    then = as_of(MESSAGE, event(2, 3, status="queued", previous="submitting", connector="con_1", reason="carrier_busy"))
    assert isinstance(then, Message)
    assert (then.status, then.version, then.connector_id, then.reason_code) == (Status.QUEUED, 2, "con_1", "carrier_busy")
    assert (then.updated_at, then.submitted_at, then.done_at) == (NOW + timedelta(seconds=3), None, None)


def test_what_came_before_the_event_is_kept() -> None:
    then = as_of(MESSAGE, event(4, 7, status="undelivered", connector="con_2", reason="no_receipt"))
    assert isinstance(then, Message)
    assert (then.submitted_at, then.done_at) == (MESSAGE.submitted_at, NOW + timedelta(seconds=7))


@pytest.mark.parametrize(
    ("label", "subject", "happened"),
    [
        ("nothing is known of it any more", None, event(2, 3, status="queued")),
        ("it is still so", MESSAGE, event(5, 9, status="delivered")),
        ("the event is not about a status", MESSAGE, event(3, 9, note="x")),
    ],
)
def test_the_object_is_shown_as_it_is_when(label: str, subject: Message | None, happened: Event) -> None:
    assert as_of(subject, happened) is subject, label


@given(st.lists(st.integers(-2000, 2000), min_size=1, max_size=20))
def test_ids_of_deliveries_ascend_even_when_the_clock_steps_back(steps: list[int]) -> None:
    clock = FakeClock()
    minter = Minter(clock)
    made: list[str] = []
    for step in steps:
        clock.set(clock.now() + timedelta(milliseconds=step))
        made += [item.id for item in minter.deliveries([[event(1, 0)], [event(2, 0)]], "https://example.com", "whe_1")]
    assert made == sorted(set(made))


def test_a_fast_target_may_have_every_slot() -> None:
    slots = Slots()
    assert all(slots.take("fast") for _ in range(CONCURRENCY))
    assert slots.free() == 0


@pytest.mark.parametrize(
    ("label", "failed", "took_ms", "share"),
    [("failing", True, 5, 1), ("slow", False, 9000, CONCURRENCY // 4), ("well again", False, 5, CONCURRENCY)],
)
def test_a_target_gets_a_share_by_how_its_last_call_went(label: str, failed: bool, took_ms: int, share: int) -> None:
    slots = Slots()
    slots.judge("target", failed=True, took_ms=5)
    slots.judge("target", failed=failed, took_ms=took_ms)
    assert sum(slots.take("target") for _ in range(CONCURRENCY)) == share, label
    assert slots.free() == CONCURRENCY - share


def test_slots_given_back_are_free_again() -> None:
    slots = Slots(1)
    assert slots.take("a")
    slots.give_back("a")
    assert (slots.free(), slots.take("b")) == (1, True)


@pytest.mark.parametrize(
    ("label", "result", "hopeless", "ending", "was_made"),
    [
        ("a success", PostResult(204, None, None, 3), False, Ending.DELIVERED, True),
        ("no answer", PostResult(None, "timeout", None, 10_000), False, Ending.RETRY, True),
        ("our own fault says nothing about them", PostResult(None, INTERNAL, None, 0), False, Ending.RETRY, False),
        ("nobody to call", PostResult(None, "endpoint_disabled", None, 0), True, Ending.GIVEN_UP, False),
    ],
)
def test_an_attempt_is(label: str, result: PostResult, hopeless: bool, ending: Ending, was_made: bool) -> None:
    attempt = Attempt(delivery(), result, NOW, hopeless)
    assert (attempt.ending, attempt.was_made) == (ending, was_made), label
