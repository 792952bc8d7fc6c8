"""Batches, definitions, workspaces, keys and the audit trail."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from typing import Any

from yanshu.domain.batches import BatchRow, BatchStatus
from yanshu.domain.connectors import Filing, FilingState, Hours, Match, Member, Prefer, Price
from yanshu.domain.errors import StoreConflict
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Status
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed, raised
from yanshu.testing.stores.queue import claim

PRICES = (Price(per_segment=Money("CNY", 32_000)), Price(per_segment=Money("CNY", 28_500), operator=Operator.CBN, lane=Lane.OTP))


class SurroundingSuite:
    """See the module."""

    async def test_a_batch_counts_its_messages_by_status(self, store: Store, clock: FakeClock) -> None:
        """Through adding, claiming and moving, in one transaction or several."""
        samples = Samples(clock)
        batch = samples.batch(metadata={"a": 1}, send_at=samples.now)
        messages = samples.messages(5, batch_id=batch.id)
        async with store.write() as uow:
            await uow.batches.add(batch)
            await uow.messages.add(messages)
            assert await uow.batches.get(batch.id) == changed(batch, counts={"queued": 5})
            late = samples.change(messages[3], Status.FAILED, expected=9, version=10)
            await uow.messages.move([samples.change(messages[4], Status.FAILED), late])
            await uow.commit()
        claimed = await claim(store, clock, 3)
        async with store.write() as uow:
            await uow.messages.move([samples.change(message, Status.SUBMITTED) for message in claimed])
            await uow.commit()
        expected = changed(batch, counts={"queued": 1, "submitted": 3, "failed": 1})
        async with store.read() as uow:
            assert await uow.batches.get(batch.id) == expected
            assert await uow.batches.page("ws_one", None, Page()) == [expected]
            assert await uow.batches.get("bat_none") is None

    async def test_counters_are_right_after_concurrent_changes(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Processes that move messages of the same batches in different orders do not block each other."""
        samples = Samples(clock)
        batches = [samples.batch() for _ in range(3)]
        messages = [message for batch in batches for message in samples.messages(40, batch_id=batch.id)]
        async with store.write() as uow:
            for batch in batches:
                await uow.batches.add(batch)
            await uow.messages.add(messages)
            await uow.commit()

        async def move(each: Store, offset: int) -> None:
            some = messages[offset::4] if offset % 2 else messages[offset::4][::-1]
            for start in range(0, len(some), 6):
                async with each.write() as uow:
                    await uow.messages.move([samples.change(message, Status.CANCELED) for message in some[start : start + 6]])
                    await uow.commit()

        stores = [store, open_another()]
        await asyncio.gather(*[move(stores[offset % 2], offset) for offset in range(4)])
        async with store.read() as uow:
            assert [(await uow.batches.page("ws_one", True, Page()))[n].counts for n in range(3)] == [{"canceled": 40}] * 3

    async def test_a_batch_is_updated_only_from_the_version_before(self, store: Store, clock: FakeClock) -> None:
        """And its id is taken once."""
        samples = Samples(clock)
        batch = samples.batch()
        update = changed(batch, status=BatchStatus.PAUSED, total=9, version=2)
        async with store.write() as uow:
            await uow.batches.add(batch)
            assert await uow.batches.update(update)
            assert not await uow.batches.update(update)
            assert await uow.batches.get(batch.id) == update
            await uow.commit()
        with raised(StoreConflict) as conflict:
            async with store.write() as uow:
                await uow.batches.add(batch)
                await uow.commit()
        assert conflict[0].constraint == "batches.id"

    async def test_active_batches_are_walked_by_id(self, store: Store, clock: FakeClock) -> None:
        """Those that are done are not among them."""
        samples = Samples(clock)
        running = [samples.batch() for _ in range(3)]
        done = samples.batch(status=BatchStatus.CANCELED, done_at=samples.now)
        draft = samples.batch(status=BatchStatus.DRAFT)
        async with store.write() as uow:
            for batch in (*running, done, draft):
                await uow.batches.add(batch)
            statuses = [BatchStatus.RUNNING, BatchStatus.CANCELED]
            assert await uow.batches.active(statuses, None, 2) == running[:2]
            assert await uow.batches.active(statuses, running[1].id, 9) == running[2:]
            await uow.commit()

    async def test_upload_rows_are_read_by_line(self, store: Store) -> None:
        """Good and bad ones apart; the same line replaces; clearing forgets."""
        good = [BatchRow(batch_id="bat_1", line=line, to="138", params={"code": "1"}, client_reference="r") for line in range(1, 2501)]
        bad = BatchRow(batch_id="bat_1", line=3, to="x", code="phone_invalid", problem="not a number")
        other = BatchRow(batch_id="bat_2", line=1, to="139")
        async with store.write() as uow:
            await uow.batches.add_rows([*good, other])
            await uow.batches.add_rows([changed(bad, problem="first"), bad])
            assert await uow.batches.rows("bat_1", 1, 2, good=True) == [good[1], good[3]]
            assert len(await uow.batches.rows("bat_1", 0, 9999, good=True)) == 2499
            assert await uow.batches.rows("bat_1", 0, 10, good=False) == [bad]
            await uow.batches.clear_rows("bat_1")
            assert await uow.batches.rows("bat_1", 0, 10, good=True) == []
            assert await uow.batches.rows("bat_2", 0, 10, good=True) == [other]
            await uow.commit()

    async def test_definitions_come_whole_and_their_revision_grows(self, store: Store, clock: FakeClock) -> None:
        """With every write to either kind."""
        samples = Samples(clock)
        connector, other = (
            samples.connector(),
            samples.connector(simulated=True, metadata={"a": 1}, prices=PRICES, filings=(Filing("雁书", FilingState.PENDING),)),
        )
        hours = (Hours(start=480, end=1260, days=(6, 7), zone="UTC"),)
        match = Match(lanes=(Lane.OTP,), operators=(Operator.CBN,), prefixes=("+86192",), hours=hours, metadata={"tag": ("雁书", "x")})
        pool = (Member("a", 1, 70), Member("b", 1, 30), Member("c", 2))
        late, early = samples.route(rank=20, match=match), samples.route(rank=10, pool=pool, prefer=Prefer.COST)
        renamed = changed(connector, name="renamed", version=2)
        async with store.write() as uow:
            definitions = uow.definitions
            revisions = [await definitions.revision()]
            for step in (
                definitions.save_connector(other),
                definitions.save_connector(connector),
                definitions.save_connector(renamed),
                definitions.save_route(late),
                definitions.save_route(early),
            ):
                await step
                revisions.append(await definitions.revision())
            assert revisions == sorted(set(revisions))
            assert await definitions.connectors() == [renamed, other]
            assert await definitions.routes() == [early, late]
            assert await definitions.remove_connector(other.id)
            assert not await definitions.remove_connector(other.id)
            assert await definitions.remove_route(late.id)
            assert not await definitions.remove_route("rte_none")
            assert await definitions.revision() > revisions[-1]
            await uow.commit()

    async def test_workspaces_and_keys_are_saved_and_found(self, store: Store, clock: FakeClock) -> None:
        """Keys also by digest; their last use is noted."""
        samples = Samples(clock)
        workspace, second = samples.workspace(), samples.workspace(metadata={"a": 1})
        key = samples.key(cidrs=("10.0.0.0/8",), expires_at=samples.now, requests_per_second=5)
        theirs = samples.key(workspace_id="ws_two")
        async with store.write() as uow:
            access = uow.access
            for each in (workspace, second, changed(workspace, name="New")):
                await access.save_workspace(each)
            for saved in (key, theirs):
                await access.save_key(saved)
            await access.touch_keys({key.id: samples.now, "key_none": samples.now})
            await access.touch_keys({})
            used = changed(key, last_used_at=samples.now)
            assert await access.workspace(workspace.id) == changed(workspace, name="New")
            assert await access.workspace("ws_none") is None
            assert await access.workspaces(Page(limit=1)) == [second]
            assert await access.key(key.id) == used
            assert await access.key("key_none") is None
            assert await access.key_by_digest(key.digest) == used
            assert await access.key_by_digest("none") is None
            assert await access.keys("ws_one", Page()) == [used]
            await uow.commit()

    async def test_the_audit_trail_is_paged(self, store: Store, clock: FakeClock) -> None:
        """Of a workspace, or of the whole platform."""
        samples = Samples(clock)
        entries = [samples.audit(), samples.audit(workspace_id="ws_two"), samples.audit(workspace_id=None, object_id="con_1")]
        async with store.write() as uow:
            await uow.access.add_audit(entries)
            await uow.access.add_audit([])
            assert await uow.access.audit("ws_two", Page()) == [entries[1]]
            assert await uow.access.audit(None, Page(descending=False)) == entries
            await uow.commit()
