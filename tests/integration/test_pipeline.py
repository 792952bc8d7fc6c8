"""The stages together, over a real SQLite file and a scripted carrier."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from yanshu.adapters.stores import open_store
from yanshu.domain.commands import Dedupe, Idempotency, Recipient, Saved, Send
from yanshu.domain.connectors import Connector, Match, Route
from yanshu.domain.errors import CallerError
from yanshu.domain.lanes import LANE_ORDER, Lane
from yanshu.domain.messages import Message, Status
from yanshu.domain.submissions import AnswerResult, ReceiptState
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.batch_runner import BatchRunner
from yanshu.pipeline.batches import Batches
from yanshu.pipeline.check import Checker
from yanshu.pipeline.compose import Composer
from yanshu.pipeline.dispatch import Dispatcher
from yanshu.pipeline.explain import Explainer
from yanshu.pipeline.fleet import Fleet
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.learn import Learner
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.reroute import Rerouter
from yanshu.pipeline.route import Router
from yanshu.pipeline.schedule import Schedule
from yanshu.pipeline.senders import Senders
from yanshu.pipeline.sweep import Sweeper
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.rules.contacts.lessons import Policy
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Supervisor
from yanshu.settings import Settings
from yanshu.testing.carriers import ScriptedCarrier, always
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, in_turn

WS = "ws_1"
TEXT = "【雁书】您的验证码是 482913"


class House:
    """A whole pipeline in one process."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.metrics = Metrics()
        waits = Waits()
        prefixes = shipped_prefixes()
        self.router = Router(store, prefixes)
        self.numbers = Numbers(store, clock, prefixes, Policy(), self.metrics)
        self.accepter = Accepter(store, clock, Composer(clock, Checker(), self.router, self.numbers), self.metrics, 20_000)
        inbound = InboundStage(clock, self.router)
        self.outcome = Outcome(store, clock, inbound, self.metrics, waits, shipped_causes(self.router))
        self.outcome.attach(Learner(self.numbers, self.router))
        self.carriers: dict[str, ScriptedCarrier] = {}
        dispatcher = Dispatcher(store, clock, self.outcome, Senders(self.router), self.metrics, 30)
        self.fleet = Fleet("node_1", store, clock, self.router, dispatcher, self._carrier)
        self.fleet.attach(self.outcome)
        self.sweeper = Sweeper(store, clock, self.outcome, inbound, Rerouter(store, clock, self.router, waits, 30))
        self.schedule = Schedule(store, clock, waits)
        self.batches = Batches(store, clock, self.accepter)
        self.runner = BatchRunner(store, clock, self.batches, waits)
        self.explainer = Explainer(store, clock, self.router, shipped_causes(self.router), self.numbers)
        self.supervisor = Supervisor(self.metrics)

    def _carrier(self, connector: Connector, slot: int) -> ScriptedCarrier:
        del slot
        return self.carriers[connector.id]

    async def open(self, **connectors: Callable[[Message], AnswerResult]) -> None:
        """Define connectors (name → script), one route over all of them in order, and start."""
        now = self.clock.now()
        async with self.store.write() as uow:
            for name, script in connectors.items():
                self.carriers[name] = ScriptedCarrier(name, self.outcome, self.clock, script)
                await uow.definitions.save_connector(
                    Connector(
                        id=name,
                        name=name,
                        protocol="smpp",
                        host="h",
                        port=1,
                        settings={},
                        secret="",
                        created_at=now,
                        updated_at=now,
                        sender="10690000",
                    )
                )
            await uow.definitions.save_route(
                Route(id="rte_1", name="all", rank=1, pool=in_turn(*connectors), created_at=now, updated_at=now, match=Match())
            )
            await uow.commit()
        await self.router.refresh()
        self.supervisor.spawn("accept", self.accepter.run)
        self.supervisor.spawn("outcome", self.outcome.run)

    def dispatch(self) -> None:
        """Start the links."""
        self.supervisor.spawn("fleet", lambda: self.fleet.run(self.supervisor))

    async def one(self, ident: str) -> Message:
        """Read a message."""
        async with self.store.read() as uow:
            return (await uow.messages.get([ident]))[0]

    async def claim(self, segments: int) -> list[Message]:
        """Claim as a dispatcher does."""
        now = self.clock.now()
        async with self.store.write() as uow:
            return await uow.claim("con_a", LANE_ORDER, segments, now, now + timedelta(seconds=30))

    async def until(self, ident: str, status: Status) -> Message:
        """Wait until a message has a status."""
        async with asyncio.timeout(10):
            while (message := await self.one(ident)).status is not status:
                await asyncio.sleep(0.01)
        return message


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    store = open_store(Settings(data_dir=str(tmp_path)), clock)
    await store.migrate()
    house = House(store, clock)
    yield house
    await house.supervisor.stop()
    await store.close()


