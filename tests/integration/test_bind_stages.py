"""The stages of binds over both stores: segments that lost their siblings or their process, what is owed, and its end."""

from datetime import timedelta
from typing import Any

import pytest

from yanshu.app.binds import read_text
from yanshu.domain.binds import Bind, BindDelivery, BindSubmit, Wanted
from yanshu.domain.errors import CallerError
from yanshu.domain.events import Event
from yanshu.domain.messages import Message, Status
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.bind_accept import PART_WAIT, BindIntake, Told
from yanshu.pipeline.bind_expand import KEPT, BindExpander
from yanshu.pipeline.bind_outbox import Outbox
from yanshu.pipeline.bind_sweep import BindSweeper
from yanshu.pipeline.check import Checker
from yanshu.pipeline.compose import Composer
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.route import Router
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.rules.contacts.lessons import Policy
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Supervisor
from yanshu.testing.bind_samples import BindSamples
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import changed

WS = "ws_one"


class Counter:
    """The stages of binds in one process."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock, self.metrics = store, clock, Metrics()
        self.samples = BindSamples(clock)
        self.bind = self.samples.bind(id="bnd_one")
        self.router = Router(store)
        numbers = Numbers(store, clock, shipped_prefixes(), Policy(), self.metrics)
        self.composer = Composer(clock, Checker(), self.router, numbers)
        self.accepter = Accepter(store, clock, self.composer, self.metrics, 20_000)
        self.intake = BindIntake(store, clock, self.accepter, read_text)
        self.expander = BindExpander(store, clock)
        self.outbox = Outbox(store, clock, self.metrics)
        self.sweeper = BindSweeper(store, clock, self.intake, self.outbox)
        self.supervisor = Supervisor(self.metrics)

    async def open(self) -> None:
        """Make a way out and the bind, and let texts in."""
        async with self.store.write() as uow:
            connector = self.samples.connector(id="con_one")
            await uow.definitions.save_connector(connector)
            await uow.definitions.save_route(self.samples.route())
            await uow.binds.save(self.bind)
            await uow.commit()
        await self.router.refresh()
        self.supervisor.spawn("accept", self.accepter.run)

    async def take(self, *submits: BindSubmit) -> list[Told]:
        return await self.intake.take(self.bind, submits)

    async def messages(self) -> list[Message]:
        async with self.store.read() as uow:
            return (await uow.messages.page(WS, MessageFilter(), Page(descending=False))).messages

    async def owed(self, bind: Bind | None = None, limit: int = 100) -> list[BindDelivery]:
        """Note what is owed and claim it."""
        while await self.expander.step():
            pass
        return await self.outbox.claim((bind or self.bind).id, limit)

    async def end(self, message: Message, status: Status, **data: Any) -> None:
        """Let a message have ended."""
        async with self.store.write() as uow:
            event = self.samples.event(message, type=f"message.{status}", seq=message.version + 1, data={"status": str(status), **data})
            await uow.events.add([event])
            await uow.commit()


@pytest.fixture
async def counter(store: Store, clock: FakeClock) -> Any:
    counter = Counter(store, clock)
    await counter.open()
    yield counter
    await counter.supervisor.stop()


def submit(text: str = "您好", **fields: Any) -> BindSubmit:
    values: dict[str, Any] = {
        "numbers": ("13800138000",),
        "sender": "1069",
        "source": "0.0.1069",
        "destinations": ("0.0.13800138000",),
        "content": text.encode("utf-16-be"),
        "coding": 8,
        "wanted": Wanted.ALWAYS,
    }
    return BindSubmit(**(values | fields))


async def test_an_accepted_submit_is_answered_with_its_messages_id(counter: Counter) -> None:
    ((ident,),) = await counter.take(submit())
    (message,) = await counter.messages()
    assert (message.id, message.text, message.sender, message.status) == (ident, "您好", "1069", Status.QUEUED)


async def test_of_a_chunk_the_good_are_taken_and_the_bad_refused(counter: Counter) -> None:
    told = await counter.take(submit("a"), submit(numbers=("12",)), submit(""), submit("b"))
    assert [one.code if isinstance(one, CallerError) else "" for one in told] == ["", "phone_invalid", "text_empty", ""]
    assert [message.text for message in await counter.messages()] == ["a", "b"]


async def test_what_the_store_cannot_take_now_is_told_and_nothing_of_it_is_kept(counter: Counter) -> None:
    full = Accepter(counter.store, counter.clock, counter.composer, counter.metrics, backlog=0)
    told = await BindIntake(counter.store, counter.clock, full, read_text).take(counter.bind, [submit("a"), submit("b")])
    assert [one.code for one in told if isinstance(one, CallerError)] == ["overloaded", "overloaded"]
    assert await counter.messages() == []


async def test_a_text_to_many_is_taken_whole_and_what_is_wrong_with_one_number_is_told_by_receipt(counter: Counter) -> None:
    told = await counter.take(submit(numbers=("13800138000", "12"), destinations=("a", "b"), idents=("1", "2")))
    assert told == [("1", "2")]
    good, bad = await counter.messages()
    assert (good.status, bad.status, bad.reason_code) == (Status.QUEUED, Status.REJECTED, "phone_invalid")
    (owed,) = await counter.owed()
    assert owed.receipt is not None
    assert (owed.receipt.ident, owed.receipt.destination, owed.receipt.status) == ("2", "b", Status.REJECTED)


async def test_segments_that_come_apart_are_joined_by_the_last(counter: Counter) -> None:
    told = [(await counter.take(submit(piece, part=part, parts=3, reference=9)))[0] for part, piece in ((3, "丙"), (1, "甲"), (2, "乙"))]
    assert len({str(one) for one in told}) == 3
    (message,) = await counter.messages()
    assert (message.text, message.segments) == ("甲乙丙", 1)
    await counter.end(message, Status.DELIVERED)
    owed = await counter.owed()
    assert {(one.receipt.ident,) for one in owed if one.receipt} == set(told)


async def test_a_segment_whose_number_is_wrong_is_refused_at_once(counter: Counter) -> None:
    (told,) = await counter.take(submit("甲", part=1, parts=2, numbers=("12",)))
    assert isinstance(told, CallerError)
    async with counter.store.read() as uow:
        assert await uow.binds.ripe_groups(counter.clock.now(), counter.clock.now() + timedelta(hours=1), 10) == []


async def test_what_a_process_left_complete_is_joined_by_another(counter: Counter, clock: FakeClock) -> None:
    await counter.take(submit("甲", part=1, parts=2))
    async with counter.store.write() as uow:
        (first,) = await uow.binds.parts_of("bnd_one", "0.0.1069\x1f0.0.13800138000\x1f0\x1f2")
        second = changed(first, id="seg_2", part=2, submit=submit("乙", part=2, parts=2, idents=("seg_2",)))
        await uow.binds.add_parts([second])
        await uow.commit()
    await counter.sweeper.step()
    assert await counter.messages() == []
    clock.advance(3)
    await counter.sweeper.step()
    assert [message.text for message in await counter.messages()] == ["甲乙"]


async def test_a_text_whose_segments_never_come_is_rejected_and_says_so(counter: Counter, clock: FakeClock) -> None:
    ((ident,),) = await counter.take(submit("甲", part=1, parts=2))
    clock.advance(PART_WAIT.total_seconds() - 1)
    await counter.sweeper.step()
    assert await counter.messages() == []
    clock.advance(2)
    await counter.sweeper.step()
    (message,) = await counter.messages()
    assert (message.status, message.reason_code) == (Status.REJECTED, "segments_missing")
    (owed,) = await counter.owed()
    assert owed.receipt is not None
    assert (owed.receipt.ident, owed.receipt.status, owed.receipt.reason) == (ident, Status.REJECTED, "segments_missing")


async def test_a_reference_that_is_used_again_does_not_mix_two_texts(counter: Counter) -> None:
    ((first,),) = await counter.take(submit("旧", part=1, parts=2))
    ((second,),) = await counter.take(submit("新", part=1, parts=2))
    await counter.take(submit("的", part=2, parts=2))
    assert first != second
    messages = await counter.messages()
    assert [(message.text, message.status, message.reason_code) for message in messages] == [
        ("旧", Status.REJECTED, "segments_missing"),
        ("新的", Status.QUEUED, None),
    ]
    (owed,) = await counter.owed()
    assert owed.receipt is not None
    assert owed.receipt.ident == first


async def test_more_segments_than_any_text_may_have_are_refused(counter: Counter) -> None:
    (told,) = await counter.take(submit("甲", part=1, parts=255))
    assert isinstance(told, CallerError)
    assert told.code == "text_too_long"


async def test_there_is_one_final_receipt_even_when_the_end_is_corrected(counter: Counter) -> None:
    await counter.take(submit())
    (message,) = await counter.messages()
    await counter.end(message, Status.UNDELIVERED, reason="no_receipt", stat="X", code="7")
    (owed,) = await counter.owed()
    assert owed.receipt is not None
    assert (owed.receipt.reason, owed.receipt.stat, owed.receipt.code) == ("no_receipt", "X", "7")
    await counter.end(message, Status.DELIVERED)
    assert await counter.owed() == []


@pytest.mark.parametrize(
    ("wanted", "status", "comes"),
    [
        (Wanted.NEVER, Status.UNDELIVERED, False),
        (Wanted.FAILURE, Status.DELIVERED, False),
        (Wanted.FAILURE, Status.EXPIRED, True),
        (Wanted.ALWAYS, Status.DELIVERED, True),
        (Wanted.ALWAYS, Status.CANCELED, True),
    ],
)
async def test_a_receipt_is_owed_when_it_was_asked_for(counter: Counter, wanted: Wanted, status: Status, comes: bool) -> None:
    await counter.take(submit(wanted=wanted))
    (message,) = await counter.messages()
    await counter.end(message, status)
    assert len(await counter.owed()) == comes


async def test_messages_of_other_ways_in_owe_a_bind_nothing(counter: Counter) -> None:
    async with counter.store.write() as uow:
        message = counter.samples.message()
        await uow.messages.add([message])
        await uow.commit()
    await counter.end(message, Status.DELIVERED)
    assert await counter.owed() == []


async def test_a_lost_answer_puts_a_delivery_off_for_longer_and_longer(counter: Counter, clock: FakeClock) -> None:
    await counter.take(submit(wanted=Wanted.ALWAYS))
    (message,) = await counter.messages()
    await counter.end(message, Status.DELIVERED)
    (owed,) = await counter.owed()
    for pause in (5, 10, 20, 40, 80, 160, 300, 300):
        counter.outbox.put_off(owed)
        await counter.outbox.flush()
        clock.advance(pause - 1)
        assert await counter.outbox.claim("bnd_one", 1) == []
        clock.advance(1)
        (owed,) = await counter.outbox.claim("bnd_one", 1)
    counter.outbox.acknowledged(owed)
    await counter.outbox.flush()
    clock.advance(3600)
    assert await counter.outbox.claim("bnd_one", 1) == []


async def test_what_a_lost_session_had_is_there_at_once(counter: Counter) -> None:
    await counter.take(submit())
    (message,) = await counter.messages()
    await counter.end(message, Status.DELIVERED)
    owed = await counter.owed()
    assert await counter.outbox.claim("bnd_one", 1) == []
    counter.outbox.put_back(owed)
    await counter.outbox.flush()
    assert [one.id for one in await counter.outbox.claim("bnd_one", 1)] == [one.id for one in owed]


async def test_what_nobody_comes_for_expires(counter: Counter, clock: FakeClock) -> None:
    await counter.take(submit())
    (message,) = await counter.messages()
    await counter.end(message, Status.DELIVERED)
    while await counter.expander.step():
        pass
    clock.advance(KEPT.total_seconds())
    assert await counter.outbox.sweep() == 1
    assert await counter.outbox.claim("bnd_one", 1) == []


async def test_tickets_are_forgotten_when_no_reply_can_belong_to_them_any_more(counter: Counter, clock: FakeClock) -> None:
    await counter.take(submit())
    (message,) = await counter.messages()
    await counter.end(message, Status.DELIVERED)
    await counter.owed()
    for hours, left in ((71, 1), (2, 0)):
        clock.advance(hours * 3600)
        await counter.sweeper.step()
        async with counter.store.read() as uow:
            assert len(await uow.binds.tickets_of([message.id])) == left


def event_of(counter: Counter, to: str, ident: str, in_reply_to: str | None) -> Event:
    data = {"from": "+8613800138000", "to": to, "in_reply_to": in_reply_to}
    created_at = counter.clock.now()
    return Event(workspace_id=WS, livemode=True, type="inbound.received", object_id=ident, seq=1, created_at=created_at, data=data)


@pytest.mark.parametrize(
    ("to", "answers", "owner"),
    [
        pytest.param("1069", True, "bnd_one", id="a reply to a message of the first bind"),
        pytest.param("10690002", False, "bnd_two", id="a number that the second bind's rule begins"),
        pytest.param("10690003", False, "bnd_three", id="a number that the third bind's rule spells out"),
        pytest.param("955", False, "bnd_one", id="a number that only a bind without rules fits"),
    ],
)
async def test_an_inbound_goes_to_one_bind(counter: Counter, to: str, answers: bool, owner: str) -> None:
    two = counter.samples.bind(id="bnd_two", senders=("1069*",))
    three = counter.samples.bind(id="bnd_three", senders=("10690003",))
    other = counter.samples.bind(id="bnd_four", inbound=False)
    test = counter.samples.bind(id="bnd_five", livemode=False)
    ((message_id,),) = await counter.take(submit())
    async with counter.store.write() as uow:
        for bind in (two, three, other, test):
            await uow.binds.save(bind)
        inbound = counter.samples.inbound(recipient=to, text="好" * 100)
        await uow.inbounds.add([inbound])
        await uow.events.add([event_of(counter, to, inbound.id, message_id if answers else None)])
        await uow.commit()
    while await counter.expander.step():
        pass
    for bind in (counter.bind, two, three, other, test):
        pieces = [delivery.text for delivery in await counter.outbox.claim(bind.id, 10)]
        assert [piece.part for piece in pieces if piece] == ([1, 2] if bind.id == owner else [])
        assert "".join(piece.text for piece in pieces if piece) in {"", "好" * 100}
