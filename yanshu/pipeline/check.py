"""Check: may this be sent? Rules in order, each with a name and an explanation; the first that objects decides.

A rule is a function over a chunk of drafts that yields only its objections, so a chunk that is fine costs one pass.
"""

from collections.abc import Callable, Iterable, Sequence

from yanshu.rules.compliance.length import judge_length
from yanshu.rules.compliance.verdicts import Draft, Verdict

Rule = Callable[[Sequence[Draft]], Iterable[tuple[int, Verdict]]]

RULES: tuple[Rule, ...] = (judge_length,)


class Checker:
    """Runs the rules over a chunk."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rules = tuple(rules)

    def check(self, drafts: Sequence[Draft]) -> dict[int, Verdict]:
        """Return index → verdict for the drafts that may not simply pass."""
        verdicts: dict[int, Verdict] = {}
        for rule in self._rules:
            for index, verdict in rule(drafts):
                verdicts.setdefault(index, verdict)
        return verdicts