def send(*numbers: str, **fields: object) -> Send:
    values: dict[str, object] = {"workspace_id": WS, "livemode": True, "text": TEXT, "lane": Lane.OTP}
    recipients = tuple(Recipient(number) for number in numbers or ("13800138000",))
    return Send(recipients=recipients, **{**values, **fields})  # type: ignore[arg-type]


async def test_a_message_is_accepted_submitted_and_delivered(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    accepted = (await house.accepter.accept(send())).messages[0]
    submitted = await house.until(accepted.id, Status.SUBMITTED)
    house.carriers["con_a"].report(submitted)
    delivered = await house.until(accepted.id, Status.DELIVERED)
    assert (delivered.attempts, delivered.due_at, delivered.reason_code) == (1, None, None)
    assert house.carriers["con_a"].stored == [True]
    async with house.store.read() as uow:
        told = [event.type for event in await uow.events.of_object(WS, accepted.id)]
    assert told == ["message.accepted", "message.submitted", "message.delivered"]
    explained = await house.explainer.explain(WS, accepted.id, "zh")
    assert explained["sentences"][-1] == "已送达，无需处理。"


async def test_refusal_fails_over_to_the_next_candidate(house: House) -> None:
    await house.open(con_a=always(AnswerResult.REFUSED), con_b=always(AnswerResult.ACCEPTED))
    house.dispatch()
    accepted = (await house.accepter.accept(send())).messages[0]
    message = await house.until(accepted.id, Status.SUBMITTED)
    assert (message.connector_id, message.attempts) == ("con_b", 2)


async def test_a_receipt_before_the_answer_waits_for_it(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    accepted = (await house.accepter.accept(send())).messages[0]
    early = Message(**{**{f: getattr(accepted, f) for f in accepted.__struct_fields__}, "attempts": 1})
    house.carriers["con_a"].report(early)
    await house.outcome.settled()
    async with house.store.read() as uow:
        assert await uow.receipts.count() == 1
    house.dispatch()
    await house.until(accepted.id, Status.DELIVERED)
    async with house.store.read() as uow:
        assert await uow.receipts.count() == 0


async def test_an_unanswered_submit_is_unknown_and_resolved_by_its_receipt(house: House) -> None:
    await house.open(con_a=always(AnswerResult.UNANSWERED))
    house.dispatch()
    accepted = (await house.accepter.accept(send())).messages[0]
    message = await house.until(accepted.id, Status.UNKNOWN)
    house.carriers["con_a"].report(message)
    await house.until(accepted.id, Status.DELIVERED)


async def test_a_receipt_after_an_unanswered_submit_was_given_up_corrects_it(house: House) -> None:
    await house.open(con_a=always(AnswerResult.UNANSWERED))
    house.dispatch()
    accepted = (await house.accepter.accept(send(lane=Lane.NOTICE))).messages[0]
    message = await house.until(accepted.id, Status.UNKNOWN)
    house.clock.advance(24 * 3600 + 1)
    await house.sweeper.step()
    assert (await house.one(accepted.id)).reason_code == "outcome_unknown"
    house.carriers["con_a"].report(message)
    delivered = await house.until(accepted.id, Status.DELIVERED)
    assert delivered.reason_code is None
    async with house.store.read() as uow:
        assert (await uow.events.of_object(WS, accepted.id))[-1].type == "message.corrected"
        assert await uow.receipts.count() == 0


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_while_a_submit_is_on_its_way_loses_nothing_and_sends_nothing_twice(house: House, hours: int) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    sent = (await house.accepter.accept(send("13800138000", "13800138001", lane=Lane.NOTICE))).messages
    claimed = await house.claim(1)
    first = claimed[0]
    house.outcome.expect(claimed)
    house.clock.set(house.clock.now() + timedelta(hours=hours))
    await house.sweeper.step()
    sent += (await house.accepter.accept(send("13800138002", lane=Lane.NOTICE))).messages
    carrier = house.carriers["con_a"]
    carrier.submit(claimed)
    assert {message.id for message in await house.claim(100)} == {message.id for message in sent} - {first.id}
    submitted = await house.until(first.id, Status.SUBMITTED)
    await house.sweeper.step()
    carrier.report(submitted)
    delivered = await house.until(first.id, Status.DELIVERED)
    assert (delivered.attempts, delivered.duplicates_possible) == (1, False)


async def test_a_reply_finds_the_message_it_answers(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    accepted = (await house.accepter.accept(send())).messages[0]
    await house.until(accepted.id, Status.SUBMITTED)
    for _ in range(2):  # the carrier repeats it
        house.carriers["con_a"].write_to_us("+8613800138000", "10690000", "你好")
    await house.outcome.settled()
    async with house.store.read() as uow:
        inbounds = await uow.inbounds.page(WS, sender=None, recipient=None, livemode=None, page=Page())
    assert [(i.text, i.in_reply_to) for i in inbounds] == [("你好", accepted.id)]


async def test_the_same_idempotency_key_answers_the_same_and_stores_once(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    key = Idempotency("k", "f", house.clock.now() + timedelta(hours=24))

    def render(messages: list[Message]) -> Saved:
        return Saved(202, messages[0].id.encode())

    first, again = await asyncio.gather(house.accepter.accept(send(), key, render), house.accepter.accept(send(), key, render))
    stored = (first.messages or again.messages)[0]
    replay = first.replayed or again.replayed
    assert replay == Saved(202, stored.id.encode())
    with pytest.raises(CallerError) as refused:
        await house.accepter.accept(send(), Idempotency("k", "other", key.expires_at), render)
    assert refused.value.code == "idempotency_key_reused"
    async with house.store.read() as uow:
        assert len((await uow.messages.page(WS, MessageFilter(), Page())).messages) == 1


async def test_dedupe_refuses_the_second_and_stores_nothing_of_it(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    dedupe = Dedupe("order-1", 60)
    await house.accepter.accept(send(dedupe=dedupe))
    with pytest.raises(CallerError) as refused:
        await house.accepter.accept(send(dedupe=dedupe))
    assert refused.value.code == "duplicate_content"
    house.clock.advance(61)
    await house.accepter.accept(send(dedupe=dedupe))


async def test_a_scheduled_message_starts_in_time_and_can_be_moved_and_taken_back(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    later = house.clock.now() + timedelta(hours=1)
    ident = (await house.accepter.accept(send(send_at=later))).messages[0].id
    assert (await house.one(ident)).status is Status.SCHEDULED
    await house.schedule.reschedule(WS, ident, later + timedelta(hours=1))
    house.clock.advance(3700)
    await house.sweeper.step()
    assert (await house.one(ident)).status is Status.SCHEDULED
    house.clock.advance(3600)
    await house.sweeper.step()
    assert (await house.one(ident)).status is Status.QUEUED
    assert (await house.schedule.cancel(WS, ident)).status is Status.CANCELED
    with pytest.raises(CallerError) as refused:
        await house.schedule.cancel(WS, ident)
    assert refused.value.code == "state_conflict"


async def test_what_waits_too_long_expires(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    ident = (await house.accepter.accept(send())).messages[0].id
    house.clock.advance(301)
    await house.sweeper.step()
    message = await house.one(ident)
    assert (message.status, message.reason_code) == (Status.EXPIRED, "validity_passed")


async def test_a_queue_without_a_working_link_moves_to_the_next_candidate(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED), con_b=always(AnswerResult.ACCEPTED))
    ident = (await house.accepter.accept(send(lane=Lane.NOTICE))).messages[0].id
    await house.sweeper.step()
    house.clock.advance(31)
    await house.sweeper.step()
    assert (await house.one(ident)).connector_id == "con_b"


async def test_a_batch_rejects_bad_rows_and_sends_the_others(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    batch, _ = await house.batches.create(send("13800138000", "12", "13800138001"), start=True)
    async with asyncio.timeout(10):
        while (counts := (await house.batches.get(WS, batch.id)).counts) != {"submitted": 2, "rejected": 1}:
            await asyncio.sleep(0.01)
    assert counts["rejected"] == 1
    for message in list(house.carriers["con_a"].submitted):
        house.carriers["con_a"].report(message, ReceiptState.DELIVERED)
    await house.outcome.settled()
    await house.runner.step()
    assert (await house.batches.get(WS, batch.id)).status == "completed"


async def test_a_large_batch_is_expanded_in_chunks_paused_resumed_and_canceled(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    batch, _ = await house.batches.create(send(*(f"138{n:08d}" for n in range(2500))), start=True)
    await house.runner.step()
    assert (await house.batches.get(WS, batch.id)).counts == {"queued": 1000}
    await house.batches.pause(WS, batch.id)
    await house.runner.step()
    assert (await house.batches.get(WS, batch.id)).counts == {"held": 1000}
    await house.batches.resume(WS, batch.id)
    while await house.runner.step():
        if (await house.batches.get(WS, batch.id)).counts == {"queued": 2500}:
            break
    await house.batches.cancel(WS, batch.id)
    while await house.runner.step():
        pass
    done = await house.batches.get(WS, batch.id)
    assert (done.counts, done.status, done.done_at is not None) == ({"canceled": 2500}, "canceled", True)


async def test_a_batch_with_a_broken_text_is_refused_at_once_whatever_its_size(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    for count in (0, 1, 2000):
        with pytest.raises(CallerError) as refused:
            await house.batches.create(send(*(f"138{n:08d}" for n in range(count)), text="${"), start=bool(count))
        assert refused.value.code == "parameter_invalid"


async def test_a_batch_started_after_its_sending_time_is_sent_now(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    later = house.clock.now() + timedelta(minutes=1)
    batch, _ = await house.batches.create(send("13800138000", send_at=later), start=False)
    house.clock.advance(3600)
    await house.batches.start(WS, batch.id)
    await house.runner.step()
    assert (await house.batches.get(WS, batch.id)).counts == {"queued": 1}


async def test_a_scheduled_batch_runs_when_its_time_has_come(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    later = house.clock.now() + timedelta(hours=1)
    batch, _ = await house.batches.create(send(*(f"138{n:08d}" for n in range(1500)), send_at=later), start=True)

    async def settled() -> tuple[str, dict[str, int], bool]:
        while await house.runner.step():
            pass
        found = await house.batches.get(WS, batch.id)
        return found.status, found.counts, found.started_at is not None

    assert await settled() == ("scheduled", {"scheduled": 1500}, False)
    house.clock.advance(3601)
    assert await settled() == ("running", {"scheduled": 1500}, True)
    async with house.store.read() as uow:
        told = [event.type for event in await uow.events.of_object(WS, batch.id)]
    assert told == ["batch.scheduled", "batch.started"]


async def test_a_batch_is_repeated_from_memory_even_after_its_sending_time(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    wish = send("13800138000", send_at=house.clock.now() + timedelta(hours=1))
    key = Idempotency("k", "f", wish.send_at + timedelta(hours=24)) if wish.send_at else None
    _, first = await house.batches.create(wish, start=True, idempotency=key, render=lambda batch: Saved(202, batch.id.encode()))
    house.clock.advance(7200)
    _, again = await house.batches.create(wish, start=True, idempotency=key, render=lambda batch: Saved(202, batch.id.encode()))
    assert first is None
    assert again is not None
    assert again.status == 202


async def test_a_preview_of_an_empty_batch_shows_nothing(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    batch, _ = await house.batches.create(Send(workspace_id=WS, livemode=True, text=TEXT, recipients=()), start=False)
    assert (await house.batches.preview(WS, batch.id)).sample == ()


async def test_a_flood_of_receipts_is_stored_in_parts_and_all_of_it_is_acknowledged(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    samples, done = Samples(house.clock), []
    for burst in range(40):
        house.outcome.arrived([samples.receipt(f"{burst}-{number}") for number in range(500)], done.append)
    await house.outcome.settled()
    assert done == [True] * 40
    told = house.metrics.render().decode()
    assert 'yanshu_chunk_size_sum{stage="outcome"} 20000.0' in told
    assert 'yanshu_chunk_size_count{stage="outcome"} 3.0' in told
