"""Customers' binds in one process: which server speaks which protocol, the stages behind them, and what of it runs here."""

from collections.abc import Callable

from yanshu.domain.binds import Alphabet, BindProtocol
from yanshu.edge.binds import cmpp, smpp
from yanshu.edge.binds.dialect import Dialect
from yanshu.edge.binds.doorkeeper import Doorkeeper
from yanshu.edge.binds.house import House, Listener
from yanshu.edge.binds.stamps import Stamps
from yanshu.edge.binds.visit import Floor
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.bind_accept import BindIntake
from yanshu.pipeline.bind_expand import BindExpander
from yanshu.pipeline.bind_outbox import Outbox
from yanshu.pipeline.bind_sweep import BindSweeper
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.rules.accounts.limits import Buckets
from yanshu.rules.accounts.sealing import Sealer
from yanshu.runtime.link import Address
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Service, Supervisor
from yanshu.settings import Settings, SettingsError, read_bind_listen

# One row a protocol: how texts are read, and who speaks with customers.
_READERS: dict[BindProtocol, Callable[[bytes, int, Alphabet], str]] = {
    BindProtocol.SMPP: smpp.read_text,
    BindProtocol.CMPP: cmpp.read_text,
}


def _speakers(clock: Clock) -> dict[BindProtocol, Callable[[], Dialect]]:
    stamps = Stamps(clock)
    return {BindProtocol.SMPP: smpp.SmppDialect, BindProtocol.CMPP: lambda: cmpp.CmppDialect(stamps)}


# Beyond the drain: a goodbye takes some seconds of its own.
_GOODBYE_SECONDS = 8.0


class Reception:
    """Everything about binds. What customers submit is taken where they bind, what they are owed is noted where the workers are."""

    def __init__(self, store: Store, clock: Clock, accepter: Accepter, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._outbox = Outbox(store, clock, metrics)
        self._intake = BindIntake(store, clock, accepter, read_text)
        self._house: House | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Where customers bind: protocol → host:port; empty when they cannot."""
        return self._house.addresses if self._house is not None else {}

    def worker_services(self) -> list[Service]:
        """What notes what is owed, and what forgets."""
        expander = BindExpander(self._store, self._clock)
        sweeper = BindSweeper(self._store, self._clock, self._intake, self._outbox)
        return [Service(name="bind-expand", run=expander.run), Service(name="bind-sweep", run=sweeper.run)]

    def door_services(self, settings: Settings, sealer: Sealer, node_id: str, supervisor: Supervisor) -> list[Service]:
        """What lets customers in, if the settings name a place."""
        wanted = read_bind_listen(settings.bind_listen)
        if not wanted:
            return []
        speakers = _speakers(self._clock)
        listeners = {protocol: Listener(Address(*wanted[protocol]), speakers[protocol]) for protocol in speakers if protocol in wanted}
        doorkeeper = Doorkeeper(self._store, self._clock, sealer, f"{node_id}/binds")
        floor = Floor(doorkeeper, self._intake, self._outbox, Buckets(), self._clock, self._metrics)
        house = self._house = House(self._store, floor, listeners, supervisor.spawn)
        budget = float(settings.drain_seconds)
        return [
            Service(name="outbox", run=self._outbox.run, stop=self._outbox.flush),
            Service(
                name="binds",
                start=lambda: _open(house),
                run=house.run,
                stop=lambda: house.stop(budget),
                budget_seconds=budget + _GOODBYE_SECONDS,
            ),
        ]


def read_text(protocol: BindProtocol, content: bytes, coding: int, alphabet: Alphabet) -> str:
    """See `pipeline.bind_accept.ReadText`."""
    return _READERS[protocol](content, coding, alphabet)


async def _open(house: House) -> None:
    try:
        await house.open()
    except OSError as error:
        raise SettingsError(f"cannot listen where YANSHU_BIND_LISTEN says: {error.strerror or error}; choose another port") from error
