"""Idempotency records, dedupe marks, leases, link reports, named values."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from datetime import timedelta
from typing import Any

from yanshu.domain.commands import Idempotency, Saved
from yanshu.domain.connectors import LinkReport, LinkState
from yanshu.domain.errors import Conflict
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import changed, raised

_MINUTE = timedelta(minutes=1)


class RecordSuite:
    """See the module."""

    async def test_an_answer_is_remembered_until_it_expires(self, store: Store, clock: FakeClock) -> None:
        """And then the key is free again."""
        key = Idempotency("k", "print", clock.now() + _MINUTE)
        first, second = Saved(202, b"\x00first"), Saved(202, b"second")
        async with store.write() as uow:
            assert await uow.records.recall(key) is None
            assert await uow.records.remember(key, first) is None
            assert await uow.records.remember(key, second) == first
            assert await uow.records.recall(key) == first
            clock.advance(60)
            assert await uow.records.recall(key) is None
            assert await uow.records.remember(Idempotency("k", "other", clock.now() + _MINUTE), second) is None
            await uow.commit()

    async def test_a_key_with_another_body_is_refused(self, store: Store, clock: FakeClock) -> None:
        """Both when recalling and when remembering."""
        until = clock.now() + _MINUTE
        async with store.write() as uow:
            await uow.records.remember(Idempotency("k", "print", until), Saved(202, b""))
            for refused in (
                uow.records.recall(Idempotency("k", "x", until)),
                uow.records.remember(Idempotency("k", "x", until), Saved(202, b"")),
            ):
                with raised(Conflict) as conflict:
                    await refused
                assert conflict[0].code == "idempotency_key_reused"

    async def test_of_racing_requests_with_one_key_one_is_stored(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """The others get its answer, whichever process they run in."""
        key = Idempotency("k", "print", clock.now() + _MINUTE)

        async def race(each: Store, body: bytes) -> bytes:
            async with each.write() as uow:
                earlier = await uow.records.remember(key, Saved(202, body))
                await uow.commit()
            return earlier.body if earlier else body

        stores = [store, open_another()] * 3
        answers = await asyncio.gather(*[race(each, str(number).encode()) for number, each in enumerate(stores)])
        assert len(set(answers)) == 1

    async def test_a_mark_is_taken_once_until_it_expires(self, store: Store, clock: FakeClock) -> None:
        """Those that were taken come back."""
        now = clock.now()
        async with store.write() as uow:
            assert await uow.records.mark_unique({"a": now + _MINUTE, "b": now + 2 * _MINUTE}, now) == set()
            assert await uow.records.mark_unique({"a": now + _MINUTE, "c": now + _MINUTE}, now) == {"a"}
            later = clock.advance(60)
            assert await uow.records.mark_unique({"a": later + _MINUTE, "b": later + _MINUTE, "c": later + _MINUTE}, later) == {"b"}
            assert await uow.records.mark_unique({}, now) == set()
            await uow.commit()

    async def test_of_racing_marks_one_is_taken(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Across processes."""
        until = clock.now() + _MINUTE

        async def race(each: Store) -> set[str]:
            async with each.write() as uow:
                taken = await uow.records.mark_unique({"a": until}, clock.now())
                await uow.commit()
            return taken

        results = await asyncio.gather(*[race(each) for each in [store, open_another()] * 3])
        assert sorted(map(len, results)) == [0, 1, 1, 1, 1, 1]

    async def test_what_has_expired_is_purged_a_portion_at_a_time(self, store: Store, clock: FakeClock) -> None:
        """Records, marks and digests."""
        start = clock.now()
        async with store.write() as uow:
            await uow.records.remember(Idempotency("k", "p", start + _MINUTE), Saved(202, b""))
            await uow.records.mark_unique({"a": start + _MINUTE, "b": start + timedelta(days=30)}, start)
            await uow.inbounds.mark_seen("d", start)
            assert await uow.records.purge(start, 10) == 0
            late = clock.advance(8 * 86_400)
            assert await uow.records.purge(late, 2) == 2
            assert await uow.records.purge(late, 2) == 1
            assert await uow.records.mark_unique({"b": late}, late) == {"b"}
            await uow.commit()

    async def test_a_lease_has_one_owner_at_a_time(self, store: Store, clock: FakeClock) -> None:
        """It can be extended, released, and taken when it has expired."""
        now = clock.now()
        async with store.write() as uow:
            records = uow.records
            assert await records.acquire_lease("con_one/0", "node_a", now, now + _MINUTE)
            assert await records.acquire_lease("con_one/0", "node_a", now, now + 2 * _MINUTE)
            assert not await records.acquire_lease("con_one/0", "node_b", now + _MINUTE, now + 3 * _MINUTE)
            assert await records.acquire_lease("con_one/0", "node_b", now + 2 * _MINUTE, now + 3 * _MINUTE)
            await records.release_leases("node_b")
            assert await records.acquire_lease("con_one/0", "node_a", now, now + _MINUTE)
            await uow.commit()

    async def test_of_racing_nodes_one_gets_the_lease(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Across processes."""
        now = clock.now()

        async def race(each: Store, owner: str) -> bool:
            async with each.write() as uow:
                won = await uow.records.acquire_lease("con_one/0", owner, now, now + _MINUTE)
                await uow.commit()
            return won

        stores = [store, open_another()] * 3
        assert sum(await asyncio.gather(*[race(each, f"node_{number}") for number, each in enumerate(stores)])) == 1

    async def test_the_last_report_of_a_link_counts(self, store: Store, clock: FakeClock) -> None:
        """By connector and slot."""
        report = LinkReport(connector_id="con_one", slot=0, node_id="node_a", state=LinkState.UP, detail="bound", changed_at=clock.now())
        second = changed(report, slot=1)
        down = changed(report, state=LinkState.DOWN, detail="closed by the carrier")
        async with store.write() as uow:
            for each in (second, report, down):
                await uow.records.report_link(each)
            assert await uow.records.links() == [down, second]
            await uow.commit()

    async def test_named_values_hold_any_json(self, store: Store) -> None:
        """And are replaced by writing."""
        async with store.write() as uow:
            assert await uow.records.get_value("x") is None
            for value in ({"a": [1, "二"]}, 5, "text", False):
                await uow.records.set_value("x", value)
                assert await uow.records.get_value("x") == value
            await uow.commit()
