"""Connectors and routes: accounts at carriers, and the rules that say which messages may use them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from yanshu.domain.lanes import Lane
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator


class ConnectorState(StrEnum):
    """What the operator wants of a connector."""

    ACTIVE = "active"
    DRAINED = "drained"


class Price(Struct, frozen=True, kw_only=True):
    """What the carrier takes for a segment to such numbers in such a lane; None fits all. Of several that fit the nearest one counts."""

    per_segment: Money
    operator: Operator | None = None
    country: str | None = None
    lane: Lane | None = None


class FilingState(StrEnum):
    """Where the filing of a signature at a carrier (签名报备) stands."""

    PENDING = "pending"
    FILED = "filed"
    REJECTED = "rejected"


class Filing(Struct, frozen=True):
    """A signature, without 【】, and where its filing stands."""

    signature: str
    state: FilingState


# Source addresses of the protocols have at most 20 octets (SMPP 3.4 §5.2.8), Src_Id of CMPP and SMGP 21 with its end.
LONGEST_SENDER = 20


class Connector(Struct, frozen=True, kw_only=True):
    """One account at one carrier.

    `settings` are the protocol's own (for SMPP see `yanshu.adapters.carriers.smpp.settings`); `secret` is the sealed password.
    `window` is submits outstanding per link, `throughput` segments per second over all links (0: no limit), `links` how
    many sessions may be open at once over all processes. `simulated` connectors carry test traffic only. No two `prices` are for
    the same. With `requires_filing` texts to the mainland are taken with a signature that `filings` have as filed. A sender, with its
    extension, has at most `sender_length` characters, and is the connector's own unless `own_senders` of callers are taken.
    """

    id: str
    name: str
    protocol: str
    host: str
    port: int
    settings: dict[str, Any]
    secret: str
    created_at: datetime
    updated_at: datetime
    window: int = 16
    throughput: int = 0
    links: int = 1
    sender: str = ""
    simulated: bool = False
    prices: tuple[Price, ...] = ()
    filings: tuple[Filing, ...] = ()
    requires_filing: bool = False
    sender_length: int = LONGEST_SENDER
    own_senders: bool = True
    state: ConnectorState = ConnectorState.ACTIVE
    metadata: dict[str, Any] | None = None
    version: int = 1

    def links_like(self, other: "Connector | None") -> bool:
        """Whether links of one are as good for the other: nothing differs but what routing and people look at."""
        return self is other or (other is not None and all(getattr(self, name) == getattr(other, name) for name in _OF_LINKS))


_ASIDE = frozenset(
    {"name", "prices", "filings", "requires_filing", "sender_length", "own_senders", "metadata", "version", "created_at", "updated_at"}
)
_OF_LINKS = tuple(name for name in Connector.__struct_fields__ if name not in _ASIDE)
MAINLAND_ZONE = "Asia/Shanghai"


class Hours(Struct, frozen=True, kw_only=True):
    """Hours of a day, in minutes from midnight: from `start`, up to but without `end` (before `start`: over midnight), on some days.

    `days` are 1 (Monday) to 7, none means all.
    """

    start: int
    end: int
    days: tuple[int, ...] = ()
    zone: str = MAINLAND_ZONE


class Match(Struct, frozen=True, kw_only=True):
    """Which messages a route is for; what is empty matches everything.

    `prefixes` are beginnings of E.164 numbers (``+86138``). A number whose operator nobody knows meets no list of `operators`,
    and a text without 【…】 no list of `signatures`. The time that `hours` look at is when the message is to be sent. Of each key in
    `metadata` a message has one of the values.
    """

    lanes: tuple[Lane, ...] = ()
    countries: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    operators: tuple[Operator, ...] = ()
    prefixes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    metadata: dict[str, tuple[str, ...]] = {}


class Member(Struct, frozen=True):
    """A connector in the pool of a route: a lower `priority` is tried first, and connectors of one priority share by `weight`."""

    connector_id: str
    priority: int = 1
    weight: int = 100


class Prefer(StrEnum):
    """Which connector of one priority gets a message first."""

    WEIGHT = "weight"  # each gets its share
    COST = "cost"  # the cheapest gets them all; those of one price share


class Route(Struct, frozen=True, kw_only=True):
    """A rule: such messages may use these connectors. Routes of lower `rank` are asked first."""

    id: str
    name: str
    rank: int
    pool: tuple[Member, ...]
    created_at: datetime
    updated_at: datetime
    match: Match = field(default_factory=Match)
    prefer: Prefer = Prefer.WEIGHT
    enabled: bool = True
    metadata: dict[str, Any] | None = None
    version: int = 1

    @property
    def connectors(self) -> frozenset[str]:
        """Ids of the connectors in its pool."""
        return frozenset(member.connector_id for member in self.pool)


class LinkState(StrEnum):
    """State of one live session (protocols.md §8)."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    THROTTLED = "throttled"
    DRAINING = "draining"
    BLOCKED = "blocked"


# Owners report every second or so. An older report comes from a process that is gone; one from the future, from before the
# clock was set back.
_FRESH = timedelta(seconds=15)


class LinkReport(Struct, frozen=True, kw_only=True):
    """What the owner of a link last said about it; `slot` numbers the links of a connector from 0."""

    connector_id: str
    slot: int
    node_id: str
    state: LinkState
    detail: str
    changed_at: datetime

    def as_of(self, now: datetime) -> "LinkReport":
        """Return what it is worth by now: a link whose owner has fallen silent is down."""
        if abs(now - self.changed_at) < _FRESH:
            return self
        return replace(self, state=LinkState.DOWN, detail="its process reports no more")
