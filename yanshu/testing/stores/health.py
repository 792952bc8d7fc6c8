"""Conditions of connectors, and shared counts."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from typing import Any

from yanshu.domain.health import Breaker, Bucket, Cause, Condition, Counts, Tally
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import changed


class HealthSuite:
    """See the module."""

    async def test_a_condition_moves_from_the_version_before_alone(self, store: Store, clock: FakeClock) -> None:
        """For the connector as a whole and for each operator."""
        now = clock.now()
        whole = Condition(connector_id="con_a", moved_at=now, version=1)
        pair = Condition(
            connector_id="con_a", operator=Operator.CMCC, breaker=Breaker.OPEN, cause=Cause.NO_LINK, trial_at=now, reports=True, version=1
        )
        async with store.write() as uow:
            assert await uow.health.conditions() == []
            assert await uow.health.move(pair)
            assert await uow.health.move(whole)
            assert not await uow.health.move(changed(whole, weight_percent=90))
            assert not await uow.health.move(changed(whole, version=3))
            assert await uow.health.conditions() == [whole, pair]
            assert await uow.health.move(changed(pair, version=2, cause=None, trips=3))
            assert await uow.health.conditions() == [whole, changed(pair, version=2, cause=None, trips=3)]
            await uow.commit()

    async def test_of_racing_moves_one_is_made(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Whichever process makes it."""
        del clock

        async def race(each: Store, version: int) -> bool:
            async with each.write() as uow:
                is_made = await uow.health.move(Condition(connector_id="con_a", version=version))
                await uow.commit()
            return is_made

        stores = [store, open_another()] * 3
        for version in (1, 2):
            made = await asyncio.gather(*[race(each, version) for each in stores])
            assert sum(made) == 1

    async def test_buckets_are_read_once(self, store: Store, clock: FakeClock) -> None:
        """By process and by what it has written since."""
        del clock
        tally = Tally(Counts(accepted=3, owed=2), {OutcomeClass.PARAM: 1})
        one = Bucket(node_id="n1", connector_id="con_a", operator="cmcc", starts=10, seq=1, tally=tally)
        later = changed(one, starts=20, seq=2)
        other = changed(one, node_id="n2", operator="", seq=7)
        async with store.write() as uow:
            await uow.health.count([one, other, later])
            assert _sorted(await uow.health.buckets({})) == [one, later, other]
            assert await uow.health.buckets({"n1": 1, "n2": 7}) == [later]
            assert await uow.health.buckets({"n1": 2}) == [other]
            await uow.health.count([changed(one, seq=3, tally=Tally())])
            assert await uow.health.buckets({"n1": 2, "n2": 7}) == [changed(one, seq=3, tally=Tally())]
            await uow.commit()

    async def test_old_buckets_and_gone_connectors_are_forgotten(self, store: Store, clock: FakeClock) -> None:
        """And those from the future of a clock that was set back."""
        del clock
        one = Bucket(node_id="n1", connector_id="con_a", operator="", starts=10, seq=1, tally=Tally())
        rows = [changed(one, starts=second) for second in (10, 20, 30)]
        gone = changed(one, connector_id="con_b", starts=20)
        async with store.write() as uow:
            await uow.health.count([*rows, gone])
            await uow.health.move(Condition(connector_id="con_b", version=1))
            await uow.health.purge(11, 29)
            assert _sorted(await uow.health.buckets({})) == [rows[1], gone]
            await uow.health.forget("con_b")
            assert await uow.health.buckets({}) == [rows[1]]
            assert await uow.health.conditions() == []
            await uow.commit()


def _sorted(buckets: list[Bucket]) -> list[Bucket]:
    return sorted(buckets, key=lambda bucket: (bucket.node_id, bucket.connector_id, bucket.starts))
