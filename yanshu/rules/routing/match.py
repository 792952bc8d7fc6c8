"""Match: what routing looks at in a message, and whether a route is for it."""

from msgspec import Struct

from yanshu.domain.connectors import Route
from yanshu.domain.lanes import Lane


class Ask(Struct, frozen=True):
    """What routing looks at in a message. `operator` is empty when nobody knows it, `signature` when the text has none.

    `number` is the recipient's, or what `Table.beginning_of` says of it.
    """

    workspace_id: str
    lane: Lane
    country: str
    livemode: bool
    pool: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    operator: str = ""
    number: str = ""
    signature: str = ""


# A list of values in a match, and the field of an ask that must be one of them.
LISTS = (
    ("lanes", "lane"),
    ("countries", "country"),
    ("workspaces", "workspace_id"),
    ("operators", "operator"),
    ("signatures", "signature"),
)
_ASKED = dict(LISTS) | {"prefixes": "number"}


class Rule:
    """A route made ready to be asked often: only the conditions it really has, and its pool by priority."""

    __slots__ = ("_lists", "_prefixes", "members", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.members = sorted(route.pool, key=lambda member: member.priority)
        self._lists = tuple((listed, asked, values) for listed, asked in LISTS if (values := getattr(route.match, listed)))
        self._prefixes = route.match.prefixes

    def unmet(self, ask: Ask) -> str | None:
        """Return the first condition that such messages do not meet, by its name in `Match`; None when the route is for them."""
        return self.unmet_list(ask) or (None if self.begins(ask.number) else "prefixes")

    def unmet_list(self, ask: Ask) -> str | None:
        """Return the first list that does not have what is asked; most messages differ in their numbers only."""
        for listed, asked, values in self._lists:
            if getattr(ask, asked) not in values:
                return listed
        return None

    def begins(self, number: str) -> bool:
        """Whether a number begins as it should."""
        return not self._prefixes or number.startswith(self._prefixes)

    def passed(self, ask: Ask) -> "Passed | None":
        """Return why the route is not for such messages; None when it is."""
        unmet = self.unmet(ask)
        return Passed(self.route.id, self.route.name, unmet, getattr(ask, _ASKED[unmet])) if unmet else None


class Passed(Struct, frozen=True):
    """One route that is not for a message: the condition that is not met, by its name in `Match`, or `disabled`; and what it met."""

    route_id: str
    name: str
    condition: str
    value: str
