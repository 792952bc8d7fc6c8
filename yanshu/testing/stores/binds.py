"""Customers' binds, what they submitted, and what they are owed."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from yanshu.domain.binds import Bind, BindDelivery, BindProtocol, BindStatus, place_lease
from yanshu.domain.errors import StoreConflict
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.testing.bind_samples import BindSamples
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import changed

_LEASE = timedelta(seconds=30)


class BindSuite:
    """See the module."""

    async def test_binds_are_saved_found_and_removed(self, store: Store, clock: FakeClock) -> None:
        """By id, by what they call themselves, and by workspace."""
        samples = BindSamples(clock)
        bind = samples.bind(cidrs=("10.0.0.0/8",), senders=("1069*",), metadata={"a": 1})
        test = samples.bind(livemode=False, protocol=BindProtocol.CMPP)
        async with store.write() as uow:
            await uow.binds.save(changed(bind, name="old", status=BindStatus.DISABLED))
            await uow.binds.save(bind)
            await uow.binds.save(test)
            assert await uow.binds.get(bind.id) == bind
            assert await uow.binds.by_system_id(bind.protocol, bind.system_id) == bind
            assert await uow.binds.by_system_id(BindProtocol.CMPP, bind.system_id) is None
            assert await uow.binds.page("ws_one", Page()) == [test, bind]
            assert await uow.binds.page("ws_one", Page(), livemode=True) == [bind]
            assert await uow.binds.page("ws_two", Page()) == []
            assert await uow.binds.remove(bind.id)
            assert not await uow.binds.remove(bind.id)
            assert await uow.binds.get(bind.id) is None
            await uow.commit()

    async def test_a_system_id_belongs_to_one_bind_of_a_protocol(self, store: Store, clock: FakeClock) -> None:
        """Whatever the workspace."""
        samples = BindSamples(clock)
        async with store.write() as uow:
            await uow.binds.save(samples.bind(system_id="acme"))
            await uow.binds.save(samples.bind(system_id="acme", protocol=BindProtocol.CMPP))
            await uow.commit()
        with pytest.raises(StoreConflict):
            await _save(store, samples.bind(system_id="acme", workspace_id="ws_two"))

    async def test_a_write_leaves_the_position_and_binds_behind_are_found_until_they_advance(self, store: Store, clock: FakeClock) -> None:
        """Whoever changes a bind does not take back what was read for it meanwhile."""
        samples = BindSamples(clock)
        behind, ahead = samples.bind(position=5), samples.bind(position=9)
        async with store.write() as uow:
            await uow.binds.save(behind)
            await uow.binds.save(ahead)
            assert await uow.binds.behind(9, 10) == [behind]
            assert await uow.binds.is_any_behind(9)
            await uow.binds.advance(behind.id, 1 << 60)
            await uow.binds.save(behind)
            assert await uow.binds.behind(9, 10) == []
            assert not await uow.binds.is_any_behind(9)
            await uow.commit()

    async def test_parts_wait_for_their_siblings(self, store: Store, clock: FakeClock) -> None:
        """A repeated one is ignored; a group is ripe once it is complete and settled, or has waited too long."""
        samples = BindSamples(clock)
        first, second, lone = samples.bind_part(part=1), samples.bind_part(part=2), samples.bind_part(group="other")
        async with store.write() as uow:
            await uow.binds.add_parts([second, first, lone])
            await uow.binds.add_parts([changed(first, id=samples.ident("seg"))])
            assert await uow.binds.parts_of("bnd_one", "group") == [first, second]
            now, later = clock.now(), clock.now() + timedelta(seconds=1)
            assert await uow.binds.ripe_groups(later, now, 10) == [("bnd_one", "group")]
            assert await uow.binds.ripe_groups(now, now, 10) == []
            assert await uow.binds.ripe_groups(now, later, 10) == [("bnd_one", "group"), ("bnd_one", "other")]
            await uow.binds.remove_parts("bnd_one", "group")
            assert await uow.binds.parts_of("bnd_one", "group") == []
            await uow.commit()

    async def test_tickets_are_found_finished_and_purged(self, store: Store, clock: FakeClock) -> None:
        """By message; only what was finished long ago goes."""
        samples = BindSamples(clock)
        one, two, open_one = samples.ticket("msg_1"), samples.ticket("msg_1", segment=2), samples.ticket("msg_2")
        async with store.write() as uow:
            await uow.binds.add_tickets([two, open_one, one])
            assert await uow.binds.tickets_of(["msg_1", "msg_9"]) == [one, two]
            await uow.binds.finish_tickets(["msg_1"], clock.now())
            assert await uow.binds.tickets_of(["msg_1"]) == [changed(one, finished_at=clock.now()), changed(two, finished_at=clock.now())]
            assert await uow.binds.purge_tickets(clock.now(), 10) == 0
            assert await uow.binds.purge_tickets(clock.now() + timedelta(seconds=1), 10) == 2
            assert await uow.binds.tickets_of(["msg_1", "msg_2"]) == [open_one]
            await uow.commit()

    async def test_what_is_owed_is_claimed_when_due_and_comes_back_after_its_lease(self, store: Store, clock: FakeClock) -> None:
        """A process that died gives it up; what is acknowledged is gone."""
        samples = BindSamples(clock)
        due = samples.bind_delivery("msg_1")
        later = samples.bind_delivery("msg_2", next_at=clock.now() + timedelta(seconds=1))
        other = samples.bind_delivery("msg_1", bind_id="bnd_two")
        async with store.write() as uow:
            await uow.binds.save(samples.bind(id="bnd_one"))
            await uow.binds.save(samples.bind(id="bnd_two"))
            await uow.binds.add_deliveries([due, later, other])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.binds.with_due(["bnd_one", "bnd_three"], clock.now()) == {"bnd_one"}
            assert (await uow.binds.count_owed("bnd_one"), await uow.binds.count_owed("bnd_three")) == (2, 0)
        assert await _claim(store, clock) == [changed(due, next_at=clock.now() + _LEASE)]
        assert await _claim(store, clock) == []
        clock.advance(31)
        claimed = await _claim(store, clock)
        assert [delivery.id for delivery in claimed] == [due.id, later.id]
        async with store.write() as uow:
            await uow.binds.remove_deliveries([due.id])
            await uow.binds.postpone_deliveries([changed(later, attempts=3, next_at=clock.now()), changed(due, attempts=9)])
            await uow.commit()
        assert [(delivery.id, delivery.attempts) for delivery in await _claim(store, clock)] == [(later.id, 3)]

    async def test_deliveries_about_one_object_keep_their_order(self, store: Store, clock: FakeClock) -> None:
        """They may travel together; the next one waits while the one before is put off or under way."""
        samples = BindSamples(clock)
        parts = [samples.bind_delivery("inb_1", text=samples.text_owed(part=part, parts=3)) for part in (1, 2, 3)]
        free = samples.bind_delivery("msg_1", receipt=samples.receipt_owed())
        async with store.write() as uow:
            await uow.binds.add_deliveries([*parts, free])
            await uow.commit()
        assert [delivery.id for delivery in await _claim(store, clock, 2)] == [parts[0].id, parts[1].id]
        assert [delivery.id for delivery in await _claim(store, clock)] == [free.id]
        async with store.write() as uow:
            await uow.binds.remove_deliveries([parts[0].id])
            await uow.binds.postpone_deliveries([changed(parts[1], attempts=1, next_at=clock.now() + timedelta(seconds=5))])
            await uow.commit()
        assert await _claim(store, clock) == []
        clock.advance(5)
        assert [delivery.id for delivery in await _claim(store, clock)] == [parts[1].id, parts[2].id]

    async def test_what_is_owed_expires_unless_it_is_under_way(self, store: Store, clock: FakeClock) -> None:
        """It is then found once, for whoever says so."""
        samples = BindSamples(clock)
        soon = clock.now() + timedelta(seconds=10)
        owed, under_way = samples.bind_delivery("msg_1", expires_at=soon), samples.bind_delivery("msg_2", expires_at=soon)
        async with store.write() as uow:
            await uow.binds.add_deliveries([owed, changed(under_way, next_at=soon + timedelta(seconds=1))])
            assert await uow.binds.expired_deliveries(clock.now(), 10) == []
            assert await uow.binds.expired_deliveries(soon, 10) == [owed]
            await uow.commit()
        clock.advance(10)
        assert await _claim(store, clock) == []

    async def test_concurrent_claims_of_what_is_owed_never_overlap(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Two processes, twice each."""
        samples = BindSamples(clock)
        async with store.write() as uow:
            await uow.binds.add_deliveries([samples.bind_delivery(f"msg_{number}") for number in range(60)])
            await uow.commit()
        claims = await asyncio.gather(*[_claim(each, clock, 25) for each in [store, open_another()] * 2])
        claims.append(await _claim(store, clock, 100))
        taken = [delivery.id for claimed in claims for delivery in claimed]
        assert len(taken) == len(set(taken)) == 60

    async def test_the_sessions_of_a_bind_are_counted_by_the_places_they_hold(self, store: Store, clock: FakeClock) -> None:
        """Those whose lease has ended do not count."""
        bind, now = BindSamples(clock).bind(sessions=3), clock.now()
        async with store.write() as uow:
            for slot, seconds in ((0, 10), (1, 20), (7, 20)):
                assert await uow.records.acquire_lease(place_lease(bind.id, slot), "node_a", now, now + timedelta(seconds=seconds))
            assert await uow.binds.count_sessions(bind, now) == 2
            assert await uow.binds.count_sessions(bind, now + timedelta(seconds=10)) == 1
            await uow.commit()

    async def test_a_bind_goes_with_all_that_is_its_own(self, store: Store, clock: FakeClock) -> None:
        """Nothing of it is delivered to anybody."""
        samples = BindSamples(clock)
        async with store.write() as uow:
            await uow.binds.save(samples.bind(id="bnd_one"))
            await uow.binds.add_parts([samples.bind_part()])
            await uow.binds.add_tickets([samples.ticket("msg_1")])
            await uow.binds.add_deliveries([samples.bind_delivery("msg_1")])
            assert await uow.binds.remove("bnd_one")
            assert await uow.binds.parts_of("bnd_one", "group") == []
            assert await uow.binds.tickets_of(["msg_1"]) == []
            await uow.commit()
        assert await _claim(store, clock) == []


async def _claim(store: Store, clock: FakeClock, limit: int = 10) -> list[BindDelivery]:
    async with store.write() as uow:
        claimed = await uow.binds.claim_deliveries("bnd_one", clock.now(), clock.now() + _LEASE, limit)
        await uow.commit()
    return claimed


async def _save(store: Store, bind: Bind) -> None:
    async with store.write() as uow:
        await uow.binds.save(bind)
        await uow.commit()
