"""Moved: over which connectors a number may be reached that has left its operator."""

from collections.abc import Mapping, Sequence

from yanshu.domain.messages import Message
from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.pipeline.route import Router, sending_of
from yanshu.rules.templates.places import signature_of

Homes = Mapping[str, Sequence[Operator]]
"""The operators that numbers may be with, likeliest first."""


class Moved:
    """Answers for the numbers of one chunk, by the routes in force."""

    def __init__(self, router: Router | None, homes: Homes) -> None:
        self._router = router
        self._homes = homes

    def __bool__(self) -> bool:
        return bool(self._homes)

    def connectors_for(self, message: Message) -> tuple[str, ...]:
        """Return the connectors that lead to the operators its number may be with, likeliest first."""
        homes = self._homes.get(message.recipient, ())
        return tuple(dict.fromkeys(ident for operator in homes for ident in self._over(message, operator)))

    def _over(self, message: Message, operator: Operator) -> Sequence[str]:
        """Return what routes would say of the message if its number were that operator's."""
        if self._router is None:
            return ()
        facts = NumberFacts(number=message.recipient, country="CN", operator=operator)
        traits = self._router.traits_with(facts, signature_of(message.text))
        return self._router.plan(traits.ask(sending_of(message))).order_of(message.id)


NOBODY_MOVED = Moved(None, {})
