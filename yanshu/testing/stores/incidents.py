"""Incidents of connectors."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from typing import Any

from yanshu.domain.incidents import Incident, IncidentKind
from yanshu.domain.numbers import Operator
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed


class IncidentSuite:
    """See the module."""

    async def test_incidents_are_opened_saved_and_found(self, store: Store, clock: FakeClock) -> None:
        """By id, by connector, and by whether they are over."""
        samples = Samples(clock)
        first, other = incident(samples), incident(samples, connector_id="con_two", operator=Operator.CMCC)
        over = changed(first, closed_at=clock.advance(1), count=3, detail="it is well", version=2)
        async with store.write() as uow:
            assert await uow.incidents.open(first)
            assert await uow.incidents.open(other)
            assert await uow.incidents.current() == [first, other]
            assert not await uow.incidents.save(changed(first, version=3))
            assert await uow.incidents.save(over)
            assert not await uow.incidents.save(over)
            assert await uow.incidents.get(first.id) == over
            assert await uow.incidents.get("inc_none") is None
            assert await uow.incidents.current() == [other]
            assert await uow.incidents.page(Page()) == [other, over]
            assert await uow.incidents.page(Page(), is_open=True) == [other]
            assert await uow.incidents.page(Page(), is_open=False) == [over]
            assert await uow.incidents.page(Page(), connector_id="con_two") == [other]
            assert await uow.incidents.open(incident(samples))
            await uow.commit()

    async def test_of_one_thing_one_incident_is_open(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """However many processes see it."""
        samples = Samples(clock)

        async def see(each: Store, row: Incident) -> bool:
            async with each.write() as uow:
                is_opened = await uow.incidents.open(row)
                await uow.commit()
            return is_opened

        stores = [store, open_another()] * 3
        assert sum(await asyncio.gather(*[see(each, incident(samples)) for each in stores])) == 1
        assert sum(await asyncio.gather(*[see(each, incident(samples, operator=Operator.CUCC)) for each in stores])) == 1


def incident(samples: Samples, **fields: Any) -> Incident:
    """An incident that opens now."""
    values: dict[str, Any] = {
        "id": samples.ident("inc"),
        "kind": IncidentKind.LINK_BLOCKED,
        "connector_id": "con_one",
        "opened_at": samples.now,
        "updated_at": samples.now,
        "detail": "wrong password",
    }
    return Incident(**(values | fields))
