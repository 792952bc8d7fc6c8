"""Scenarios: what a simulated carrier goes through by the clock, read from a TOML file and played from its start.

```toml
repeats = true

[[step]]
at = 60
note = "the gateway slows down"
behave = { answer_seconds = 1.5 }

[[step]]
at = 90
account = "cmpp/yanshu"
drops_links = true

[[step]]
at = 120
note = "all is well again"
restores = true
```
"""

import tomllib
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from yanshu.simulator.behaviour import BehaviourError, SimulatorSettings, changed
from yanshu.simulator.smsc import Smsc


class ScenarioError(ValueError):
    """A scenario cannot be played; the message names the step and the field."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens `at` seconds from the start: first `restores` the behaviour of the start, then `behave` on top, then links drop.

    `account` is the one it happens to (see `Account.name`); all of them without it.
    """

    at: Annotated[float, Meta(ge=0, le=7 * 86_400)]
    note: str = ""
    account: str | None = None
    restores: bool = False
    behave: dict[str, Any] = {}
    drops_links: bool = False


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps in the order of their times; when it `repeats`, the last one's time is also that of the next start."""

    step: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=1000)]
    repeats: bool = False


def read_scenario(text: str, settings: SimulatorSettings) -> Scenario:
    """Read a scenario for a simulator with these settings. Raises `ScenarioError`."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"it is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ScenarioError(str(error)) from error
    known = {account.name for account in settings.accounts}
    for number, step in enumerate(scenario.step, 1):
        if step.account is not None and step.account not in known:
            raise ScenarioError(f"step {number}: account is one of {', '.join(sorted(known))}, not {step.account}")
        try:
            changed(settings.behaviour, step.behave)
        except BehaviourError as error:
            raise ScenarioError(f"step {number}: behave: {error}") from error
    times = [step.at for step in scenario.step]
    if times != sorted(times):
        raise ScenarioError("at: steps stand in the order of their times")
    if scenario.repeats and times[-1] == 0:
        raise ScenarioError("at: a scenario that repeats lasts longer than 0 s")
    return scenario


class Player:
    """Plays a scenario on a carrier's own schedule, its seconds divided by the time factor; `happened` follows each step."""

    def __init__(self, scenario: Scenario, smsc: Smsc, happened: Callable[[Step], None] = lambda _: None) -> None:
        self._scenario = scenario
        self._smsc = smsc
        self._happened = happened

    def start(self) -> None:
        """Put every step of one run on the schedule."""
        began = self._smsc.clock.monotonic()
        for step in self._scenario.step:
            self._smsc.schedule.add(began + step.at / self._smsc.settings.time_factor, lambda step=step: self._take(step))  # type: ignore[misc]

    def _take(self, step: Step) -> None:
        """Let one step happen."""
        if step.restores:
            self._smsc.restore(step.account)
        if step.behave:
            self._smsc.set_behaviour(step.behave, step.account)
        if step.drops_links:
            self._smsc.cut_links(step.account)
        self._smsc.note = step.note or self._smsc.note
        self._happened(step)
        if self._scenario.repeats and step is self._scenario.step[-1]:
            self.start()
