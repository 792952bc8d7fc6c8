"""The doorkeeper over both stores: places are counted over all processes, and guessing is slow."""

import asyncio
from typing import Any

import pytest

from tests.conftest import OpenStore
from yanshu.domain.binds import Bind, BindProtocol
from yanshu.edge.binds.dialect import Asked, Refusal
from yanshu.edge.binds.doorkeeper import LEASE, Admitted, Doorkeeper
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.rules.accounts.sealing import Sealer
from yanshu.testing.bind_samples import BindSamples
from yanshu.testing.clocks import FakeClock

SEALER = Sealer(bytes(32))
HOME = "192.0.2.7"


class Door:
    """One process's doorkeeper."""

    def __init__(self, store: Store, clock: FakeClock, owner: str) -> None:
        self.keeper = Doorkeeper(store, clock, SEALER, owner)

    async def ask(self, system_id: str = "shop", secret: str = "right", address: str = HOME) -> Admitted | Refusal:
        return await self.keeper.admit(BindProtocol.SMPP, Asked(system_id, receives=True), address, lambda known: known == secret)

    async def slot(self) -> int | None:
        found = await self.ask()
        return found.slot if isinstance(found, Admitted) else None


@pytest.fixture
async def bind(store: Store, clock: FakeClock) -> Bind:
    bind = BindSamples(clock).bind(system_id="shop", secret=SEALER.seal("right"), sessions=2, cidrs=("192.0.2.0/24",))
    async with store.write() as uow:
        await uow.binds.save(bind)
        await uow.commit()
    return bind


@pytest.mark.usefixtures("bind")
async def test_places_are_counted_over_all_processes(store: Store, open_another: OpenStore, clock: FakeClock) -> None:
    one, two = Door(store, clock, "one"), Door(open_another(), clock, "two")
    assert [await one.slot(), await two.slot(), await one.slot(), await two.slot()] == [0, 1, None, None]


async def test_a_place_that_is_given_back_is_free_for_others_at_once(
    store: Store, open_another: OpenStore, clock: FakeClock, bind: Bind
) -> None:
    one, two = Door(store, clock, "one"), Door(open_another(), clock, "two")
    assert [await one.slot(), await one.slot(), await two.slot()] == [0, 1, None]
    one.keeper.give_back(bind.id, 1)
    assert one.keeper.has_news
    await one.keeper.renew()
    assert not one.keeper.has_news
    assert [await two.slot(), await one.slot()] == [1, None]


@pytest.mark.usefixtures("bind")
async def test_places_of_a_dead_process_are_free_when_their_lease_is_over(store: Store, open_another: OpenStore, clock: FakeClock) -> None:
    dead, alive = Door(store, clock, "dead"), Door(open_another(), clock, "alive")
    assert [await dead.slot(), await alive.slot()] == [0, 1]
    clock.advance(LEASE.total_seconds() - 1)
    await alive.keeper.renew()
    assert await alive.slot() is None
    clock.advance(2)
    assert await alive.slot() == 0


@pytest.mark.usefixtures("bind")
async def test_two_sessions_that_ask_at_once_get_different_places(store: Store, clock: FakeClock) -> None:
    door = Door(store, clock, "one")
    found = await asyncio.gather(*(door.slot() for _ in range(5)))
    assert sorted(slot for slot in found if slot is not None) == [0, 1]


@pytest.mark.usefixtures("bind")
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"secret": "wrong"}, Refusal.CREDENTIALS),
        ({"system_id": "nobody"}, Refusal.CREDENTIALS),
        ({"system_id": "nobody", "secret": ""}, Refusal.CREDENTIALS),
        ({"address": "198.51.100.1"}, Refusal.ADDRESS),
    ],
)
async def test_a_refusal_is_in_the_audit_trail(store: Store, clock: FakeClock, wrong: dict[str, Any], why: Refusal) -> None:
    door = Door(store, clock, "one")
    assert await door.ask(**wrong) is why
    await door.keeper.renew()
    async with store.read() as uow:
        (entry,) = await uow.access.audit(None, Page())
    assert (entry.action, entry.detail["because"], entry.address) == ("bind.refused", why.name.lower(), wrong.get("address", HOME))


@pytest.mark.usefixtures("bind")
async def test_guessing_is_slow_and_does_not_hold_up_anybody_else(store: Store, clock: FakeClock) -> None:
    door = Door(store, clock, "one")
    for _ in range(3):
        assert await door.ask(secret="wrong") is Refusal.CREDENTIALS
    guess = asyncio.create_task(door.ask(secret="wrong"))
    assert isinstance(await door.ask(address="192.0.2.8"), Admitted)
    assert not guess.done()
    assert await guess is Refusal.CREDENTIALS
