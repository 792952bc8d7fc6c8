"""Steps of the schema: one chain of numbers, so that two changes never claim the same place."""

from importlib import import_module
from pathlib import Path

from yanshu.adapters.stores.migrations import versions


def test_every_step_has_its_own_number_and_follows_the_one_before() -> None:
    names = sorted(path.stem for path in Path(versions.__file__).parent.glob("[0-9]*.py"))
    steps = [import_module(f"{versions.__name__}.{name}") for name in names]
    numbers = [f"{place:04d}" for place in range(1, len(names) + 1)]
    assert [name[:4] for name in names] == numbers
    assert [step.revision for step in steps] == numbers
    assert [step.down_revision for step in steps] == [None, *numbers[:-1]]
