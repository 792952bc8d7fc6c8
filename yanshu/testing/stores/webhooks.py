"""Webhook endpoints and deliveries."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from datetime import timedelta
from typing import Any

from yanshu.domain.webhooks import Delivery, DeliveryStatus, EndpointStatus
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed

_LEASE = timedelta(seconds=30)


class WebhookSuite:
    """See the module."""

    async def test_endpoints_are_saved_found_and_removed_with_what_is_pending(self, store: Store, clock: FakeClock) -> None:
        """Deliveries that were made stay for the record."""
        samples = Samples(clock)
        endpoint = samples.endpoint(rotated_until=samples.now, failing_since=samples.now, batch_max=100)
        pending = samples.delivery("msg_1", endpoint_id=endpoint.id)
        made = samples.delivery(
            "msg_1", endpoint_id=endpoint.id, status=DeliveryStatus.DELIVERED, next_at=None, response_status=200, took_ms=3
        )
        async with store.write() as uow:
            webhooks = uow.webhooks
            await webhooks.save_endpoint(changed(endpoint, url="https://old.example.com"))
            await webhooks.save_endpoint(endpoint)
            await webhooks.add_deliveries([pending, made])
            assert await webhooks.endpoint(endpoint.id) == endpoint
            assert await webhooks.endpoints("ws_one", Page()) == [endpoint]
            assert await webhooks.endpoints("ws_two", Page()) == []
            assert await webhooks.deliveries(endpoint.id, None, Page()) == [made, pending]
            assert await webhooks.deliveries(endpoint.id, "pending", Page()) == [pending]
            assert await webhooks.remove_endpoint(endpoint.id)
            assert not await webhooks.remove_endpoint(endpoint.id)
            assert await webhooks.endpoint(endpoint.id) is None
            assert await webhooks.delivery(pending.id) is None
            assert await webhooks.delivery(made.id) == made
            await uow.commit()

    async def test_endpoints_that_are_behind_are_found_until_they_advance(self, store: Store, clock: FakeClock) -> None:
        """Disabled ones are left alone."""
        samples = Samples(clock)
        behind, ahead = samples.endpoint(position=5), samples.endpoint(position=9)
        async with store.write() as uow:
            for endpoint in (behind, ahead, samples.endpoint(status=EndpointStatus.DISABLED)):
                await uow.webhooks.save_endpoint(endpoint)
            assert await uow.webhooks.behind(9, 10) == [behind]
            await uow.webhooks.advance(behind.id, 1 << 60)
            assert await uow.webhooks.behind(9, 10) == []
            await uow.commit()

    async def test_deliveries_are_claimed_when_due_and_come_back_after_their_lease(self, store: Store, clock: FakeClock) -> None:
        """A process that died gives them up."""
        samples = Samples(clock)
        due, later = samples.delivery("msg_1"), samples.delivery("msg_2", next_at=samples.now + timedelta(seconds=1))
        done = samples.delivery("msg_3", status=DeliveryStatus.FAILED)
        async with store.write() as uow:
            await uow.webhooks.add_deliveries([due, later, done])
            await uow.commit()
        assert await _claim(store, clock) == [changed(due, next_at=samples.now + _LEASE)]
        assert await _claim(store, clock) == []
        clock.advance(31)
        assert {delivery.id for delivery in await _claim(store, clock)} == {due.id, later.id}

    async def test_an_objects_deliveries_to_one_target_keep_their_order(self, store: Store, clock: FakeClock) -> None:
        """The next one waits until the one before has succeeded or been given up."""
        samples = Samples(clock)
        first, second = samples.delivery("msg_1", "msg_2"), samples.delivery("msg_2", "msg_3")
        free = samples.delivery("msg_4")
        elsewhere = samples.delivery("msg_2", endpoint_id="whe_two")
        callbacks = [samples.delivery("msg_2", endpoint_id=None, url=f"https://{n}.example.com") for n in (1, 1, 2)]
        async with store.write() as uow:
            await uow.webhooks.add_deliveries([second, first, free, elsewhere, *callbacks])
            await uow.commit()
        claimed = await _claim(store, clock)
        assert {delivery.id for delivery in claimed} == {first.id, free.id, elsewhere.id, callbacks[0].id, callbacks[2].id}
        async with store.write() as uow:
            again = [
                changed(delivery, attempts=1, error="timeout", next_at=samples.now + _LEASE)
                for delivery in claimed
                if delivery.id != first.id
            ]
            await uow.webhooks.save_deliveries([*again, changed(first, status=DeliveryStatus.DELIVERED, next_at=None)])
            await uow.commit()
        assert [delivery.id for delivery in await _claim(store, clock)] == [second.id]

    async def test_concurrent_claims_of_deliveries_never_overlap(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Two processes, twice each."""
        samples = Samples(clock)
        async with store.write() as uow:
            await uow.webhooks.add_deliveries([samples.delivery(f"msg_{number}") for number in range(60)])
            await uow.commit()
        claims = await asyncio.gather(*[_claim(each, clock, 25) for each in [store, open_another()] * 2])
        claims.append(await _claim(store, clock, 100))
        taken = [delivery.id for claimed in claims for delivery in claimed]
        assert len(taken) == len(set(taken)) == 60

    async def test_the_position_of_callbacks_is_remembered(self, store: Store) -> None:
        """From zero on."""
        async with store.write() as uow:
            assert await uow.webhooks.callbacks_position() == 0
            await uow.webhooks.advance_callbacks(1 << 60)
            await uow.commit()
        async with store.write() as uow:
            assert await uow.webhooks.callbacks_position() == 1 << 60


async def _claim(store: Store, clock: FakeClock, limit: int = 10) -> list[Delivery]:
    async with store.write() as uow:
        claimed = await uow.webhooks.claim_deliveries(clock.now(), clock.now() + _LEASE, limit)
        await uow.commit()
    return claimed
