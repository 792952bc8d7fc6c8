"""Who may bind: how mistakes slow an address down, and who is unwelcome whatever it proves."""

import pytest

from yanshu.domain.binds import BindStatus
from yanshu.edge.binds.dialect import Refusal
from yanshu.edge.binds.doorkeeper import Mistakes, unwelcome
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

HOME = "192.0.2.7"


def test_the_first_mistakes_are_forgiven_and_then_each_costs_twice_as_much() -> None:
    mistakes = Mistakes()
    pauses = []
    for _ in range(10):
        pauses.append(mistakes.pause(HOME, 0.0))
        mistakes.add(HOME, 0.0)
    assert pauses == [0, 0, 0, 0.5, 1, 2, 4, 8, 10, 10]
    assert mistakes.pause("192.0.2.8", 0.0) == 0


def test_mistakes_are_forgotten_with_time_and_when_it_gets_it_right() -> None:
    mistakes = Mistakes()
    for _ in range(5):
        mistakes.add(HOME, 0.0)
    assert mistakes.pause(HOME, 599.0) > 0
    assert mistakes.pause(HOME, 600.0) == 0
    mistakes.forget(HOME)
    assert mistakes.pause(HOME, 0.0) == 0


def test_mistakes_of_very_many_addresses_do_not_fill_the_memory() -> None:
    mistakes = Mistakes()
    for number in range(30_000):
        mistakes.add(f"2001:db8::{number:x}", 0.0)
    for _ in range(5):
        mistakes.add(HOME, 0.0)
    assert mistakes.pause(HOME, 0.0) > 0
    assert len(mistakes._known) <= 10_000


@pytest.mark.parametrize(
    ("fields", "address", "why"),
    [
        ({}, HOME, None),
        ({"cidrs": ("192.0.2.0/24",)}, HOME, None),
        ({"cidrs": ("192.0.2.0/24",)}, f"::ffff:{HOME}", None),
        ({"cidrs": ("192.0.2.0/24",)}, "198.51.100.1", Refusal.ADDRESS),
        ({"cidrs": ("192.0.2.0/24",)}, "", Refusal.ADDRESS),
        ({"status": BindStatus.DISABLED}, HOME, Refusal.DISABLED),
    ],
)
def test_a_bind_is_used_from_its_own_networks_while_it_is_enabled(fields: dict[str, object], address: str, why: Refusal | None) -> None:
    assert unwelcome(Samples(FakeClock()).bind(**fields), address) is why
