"""Sent again: what provably did not arrive gets another attempt, once, whoever dies and however many fold."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tests.integration.site import LONG_TEXT, SHORT_TEXT, SPOKEN, WS, Site, people, running
from yanshu.domain.batches import BatchStatus
from yanshu.domain.codes import CodeOverride
from yanshu.domain.errors import StoreBusy, StoreStale
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Risk, Status
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Receipt, ReceiptState, SubmissionStatus
from yanshu.pipeline.batch_runner import BatchRunner
from yanshu.pipeline.batches import Batches
from yanshu.pipeline.causes import Causes
from yanshu.pipeline.codebook import Codebook
from yanshu.pipeline.explain import Explainer
from yanshu.pipeline.fold import Burst, Fold, Work
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.route import Router
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.rules.routing.codes import shipped_codes
from yanshu.runtime.metrics import Metrics
from yanshu.simulator import Account
from yanshu.simulator.behaviour import SimulatedProtocol
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples
from yanshu.testing.stores.messages import put

DELIVERED = ("delivered", None)


# --- over TCP, against simulated carriers ---


def two_accounts(protocol: SimulatedProtocol, first: dict[str, Any], second: dict[str, Any] | None = None) -> dict[str, Any]:
    """Two connectors of one route, the first of which misbehaves."""
    accounts = (Account(protocol=protocol, overrides=first), Account(protocol=protocol, system_id="second", overrides=second or {}))
    return {"protocol": protocol, "accounts": accounts}


def taken_by_account(site: Site) -> Counter[tuple[str, str, int]]:
    """How often each account took each segment of each number."""
    return Counter((entry.account, entry.destination, entry.part) for entry in site.simulator.ledger if entry.status == 0)


@pytest.mark.parametrize("protocol", SPOKEN)
async def test_what_one_connector_loses_another_delivers_once(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, **two_accounts(protocol, {"fail_rate": 0.5})) as site:
        await site.send(*people(60))
        assert await site.ended() == {DELIVERED: 60}
        messages = await site.messages()
        assert {message.attempts for message in messages} == {1, 2}
        assert {message.connector_id for message in messages if message.attempts == 2} == {"con_second"}
        assert set(taken_by_account(site).values()) == {1}
        assert not any(message.duplicates_possible for message in messages)


@pytest.mark.parametrize("protocol", SPOKEN)
async def test_all_segments_of_an_attempt_go_over_one_connector_in_order(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, **two_accounts(protocol, {"fail_rate": 1.0})) as site:
        await site.send(*people(10), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 10}
        assert {message.attempts for message in await site.messages()} == {2}
        ways: dict[str, list[tuple[str, int]]] = {}
        for entry in site.simulator.ledger:
            ways.setdefault(entry.destination, []).append((entry.account, entry.part))
        names = list(dict.fromkeys(account for account, _ in next(iter(ways.values()))))
        assert len(names) == 2
        parts = (1,) if protocol == "http" else (1, 2, 3, 4)  # over HTTP the carrier cuts the text
        assert all(way == [(name, part) for name in names for part in parts] for way in ways.values())


async def test_a_text_of_which_a_segment_arrived_is_not_sent_again_without_the_risk(tmp_path: Path) -> None:
    async with running(tmp_path, **two_accounts("smpp", {"fail_rate": 0.5})) as site:
        await site.send(*people(30), text=LONG_TEXT)
        found = await site.ended()
        assert set(found) == {DELIVERED, ("undelivered", "carrier_error")}
        for message in await site.messages():
            async with site.store.read() as uow:
                rows = await uow.submissions.of_messages([message.id])
            statuses = {row.status for row in rows if row.attempt == 1}
            assert message.attempts == (2 if statuses == {SubmissionStatus.UNDELIVERED} else 1)


CAREFUL: list[tuple[str, dict[str, Any], Lane, tuple[str, str]]] = [
    ("a dead number", {"fail_err": "MK:0001"}, Lane.NOTICE, ("undelivered", "invalid_number")),
    ("a blocked text", {"fail_stat": "REJECTD", "fail_err": "MB:1079"}, Lane.MARKETING, ("undelivered", "content_blocked")),
    ("a phone that is off, for a code", {"fail_err": "MK:0024"}, Lane.OTP, ("undelivered", "off_or_unreachable")),
    ("a hop that never reported", {"fail_err": "IC:0054"}, Lane.NOTICE, ("undelivered", "carrier_error")),
    ("a carrier that does not know", {"fail_stat": "UNKNOWN", "fail_err": "000"}, Lane.NOTICE, ("undelivered", "unknown")),
]


@pytest.mark.parametrize(("name", "behaviour", "lane", "end"), CAREFUL, ids=[case[0] for case in CAREFUL])
async def test_nothing_is_sent_again_after(tmp_path: Path, name: str, behaviour: dict[str, Any], lane: Lane, end: tuple[str, str]) -> None:
    async with running(tmp_path, **two_accounts("smpp", {"fail_rate": 1.0, **behaviour})) as site:
        await site.send(*people(5), lane=lane)
        assert await site.ended() == {end: 5}
        assert set(site.taken().values()) == {1}


async def test_who_prefers_a_duplicate_gets_it_and_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, **two_accounts("smpp", {"fail_rate": 1.0, "fail_err": "IC:0054"})) as site:
        await site.send(*people(5), risk=Risk.BEST_EFFORT)
        assert await site.ended() == {DELIVERED: 5}
        assert all(message.duplicates_possible for message in await site.messages())


async def test_when_every_connector_fails_it_ends_with_the_last_reason_and_the_whole_story(tmp_path: Path) -> None:
    failing = {"fail_rate": 1.0}
    async with running(tmp_path, **two_accounts("smpp", failing, failing)) as site:
        (ident,) = await site.send(*people(1))
        assert await site.ended() == {("undelivered", "carrier_error"): 1}
        told = await Explainer(site.store, site.clock, site.router, shipped_causes(site.router), site.numbers).explain(WS, ident, "en")
        assert [(a["attempt"], a["connector"], a["meaning"]["class"], a["meaning"]["owner"]) for a in told["attempts"]] == [
            (1, "con_yanshu", OutcomeClass.CARRIER_ERROR, "carrier"),
            (2, "con_second", OutcomeClass.CARRIER_ERROR, "carrier"),
        ]
        assert "After that it is sent again over second." in told["sentences"]
        assert "It is not sent again: no other connector is left." in told["sentences"]
        chinese = await Explainer(site.store, site.clock, site.router, shipped_causes(site.router), site.numbers).explain(WS, ident, "zh")
        assert "随后经 second 重发。" in chinese["sentences"]
        assert chinese["sentences"][-1].endswith("处理方：供应商。")


async def test_a_refused_number_is_refused_once(tmp_path: Path) -> None:
    async with running(tmp_path, **two_accounts("smpp", {"refuse_rate": 1.0, "refuse_code": 0x0B})) as site:
        await site.send(*people(5), text=SHORT_TEXT)
        assert await site.ended() == {DELIVERED: 5}, "another connector may read the number otherwise"
        assert {message.attempts for message in await site.messages()} == {2}


# --- what codes mean here ---


async def test_an_override_decides_what_follows_in_every_process(store: Store, open_another: Callable[[], Store], clock: FakeClock) -> None:
    elsewhere = open_another()
    here, there = [Codebook(each, shipped_codes()) for each in (store, elsewhere)]
    await here.refresh()
    await there.refresh()
    follows = asyncio.create_task(there.run())
    async with store.write() as uow:
        await uow.codes.save(CodeOverride(carrier=FIRST, code="CB:0018", outcome=OutcomeClass.BLACKLIST, updated_at=clock.now()))
        await uow.commit()
    await here.changed()
    assert here.codes.find("cmcc", "UNDELIV", "CB:0018", FIRST).outcome is OutcomeClass.BLACKLIST
    async with asyncio.timeout(10):
        while there.codes.find("cmcc", "UNDELIV", "CB:0018", FIRST).outcome is not OutcomeClass.BLACKLIST:
            await asyncio.sleep(0.01)
    follows.cancel()
    await asyncio.gather(follows, return_exceptions=True)
    message, receipts = await submitted(store, clock, 1)
    work = Work({}, {}, [Burst(receipts, lambda _: None, 0.0)], 1)
    causes = Causes(lambda: there.codes, shipped_prefixes(), Router(store))
    await write(store, await read(store, Fold(work, clock, Waits(), causes)))
    found = await stored(store, message.id)
    assert (found.status, found.reason_code) == (Status.UNDELIVERED, "blacklist")


# --- batches that were steered meanwhile ---

STEERED = [
    (BatchStatus.CANCELED, Status.CANCELED, "batch_canceled"),
    (BatchStatus.PAUSED, Status.HELD, "paused"),
    (BatchStatus.RUNNING, Status.QUEUED, None),
]


@pytest.mark.parametrize(("batch_status", "status", "reason"), STEERED, ids=[row[0] for row in STEERED])
async def test_another_attempt_follows_its_batch(
    store: Store, clock: FakeClock, batch_status: BatchStatus, status: Status, reason: str | None
) -> None:
    batch = Samples(clock).batch(status=batch_status)
    async with store.write() as uow:
        await uow.batches.add(batch)
        await uow.commit()
    message, receipts = await submitted(store, clock, 1, batch_id=batch.id)
    runner = BatchRunner(store, clock, cast(Batches, None), Waits())
    if batch_status is BatchStatus.CANCELED:
        assert not await runner.step(), "it is not closed while a message of it is on its way"
    await write(store, await read(store, fold_of(store, clock, *receipts)))
    found = await stored(store, message.id)
    assert (found.status, found.reason_code) == (status, reason)


# --- several processes, and processes that die ---

FIRST, SECOND = "con_one", "con_two"


async def submitted(store: Store, clock: FakeClock, segments: int, **fields: Any) -> tuple[Message, list[Receipt]]:
    """A message whose segments were accepted, and the receipts that say that each failed."""
    samples = Samples(clock)
    way = {"attempts": 1, "connector_id": FIRST, "candidates": (FIRST, SECOND)}
    message = samples.message(status=Status.SUBMITTED, segments=segments, **way, **fields)
    await put(store, message)
    rows = [
        samples.submission(message, segment=n, carrier_message_id=f"c-{n}", carrier_key=f"c-{n}", connector_id=FIRST)
        for n in range(1, segments + 1)
    ]
    async with store.write() as uow:
        await uow.submissions.add(rows)
        await uow.commit()
    failed = {"state": ReceiptState.UNDELIVERABLE, "stat": "UNDELIV", "err": "CB:0018"}
    return message, [samples.receipt(f"c-{n}", connector_id=FIRST, **failed) for n in range(1, segments + 1)]


def fold_of(store: Store, clock: FakeClock, *receipts: Receipt) -> Fold:
    work = Work({}, {}, [Burst(receipts, lambda _: None, 0.0)], len(receipts))
    return Fold(work, clock, Waits(), shipped_causes(Router(store)))


async def read(store: Store, fold: Fold) -> Fold:
    async with store.read() as uow:
        await fold.read(uow)
    return fold


async def write(store: Store, fold: Fold) -> None:
    async with store.write() as uow:
        await fold.store(uow)
        await uow.commit()


async def stored(store: Store, ident: str) -> Message:
    async with store.read() as uow:
        return (await uow.messages.get([ident]))[0]


async def queued_events(store: Store, message: Message) -> int:
    async with store.read() as uow:
        events = await uow.events.of_object(message.workspace_id, message.id)
    return sum(event.type == "message.queued" for event in events)


async def test_of_two_processes_that_each_hear_of_one_segment_the_second_decides(store: Store, clock: FakeClock) -> None:
    message, receipts = await submitted(store, clock, 2)
    one, two = [await read(store, fold_of(store, clock, receipt)) for receipt in receipts]
    await write(store, one)
    assert (await stored(store, message.id)).status is Status.SUBMITTED
    with pytest.raises(StoreStale):
        await write(store, two)
    await write(store, await read(store, fold_of(store, clock, receipts[1])))
    found = await stored(store, message.id)
    assert (found.status, found.connector_id) == (Status.QUEUED, SECOND)
    assert await queued_events(store, message) == 1


async def test_of_two_processes_that_hear_the_same_one_sends_again(store: Store, clock: FakeClock) -> None:
    message, receipts = await submitted(store, clock, 1)
    one, two = [await read(store, fold_of(store, clock, receipts[0])) for _ in range(2)]
    await write(store, one)
    with pytest.raises(StoreStale):
        await write(store, two)
    await write(store, await read(store, fold_of(store, clock, receipts[0])))
    assert (await stored(store, message.id)).status is Status.QUEUED
    assert await queued_events(store, message) == 1


async def test_a_late_delivery_meets_the_claim_of_the_next_attempt_and_one_of_them_knows(store: Store, clock: FakeClock) -> None:
    message, receipts = await submitted(store, clock, 1)
    await write(store, await read(store, fold_of(store, clock, receipts[0])))
    good = Samples(clock).receipt("c-1", connector_id=FIRST)
    late = await read(store, fold_of(store, clock, good))
    async with store.write() as uow:
        (claimed,) = await uow.claim(SECOND, [Lane.NOTICE], 10, clock.now(), clock.now())
    assert claimed.attempts == 2
    with pytest.raises(StoreStale):
        await write(store, late)
    await write(store, await read(store, fold_of(store, clock, good)))
    found = await stored(store, message.id)
    assert (found.status, found.duplicates_possible) == (Status.DELIVERED, True)


class Dying:
    """A store whose process dies with its first commit: before it is done, or after."""

    def __init__(self, store: Store, *, commits: bool) -> None:
        self._store = store
        self.commits = commits
        self.died = asyncio.Event()
        self.wake, self.wait, self.read = store.wake, store.wait, store.read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        async with self._store.write() as uow:
            yield _Last(uow, self)  # type: ignore[misc]


class _Last:
    def __init__(self, uow: UnitOfWork, dying: Dying) -> None:
        self._uow = uow
        self._dying = dying

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    async def commit(self) -> None:
        if self._dying.commits:
            await self._uow.commit()
        self._dying.died.set()
        raise StoreBusy("killed")


@pytest.mark.parametrize("commits", [False, True], ids=["before the commit", "after the commit, before the acknowledgement"])
async def test_who_is_killed_while_a_failure_is_stored_leaves_one_attempt_more(store: Store, clock: FakeClock, commits: bool) -> None:
    message, receipts = await submitted(store, clock, 1)
    acknowledged: list[bool] = []
    dying = Dying(store, commits=commits)
    killed = outcome_over(dying, clock)  # type: ignore[arg-type]
    running = asyncio.create_task(killed.run())
    killed.arrived(receipts, acknowledged.append)
    await asyncio.wait_for(dying.died.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert acknowledged == []
    # The carrier got no answer and says it again, to whoever lives.
    alive = outcome_over(store, clock)
    running = asyncio.create_task(alive.run())
    alive.arrived(receipts, acknowledged.append)
    await asyncio.wait_for(alive.settled(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    found = await stored(store, message.id)
    assert (found.status, found.connector_id, acknowledged) == (Status.QUEUED, SECOND, [True])
    assert await queued_events(store, message) == 1


def outcome_over(store: Store, clock: FakeClock) -> Outcome:
    router = Router(store)
    return Outcome(store, clock, InboundStage(clock, router), Metrics(), Waits(), shipped_causes(router))
