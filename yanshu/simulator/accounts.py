"""Accounts at run time: who is bound, what waits to be delivered, how fast submits come."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Protocol

from yanshu.simulator.behaviour import Account, Behaviour, changed
from yanshu.simulator.traffic import Delivery, Segment, Tally

WAITING_LIMIT = 1_000_000
THROTTLED_TEXTS_KEPT = 1_000


class Admission(Enum):
    """What is said to a bind; every protocol has its own number for it."""

    WELCOME = "welcome"
    ALREADY_BOUND = "already_bound"
    NOT_ALLOWED = "not_allowed"  # no such account, or not from this address
    BAD_PASSWORD = "bad_password"  # noqa: S105


class Line(Protocol):
    """One bound session as the accounts see it. `busy` and `throttled` are its protocol's statuses (see `wires.Wire`)."""

    account: "AccountDesk"
    receives: bool
    busy: int
    throttled: int

    def has_room(self) -> bool:
        """Whether another delivery may be outstanding."""

    def answer(self, request: object, status: int, carrier_message_id: str) -> None:
        """Answer a submit; nothing happens when the link has gone."""

    def id_text(self, segment: Segment, number: int) -> str:
        """Return the carrier's id of a segment, its message `number`, as answers spell it."""

    def deliver(self, delivery: Delivery) -> None:
        """Write a receipt or a text."""

    def cut(self) -> None:
        """Drop the connection without a word."""

    def write_garbage(self, data: bytes) -> None:
        """Write bytes that are no PDU."""

    def behaviour_changed(self) -> None:
        """Cut the connection if it slept through a silence that is over."""


class AccountDesk:
    """Everything kept about one account."""

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        self.account = account
        self.name = account.name
        self.tally = Tally()
        self.lines: list[Line] = []
        self.waiting: deque[Delivery] = deque()
        # Set where the carrier delivers over connections of its own: opens one.
        self.summon: Callable[[], None] | None = None
        self._networks = tuple(ip_network(one, strict=False) for one in account.addresses)
        self._overrides = dict(account.overrides)
        self._second, self._in_second = 0, 0
        self._throttled: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._turn = 0
        self.follow(behaviour)

    def follow(self, behaviour: Behaviour) -> None:
        """Take the general behaviour, this account's own changes on top."""
        self._adopt(changed(behaviour, self._overrides))

    def restore(self, behaviour: Behaviour) -> None:
        """Take the general behaviour, with the changes this account began with."""
        self._overrides = dict(self.account.overrides)
        self.follow(behaviour)

    def override(self, behaviour: Behaviour, changes: dict[str, object]) -> None:
        """Change this account's own behaviour; nothing changes when a field is wrong (`BehaviourError`)."""
        overrides = {**self._overrides, **changes}
        self._adopt(changed(behaviour, overrides))
        self._overrides = overrides

    def _adopt(self, behaviour: Behaviour) -> None:
        """Behave so from now on."""
        self.behaviour = behaviour
        self.is_plain = behaviour.is_plain
        for line in list(self.lines):
            line.behaviour_changed()
        self.pump()

    def admit(self, proves: Callable[[str], bool], address: str) -> Admission:
        """Judge a bind from `address` by one who `proves` to know a password, or not."""
        admission = self.judge(proves, address)
        if admission is Admission.WELCOME:
            self.tally.binds += 1
        else:
            self.tally.refused_binds += 1
        return admission

    def judge(self, proves: Callable[[str], bool], address: str) -> Admission:
        """Judge one who comes from `address` without counting, as with every single request over HTTP."""
        if not proves(self.account.password):
            return Admission.BAD_PASSWORD
        if self._networks and not any(ip_address(address) in network for network in self._networks):
            return Admission.NOT_ALLOWED
        if self.account.max_binds and len(self.lines) >= self.account.max_binds:
            return Admission.ALREADY_BOUND
        return Admission.WELCOME

    def exceeds(self, now: float) -> bool:
        """Count one submit at monotonic `now`; whether it is above this second's allowance."""
        limit = self.behaviour.throttle_per_second
        if not limit:
            return False
        if int(now) != self._second:
            self._second, self._in_second = int(now), 0
        self._in_second += 1
        return self._in_second > limit

    def throttles_again(self, segment: Segment, times: int) -> bool:
        """Whether this text to this number is still to be throttled; forgotten once it was let through."""
        key = (segment.destination, segment.payload)
        seen = self._throttled.pop(key, 0)
        if seen >= times:
            return False
        self._throttled[key] = seen + 1
        if len(self._throttled) > THROTTLED_TEXTS_KEPT:
            self._throttled.popitem(last=False)
        return True

    def join(self, line: Line) -> None:
        """A session has bound; what waited goes out."""
        self.lines.append(line)
        self.pump()

    def leave(self, line: Line, unacknowledged: Iterable[Delivery]) -> None:
        """A session has gone; what it had not acknowledged is delivered again, before anything newer."""
        if line in self.lines:
            self.lines.remove(line)
        self.waiting.extendleft(reversed(list(unacknowledged)))
        self.pump()

    def hand_over(self, delivery: Delivery, preferred: Line | None = None) -> None:
        """Deliver over `preferred` or any receiver; wait for one when there is none with room."""
        if preferred is not None and not self.waiting and preferred.receives and preferred.has_room():
            preferred.deliver(delivery)
            return
        if len(self.waiting) >= WAITING_LIMIT:
            self.tally.lost_receipts += 1
            return
        self.waiting.append(delivery)
        self.pump()

    def pump(self) -> None:
        """Deliver what waits, turn by turn over the receivers that have room."""
        while self.waiting and (line := self._next_receiver()) is not None:
            line.deliver(self.waiting.popleft())
        if self.waiting and self.summon is not None:
            self.summon()

    def _next_receiver(self) -> Line | None:
        """Return the next receiver with room, or None."""
        count = len(self.lines)
        for step in range(count):
            line = self.lines[(self._turn + step) % count]
            if line.receives and line.has_room():
                self._turn = (self._turn + step + 1) % count
                return line
        return None
