"""Messages as a queue: claiming, deadlines, locks, depth."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from yanshu.domain.errors import StoreStale
from yanshu.domain.lanes import LANE_ORDER, Lane
from yanshu.domain.messages import Message, Status
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed, raised
from yanshu.testing.stores.messages import get, put

_LEASE = timedelta(seconds=30)


async def claim(store: Store, clock: FakeClock, segments: int, *lanes: Lane, connector: str = "con_one") -> list[Message]:
    """Claim in a transaction of its own."""
    async with store.write() as uow:
        return await uow.claim(connector, lanes or LANE_ORDER, segments, clock.now(), clock.now() + _LEASE)


class QueueSuite:
    """See the module."""

    async def test_a_claim_of_the_unit_is_durable_at_once_and_counted(self, store: Store, clock: FakeClock) -> None:
        """Without a commit of its own; an empty queue gives nothing."""
        samples = Samples(clock)
        batch = samples.batch()
        waiting = samples.messages(3, batch_id=batch.id)
        async with store.write() as uow:
            await uow.batches.add(batch)
            await uow.messages.add(waiting)
            await uow.commit()
        claimed = await claim(store, clock, 2)
        assert await claim(store, clock, 2, connector="con_none") == []
        async with store.read() as uow:
            assert sorted(m.id for m in claimed) == [m.id for m in waiting[:2]]
            assert sorted(await uow.messages.get([m.id for m in claimed]), key=lambda m: m.id) == sorted(claimed, key=lambda m: m.id)
            stored = await uow.batches.get(batch.id)
            assert stored is not None
            assert stored.counts == {"queued": 1, "submitting": 2}

    async def test_changes_that_belong_together_are_made_all_or_none(self, store: Store, clock: FakeClock) -> None:
        """One stale one, and nothing of the transaction is left."""
        samples = Samples(clock)
        fresh, stale = samples.messages(2)
        async with store.write() as uow:
            await uow.messages.add([fresh, stale])
            await uow.commit()
        async with store.write() as uow:
            await uow.messages.move_all([samples.change(stale, Status.HELD)])
            await uow.commit()
        with raised(StoreStale):
            async with store.write() as uow:
                await uow.messages.move_all([samples.change(fresh, Status.CANCELED), samples.change(stale, Status.CANCELED)])
                await uow.commit()
        async with store.read() as uow:
            assert {m.id: m.status for m in await uow.messages.get([fresh.id, stale.id])} == {fresh.id: "queued", stale.id: "held"}

    async def test_a_claimed_message_is_submitting_and_leased(self, store: Store, clock: FakeClock) -> None:
        """What is returned is what is stored, and it is not claimed again."""
        samples = Samples(clock)
        message = samples.message()
        await put(store, message)
        clock.advance(1)
        after = changed(message, status=Status.SUBMITTING, version=2, attempts=1, due_at=samples.now + _LEASE, updated_at=samples.now)
        assert await claim(store, clock, 10) == [after]
        assert await get(store, message.id) == [after]
        assert await claim(store, clock, 10) == []

    async def test_only_living_queued_messages_of_the_connector_and_lanes_are_claimed(self, store: Store, clock: FakeClock) -> None:
        """Everything else stays."""
        samples = Samples(clock)
        wanted = samples.message(lane=Lane.OTP)
        others = [samples.message(status=status) for status in Status if status is not Status.QUEUED]
        others += [samples.message(expires_at=samples.now), samples.message(connector_id="con_two"), samples.message(lane=Lane.MARKETING)]
        await put(store, *others, wanted)
        assert [message.id for message in await claim(store, clock, 100, Lane.OTP, Lane.NOTICE)] == [wanted.id]

    async def test_lanes_come_strictly_in_order_and_priority_before_age(self, store: Store, clock: FakeClock) -> None:
        """An OTP never waits behind marketing."""
        samples = Samples(clock)
        marketing = samples.messages(5, lane=Lane.MARKETING)
        low, high = samples.message(priority=1), samples.message(priority=9)
        otp = samples.messages(2, lane=Lane.OTP)
        await put(store, *marketing, low, high, *otp)
        taken = [{message.id for message in await claim(store, clock, size)} for size in (2, 1, 1, 3, 9)]
        assert taken[0] == {message.id for message in otp}
        assert taken[1:3] == [{high.id}, {low.id}]
        assert taken[3] == {message.id for message in marketing[:3]}
        assert taken[4] == {message.id for message in marketing[3:]}

    async def test_one_claim_fills_its_budget_from_several_lanes(self, store: Store, clock: FakeClock) -> None:
        """And not a segment more."""
        samples = Samples(clock)
        await put(store, *samples.messages(2, lane=Lane.OTP), *samples.messages(3), *samples.messages(9, lane=Lane.MARKETING))
        lanes = Counter(message.lane for message in await claim(store, clock, 8))
        assert lanes == {Lane.OTP: 2, Lane.NOTICE: 3, Lane.MARKETING: 3}

    async def test_the_budget_counts_segments_and_only_a_lone_message_exceeds_it(self, store: Store, clock: FakeClock) -> None:
        """A text of five segments goes out through a window of three, but alone."""
        samples = Samples(clock)
        await put(store, *[samples.message(segments=size) for size in (2, 2, 1, 5, 1)])
        sizes = [[message.segments for message in await claim(store, clock, 3)] for _ in range(4)]
        assert [sum(size) for size in sizes] in ([2, 3, 5, 1], [3, 2, 5, 1])

    async def test_workspaces_take_turns(self, store: Store, clock: FakeClock) -> None:
        """A large campaign leaves room for the small customer, whoever came first."""
        samples = Samples(clock)
        large = samples.messages(500, workspace_id="ws_a")
        small = samples.messages(10, workspace_id="ws_b") + samples.messages(3, workspace_id="ws_c")
        await put(store, *large, *small)
        shares = Counter(message.workspace_id for message in await claim(store, clock, 30))
        assert shares == {"ws_a": 17, "ws_b": 10, "ws_c": 3}

    async def test_no_workspace_starves_when_the_budget_is_small(self, store: Store, clock: FakeClock) -> None:
        """With one permit at a time, turns go round."""
        samples = Samples(clock)
        names = [f"ws_{n}" for n in range(5)]
        await put(store, *[message for name in names for message in samples.messages(10, workspace_id=name)])
        taken = [(await claim(store, clock, 1))[0].workspace_id for _ in range(10)]
        assert Counter(taken) == dict.fromkeys(names, 2)

    async def test_concurrent_claims_never_overlap_and_leave_nothing(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Two stores, several claimers each, as in two processes."""
        samples = Samples(clock)
        for name in ("ws_a", "ws_b", "ws_c"):
            await put(store, *samples.messages(400, workspace_id=name))
        stores = [store, open_another()]

        async def drain(each: Store) -> list[str]:
            taken: list[str] = []
            idle = 0
            while idle < 3:
                found = await claim(each, clock, 37)
                idle = 0 if found else idle + 1
                taken += [message.id for message in found]
            return taken

        taken = [ident for some in await asyncio.gather(*[drain(each) for each in stores * 2]) for ident in some]
        assert len(taken) == len(set(taken)) == 1200

    async def test_overdue_messages_come_oldest_first(self, store: Store, clock: FakeClock) -> None:
        """Those without a deadline, or with a later one, do not."""
        samples = Samples(clock)
        late = samples.message(due_at=samples.now - timedelta(seconds=1))
        later = samples.message(due_at=samples.now)
        latest = samples.message(due_at=samples.now - timedelta(seconds=2))
        await put(store, late, later, latest, samples.message(due_at=samples.now + timedelta(microseconds=1)), samples.message(due_at=None))
        async with store.write() as uow:
            assert await uow.messages.due(samples.now, 2) == [latest, late]
            assert await uow.messages.due(samples.now, 9) == [latest, late, later]

    async def test_messages_of_a_batch_are_found_by_status(self, store: Store, clock: FakeClock) -> None:
        """Waiting ones and others."""
        samples = Samples(clock)
        rows = {status: samples.message(status=status, batch_id="bat_1") for status in Status}
        await put(store, *rows.values(), samples.message(batch_id="bat_2"))
        async with store.write() as uow:
            for statuses in ([Status.QUEUED, Status.HELD], [Status.SCHEDULED], [Status.SUBMITTING, Status.QUEUED]):
                found = await uow.messages.waiting_of_batch("bat_1", statuses, 10)
                assert {message.id for message in found} == {rows[status].id for status in statuses}
            assert len(await uow.messages.waiting_of_batch("bat_1", [Status.QUEUED, Status.HELD], 1)) == 1

    async def test_stranded_messages_have_a_candidate_left(self, store: Store, clock: FakeClock) -> None:
        """The last candidate's queue stays where it is."""
        samples = Samples(clock)
        first = samples.message(candidates=("con_one", "con_two"))
        last = samples.message(candidates=("con_two", "con_one"))
        only = samples.message(candidates=("con_one",))
        sent = samples.message(status=Status.SUBMITTED)
        await put(store, first, last, only, sent, samples.message(connector_id="con_two", candidates=("con_two", "con_one")))
        async with store.write() as uow:
            assert await uow.messages.stranded(["con_one"], 10) == [first]
            assert await uow.messages.stranded([], 10) == []

    async def test_the_depth_of_every_queue_is_counted(self, store: Store, clock: FakeClock) -> None:
        """Only queued messages count."""
        samples = Samples(clock)
        async with store.read() as uow:
            assert await uow.messages.queue_depth() == {}
        await put(store, *samples.messages(3), samples.message(lane=Lane.OTP), samples.message(connector_id="con_two"))
        await put(store, samples.message(status=Status.SUBMITTED))
        async with store.read() as uow:
            depth = await uow.messages.queue_depth()
        assert depth == {("con_one", "notice"): 3, ("con_one", "otp"): 1, ("con_two", "notice"): 1}
