"""Scenarios: read strictly, played by the clock."""

from pathlib import Path

import pytest

from yanshu.simulator import Account, Behaviour, SimulatorSettings
from yanshu.simulator.scenario import Player, ScenarioError, read_scenario
from yanshu.simulator.smsc import Smsc
from yanshu.testing.clocks import FakeClock

EXAMPLE = Path(__file__).parents[3] / "examples" / "a-day-in-the-life.toml"
SETTINGS = SimulatorSettings(
    accounts=(Account(overrides={"id_form": "decimal"}), Account(protocol="cmpp")), behaviour=Behaviour(receipt_seconds=1), time_factor=10
)

BAD = [
    ("no TOML", "step = [", "it is no TOML"),
    ("no step", "repeats = true", "step"),
    ("an empty list", "step = []", "length >= 1"),
    ("an unknown field", "[[step]]\nat = 1\nwhen = 2", "`when`"),
    ("no time", "[[step]]\nnote = 'x'", "`at`"),
    ("a time before the start", "[[step]]\nat = -1", ">= 0"),
    ("a word for a time", "[[step]]\nat = 'noon'", "got `str`"),
    ("an unknown behaviour", "[[step]]\nat = 1\n[[step]]\nat = 2\nbehave = { latency = 1 }", "step 2: behave: .*`latency`"),
    ("a rate above one", "[[step]]\nat = 1\nbehave = { refuse_rate = 2 }", "step 1: behave: .*refuse_rate"),
    ("an unknown account", "[[step]]\nat = 1\naccount = 'nobody'", "step 1: account is one of cmpp/yanshu, yanshu"),
    ("the wrong order", "[[step]]\nat = 2\n[[step]]\nat = 1", "order"),
    ("a day of no time", "repeats = true\n[[step]]\nat = 0", "repeats"),
]


@pytest.mark.parametrize(("name", "text", "named"), BAD, ids=[case[0] for case in BAD])
def test_a_scenario_that_cannot_be_played_says_where(name: str, text: str, named: str) -> None:
    with pytest.raises(ScenarioError, match=named):
        read_scenario(text, SETTINGS)


class Stage:
    """A carrier whose scenario is played on a fake clock."""

    def __init__(self, text: str) -> None:
        self.clock = FakeClock()
        self.smsc = Smsc(SETTINGS, self.clock)
        self.happened: list[str] = []
        Player(read_scenario(text, SETTINGS), self.smsc, lambda step: self.happened.append(step.note)).start()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.smsc.schedule.run_due(self.clock.monotonic())


def test_steps_happen_at_their_times_over_the_time_factor() -> None:
    stage = Stage("[[step]]\nat = 10\nnote = 'a'\nbehave = { silent = true }\n[[step]]\nat = 20\nnote = 'b'\nrestores = true")
    assert (stage.happened, stage.smsc.behaviour.silent) == ([], False)
    stage.pass_time(1)
    assert (stage.happened, stage.smsc.behaviour.silent, stage.smsc.state()["note"]) == (["a"], True, "a")
    stage.pass_time(1)
    assert (stage.happened, stage.smsc.behaviour) == (["a", "b"], SETTINGS.behaviour)


def test_a_step_of_one_account_leaves_the_others_alone_and_what_it_began_with_comes_back() -> None:
    stage = Stage(
        "[[step]]\nat = 10\naccount = 'yanshu'\nbehave = { id_form = 'uuid' }\n[[step]]\nat = 20\naccount = 'yanshu'\nrestores = true"
    )
    forms = []
    for _ in range(2):
        stage.pass_time(1)
        forms.append([desk.behaviour.id_form for desk in stage.smsc.desks.values()])
    assert forms == [["uuid", "hex"], ["decimal", "hex"]]


def test_a_scenario_that_repeats_begins_again_after_its_last_step() -> None:
    stage = Stage("repeats = true\n[[step]]\nat = 0\nnote = 'a'\n[[step]]\nat = 10\nnote = 'b'")
    stage.pass_time(0)
    for _ in range(3):
        stage.pass_time(1)
    assert stage.happened == ["a", "b", "a", "b", "a", "b", "a"]


def test_the_example_is_a_scenario_that_ends_as_it_began() -> None:
    stage = Stage(EXAMPLE.read_text("utf-8"))
    stage.pass_time(71)
    assert stage.smsc.behaviour == SETTINGS.behaviour
    assert stage.smsc.note == "all is well"
