"""Customers' binds."""

# ruff: noqa: S101  # it is a test suite

import pytest

from yanshu.domain.binds import Bind, BindProtocol, BindStatus
from yanshu.domain.errors import StoreConflict
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed


class BindSuite:
    """See the module."""

    async def test_binds_are_saved_found_and_removed(self, store: Store, clock: FakeClock) -> None:
        """By id, by what they call themselves, and by workspace."""
        samples = Samples(clock)
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
        samples = Samples(clock)
        async with store.write() as uow:
            await uow.binds.save(samples.bind(system_id="acme"))
            await uow.binds.save(samples.bind(system_id="acme", protocol=BindProtocol.CMPP))
            await uow.commit()
        with pytest.raises(StoreConflict):
            await _save(store, samples.bind(system_id="acme", workspace_id="ws_two"))


async def _save(store: Store, bind: Bind) -> None:
    async with store.write() as uow:
        await uow.binds.save(bind)
        await uow.commit()
