"""The end of an SGIP session that connects: an SP's to submit, or a gateway's to deliver and report."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec.structs import replace

from yanshu.protocols.events import BindRefused, Bound, Event, TimedOut
from yanshu.protocols.session import Phase, Timers
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.constants import Command, LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences, sequence_of
from yanshu.protocols.sgip.repeats import Repeats
from yanshu.protocols.sgip.session import STARTED_BY, SgipSession

Item = TypeVar("Item")

_SUBMIT = int(Command.SUBMIT)
# Some gateways report over the connection we submit on; nobody submits over one that we deliver on.
_TAKEN: dict[int, frozenset[type[pdus.Pdu]]] = {LoginType.SP_TO_SMG: STARTED_BY[LoginType.SMG_TO_SP]}
# A peer that hangs up so long after the last request does it because nothing happens; one that hangs up earlier is in trouble.
_QUIET_SECONDS = 5.0


class ClientSession(SgipSession[Item], Generic[Item]):
    """A session we open. `bind` says as whom; its sequence is set here. `sequences` go on over all sessions of a link.

    Events: `Bound` or `BindRefused`, then those of what was asked. An SP gets `Requested`, too, for what a gateway delivers over the same
    connection. A session that `leaves_when_idle` is at rest then, and its owner comes back on demand.
    """

    def __init__(
        self,
        bind: pdus.Bind,
        sequences: Sequences,
        window: int,
        timers: Timers,
        repeats: Repeats | None = None,
        *,
        leaves_when_idle: bool = True,
    ) -> None:
        super().__init__(_TAKEN.get(bind.login_type, frozenset()), sequences, window, timers, repeats)
        self._bind = bind
        self._leaves_when_idle = leaves_when_idle
        self._was_bound = False
        self._is_leaving = False
        self._asked_at = 0.0

    def connected(self, now: float) -> list[Event]:
        """Ask to bind."""
        events = super().connected(now)
        self._asked_at = now
        self._sequences.stamp(now)
        self.send(replace(self._bind, sequence=sequence_of(self._sequences.next())))
        return events

    def connection_lost(self, now: float) -> list[Event]:
        """The connection is gone; nothing is wrong about that when all was answered, and nothing asked for a while."""
        is_quiet = self._is_leaving or (not self.outstanding and now - self._asked_at >= _QUIET_SECONDS)
        self.is_at_rest = self._leaves_when_idle and self._was_bound and is_quiet and not self._is_ignored
        return super().connection_lost(now)

    def tick(self, now: float) -> list[Event]:
        """Do what is due, and remember whether the peer has let a request wait too long."""
        events = super().tick(now)
        self._is_ignored = self._is_ignored or any(type(event) is TimedOut for event in events)
        return events

    def submit(self, bodies: Iterable[tuple[bytes, Item]], now: float) -> None:
        """Write one SUBMIT for each body; there must be a permit for each."""
        self._request([((_SUBMIT, body), item) for body, item in bodies], now)

    def _request(self, requests: list[tuple[tuple[int, bytes], Item]], now: float) -> list[int]:
        self._asked_at = now
        return super()._request(requests, now)

    def _take_other(self, pdu: pdus.Pdu, events: list[Event]) -> None:
        if type(pdu) is not pdus.BindResp or self._phase is not Phase.OPEN:
            super()._take_other(pdu, events)
        elif pdu.result == Result.OK:
            self._enter(Phase.BOUND)
            self._was_bound = True
            events.append(Bound("", None))
        else:
            events.append(BindRefused(pdu.result))
            self._end(f"BIND refused with result {pdu.result}")

    def _write_probe(self) -> None:
        """Nothing was heard for a while. There is no question to ask: with requests outstanding that is a miss, without them it is rest."""
        if self.outstanding:
            return
        if self._leaves_when_idle:
            self._is_leaving = True
            self.unbind(self._quiet_since)
        else:
            self._misses = 0

    def _write_unbind(self) -> None:
        self.send(pdus.Unbind(sequence=sequence_of(self._sequences.next())))
