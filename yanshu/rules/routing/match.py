"""Match: what routing looks at in a message, and whether a route is for it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter

from msgspec import Struct

from yanshu.domain.connectors import Route
from yanshu.domain.lanes import Lane
from yanshu.rules.routing.hours import Clock


class Sending(Struct, frozen=True, kw_only=True):
    """What routing looks at that all messages of a send have in common; `at` is when they are to be sent, `sender` their own if any."""

    workspace_id: str
    lane: Lane
    livemode: bool
    at: datetime
    pool: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    metadata: Mapping[str, str] | None = None
    sender: str | None = None
    extension: str = ""


class Ask(Struct, frozen=True):
    """What routing looks at in a message. `operator` is empty when nobody knows it, `signature` when the text has none.

    `number` is the recipient's, or what `Table.beginning_of` says of it.
    """

    sending: Sending
    country: str
    operator: str = ""
    number: str = ""
    signature: str = ""


class Passed(Struct, frozen=True):
    """One route that is not for a message: the condition that is not met, by its name in `Match`, or `disabled`; and what it met."""

    route_id: str
    name: str
    condition: str
    value: str


# A list of values in a match, and where the value of an ask is that must be one of them.
LISTS: dict[str, Callable[[Ask], str]] = {
    "lanes": attrgetter("sending.lane"),
    "countries": attrgetter("country"),
    "workspaces": attrgetter("sending.workspace_id"),
    "operators": attrgetter("operator"),
    "signatures": attrgetter("signature"),
}


_FEW = 16  # so many prefixes are tried faster than looked up


class Rule:
    """A route made ready to be asked often: only the conditions it really has, and its pool by priority."""

    __slots__ = ("_clock", "_lengths", "_lists", "_many", "_metadata", "_prefixes", "members", "route")

    def __init__(self, route: Route) -> None:
        match = route.match
        self.route = route
        self.members = sorted(route.pool, key=lambda member: member.priority)
        self._lists = tuple((listed, asked, values) for listed, asked in LISTS.items() if (values := getattr(match, listed)))
        self._clock = Clock(match.hours) if match.hours else None
        self._metadata = tuple(match.metadata.items())
        self._prefixes = match.prefixes
        self._many = frozenset(match.prefixes) if len(match.prefixes) > _FEW else frozenset()
        self._lengths = tuple(sorted({len(prefix) for prefix in self._many}))

    def unmet(self, ask: Ask) -> str | None:
        """Return the first condition that such messages do not meet, by its name in `Match`; None when the route is for them."""
        return self.unmet_but_prefixes(ask) or (None if self.begins(ask.number) else "prefixes")

    def unmet_but_prefixes(self, ask: Ask) -> str | None:
        """Return the same of everything but the number: most messages differ in that only."""
        for listed, asked, values in self._lists:
            if asked(ask) not in values:
                return listed
        if self._clock is not None and not self._clock.is_within(ask.sending.at):
            return "hours"
        return "metadata" if self._metadata and self._missed(ask.sending.metadata) else None

    def begins(self, number: str) -> bool:
        """Whether a number begins as it should; of a thousand prefixes not each is tried."""
        if self._many:
            return any(number[:length] in self._many for length in self._lengths)
        return not self._prefixes or number.startswith(self._prefixes)

    def is_open(self, at: datetime) -> bool:
        """Whether its hours, if it has any, are on."""
        return self._clock is None or self._clock.is_within(at)

    def passed(self, ask: Ask) -> Passed | None:
        """Return why the route is not for such messages; None when it is."""
        unmet = self.unmet(ask)
        return Passed(self.route.id, self.route.name, unmet, self._met_instead(unmet, ask)) if unmet else None

    def _missed(self, metadata: Mapping[str, str] | None) -> str | None:
        """Return the first key whose value is none of those that are asked for."""
        given = metadata or {}
        return next((key for key, values in self._metadata if given.get(key) not in values), None)

    def _met_instead(self, unmet: str, ask: Ask) -> str:
        """Return what the condition met."""
        if unmet == "hours" and self._clock is not None:
            return self._clock.tell(ask.sending.at)
        if unmet == "metadata":
            given, key = ask.sending.metadata or {}, self._missed(ask.sending.metadata) or ""
            return f"{key}={given.get(key, '')}"
        return ask.number if unmet == "prefixes" else LISTS[unmet](ask)
