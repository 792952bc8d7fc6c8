"""When somebody outside is asked: the breaker's states, and a budget of questions."""

from datetime import date

import pytest

from yanshu.runtime.breaker import Breaker, Budget

# Moments (seconds) and what happens: "?" a question that is let through, "-" one that is kept back, "f" it failed, "F" it failed
# and that opened the breaker, "a" it was answered.
STORIES = [
    ("answers keep it closed", [(0, "?"), (0, "a"), (0, "?"), (0, "f"), (0, "?"), (0, "a"), (0, "f"), (0, "?"), (0, "f")]),
    ("three failures in a row open it", [(0, "f"), (0, "f"), (0, "F"), (1, "-"), (9.9, "-")]),
    ("after a pause one question decides", [(0, "f"), (0, "f"), (0, "F"), (10, "?"), (10, "-"), (11, "a"), (11, "?"), (11, "?")]),
    (
        "if that fails it waits for another",
        [(0, "f"), (0, "f"), (0, "F"), (10, "?"), (12, "f"), (13, "-"), (20, "?"), (21, "a")],
    ),
    ("what fails late opens nothing anew", [(0, "f"), (0, "f"), (0, "F"), (1, "f"), (2, "f"), (10, "?")]),
]


@pytest.mark.parametrize(("name", "story"), STORIES, ids=[case[0] for case in STORIES])
def test_a_breaker_opens_and_closes(name: str, story: list[tuple[float, str]]) -> None:
    breaker = Breaker(3, 10)
    for now, what in story:
        if what in "?-":
            assert breaker.admits(now) is (what == "?"), (now, what)
        elif what == "a":
            breaker.answered()
            assert not breaker.is_open
        else:
            assert breaker.failed(now) is (what == "F"), (now, what)


def test_questions_are_spread_over_the_second() -> None:
    budget = Budget(per_second=4, per_day=100)
    assert [budget.wait(10.0) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert budget.wait(20.0) == 0.0, "what was not used is not saved up"
    assert budget.wait(20.0) == 0.25


def test_a_day_has_its_own_budget() -> None:
    budget = Budget(per_second=1, per_day=2)
    today, tomorrow = date(2026, 11, 25), date(2026, 11, 26)
    assert [budget.take(today) for _ in range(3)] == [True, True, False]
    assert [budget.take(tomorrow), budget.take(tomorrow), budget.take(tomorrow)] == [True, True, False]
