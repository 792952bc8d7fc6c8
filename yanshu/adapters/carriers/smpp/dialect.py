"""SMPP as a dialect of the carrier engine."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from yanshu.adapters.carriers.dialect import Plan, Refused
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.smpp.inbound import Delivery, Reader
from yanshu.adapters.carriers.smpp.settings import check_password, read_settings
from yanshu.adapters.carriers.smpp.statuses import BLOCKING, DEFAULT_PAUSE_SECONDS, PAUSE_SECONDS, result_of
from yanshu.adapters.carriers.smpp.submits import Chunk, Submits
from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import AnswerResult, Arrival
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.constants import Status, status_name
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.link import Address


def smpp_carrier(connector: Connector, password: str, intake: Intake, clock: Clock, slot: int = 0) -> SessionCarrier:
    """Return one link of an SMPP connector. Raises `Invalid` when its settings cannot be used."""
    return SessionCarrier(connector, SmppDialect(connector, password, clock), intake, clock, slot)


class SmppDialect:
    """See `carriers.dialect.Dialect`."""

    name = "smpp"
    accepted = int(Status.ESME_ROK)
    accepted_code = "0x00000000"

    def __init__(self, connector: Connector, password: str, clock: Clock) -> None:
        self._connector = connector
        self._settings = read_settings(connector.settings)
        check_password(password)
        self._password = password
        self._overrides = self._settings.overrides
        self._submits = Submits(connector, int.from_bytes(clock.entropy(2), "big"))
        self._reader = Reader(connector.id, self._settings, connector.sender, clock)

    def plans(self) -> list[Plan]:
        """Return one session, or one to send and one to receive."""
        where = f"{self._connector.host}:{self._connector.port}"
        return [
            Plan(partial(self._session, bind), self._address, where, not isinstance(bind, pdus.BindReceiver))
            for bind in self._settings.binds(self._password)
        ]

    def chunk(self, now: datetime) -> Chunk:
        """See `Dialect`."""
        return self._submits.chunk(now)

    def result_of(self, status: int) -> AnswerResult:
        """See `Dialect`."""
        return result_of(status, self._overrides)

    def code_of(self, status: int) -> str:
        """Return a command_status as the specification writes it."""
        return f"0x{status:08x}"

    def pause_of(self, status: int) -> float:
        """See `Dialect`."""
        return PAUSE_SECONDS.get(status, DEFAULT_PAUSE_SECONDS)

    def read(self, requests: Sequence[Delivery]) -> list[Arrival]:
        """See `Dialect`."""
        return self._reader.read(requests)

    def acknowledge(self, session: EsmeSession[Any], requests: Sequence[Delivery], *, is_safe: bool) -> None:
        """See `Dialect`."""
        session.acknowledge(requests, Status.ESME_ROK if is_safe else Status.ESME_RSYSERR)

    def refused(self, status: int) -> Refused:
        """Wrong credentials need a person; an old session of ours lives on until it misses our keep-alive (protocols.md §3.3)."""
        name = status_name(status)
        if status in BLOCKING:
            return Refused(f"the carrier refuses the credentials ({name})", is_ours=True)
        pause = self._settings.enquire_link_seconds if status == Status.ESME_RALYBND else None
        return Refused(f"the carrier refuses the bind ({name})", pause_seconds=pause)

    def _session(self, bind: pdus.Bind) -> EsmeSession[Any]:
        return EsmeSession(replace(bind), self._connector.window, self._settings.timers)

    def _address(self) -> Address:
        settings, connector = self._settings, self._connector
        tls = settings.tls_context()
        return Address(connector.host, connector.port, tls, settings.bind_timeout_seconds, settings.tls_server_name)
