"""CMPP as a dialect of the carrier engine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yanshu.adapters.carriers.cmpp.inbound import Reader
from yanshu.adapters.carriers.cmpp.results import PAUSE_SECONDS, result_of
from yanshu.adapters.carriers.cmpp.settings import read_settings
from yanshu.adapters.carriers.cmpp.submits import Chunk, Submits
from yanshu.adapters.carriers.dialect import Plan, Refused
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.reading import check_secret
from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import AnswerResult, Arrival
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.protocols.cmpp import digests, pdus
from yanshu.protocols.cmpp.constants import UNPROVEN, ConnectStatus, Result, Version
from yanshu.protocols.cmpp.sp import SpSession
from yanshu.runtime.link import Address

_FIRST_VERSION = {"auto": Version.V30, "3.0": Version.V30, "2.0": Version.V20}
_AT_ONCE_SECONDS = 1.0
_REFUSALS: dict[int, str] = {
    ConnectStatus.STRUCTURE: "the gateway cannot read our CONNECT (status 1)",
    ConnectStatus.SOURCE_ADDRESS: "the gateway does not know sp_id, or not from this address (status 2)",
    ConnectStatus.AUTHENTICATION: "the gateway refuses sp_id and password (status 3)",
    UNPROVEN: "the gateway does not prove that it knows the password; see strict_digest",
    ConnectStatus.VERSION_TOO_HIGH: "the gateway speaks a lower version (status 4); set version to 2.0",
}


def cmpp_carrier(connector: Connector, password: str, intake: Intake, clock: Clock, slot: int = 0) -> SessionCarrier:
    """Return one link of a CMPP connector. Raises `Invalid` when its settings cannot be used."""
    return SessionCarrier(connector, CmppDialect(connector, password, clock), intake, clock, slot)


class CmppDialect:
    """See `carriers.dialect.Dialect`."""

    name = "cmpp"
    accepted = int(Result.OK)
    accepted_code = "0"

    def __init__(self, connector: Connector, password: str, clock: Clock) -> None:
        check_secret(password)
        self._connector = connector
        self._settings = read_settings(connector.settings)
        self._secret = password
        self._clock = clock
        self._version = _FIRST_VERSION[self._settings.version]
        self._overrides = self._settings.overrides
        self._submits = Submits(connector, self._settings, int.from_bytes(clock.entropy(2), "big"))
        self._reader = Reader(connector.id, connector.sender, clock, acceptd_is_final=self._settings.acceptd_is_final)

    def plans(self) -> list[Plan]:
        """Return the one session that does both directions."""
        return [Plan(self._session, self._address, f"{self._connector.host}:{self._connector.port}")]

    def chunk(self, now: datetime) -> Chunk:  # noqa: ARG002 - the shape all dialects have
        """See `Dialect`."""
        return Chunk(self._submits)

    def result_of(self, status: int) -> AnswerResult:
        """See `Dialect`."""
        return result_of(status, self._overrides)

    def code_of(self, status: int) -> str:
        """Return a result in decimal, as the specification writes it."""
        return str(status)

    def pause_of(self, status: int) -> float:  # noqa: ARG002 - the shape all dialects have
        """See `Dialect`."""
        return PAUSE_SECONDS

    def read(self, requests: Sequence[pdus.Deliver]) -> list[Arrival]:
        """See `Dialect`."""
        return self._reader.read(requests)

    def acknowledge(self, session: SpSession[Any], requests: Sequence[pdus.Deliver], *, is_safe: bool) -> None:
        """Not safe is answered with 9, other errors: the gateway delivers it again."""
        session.acknowledge(requests, Result.OK if is_safe else Result.NOT_SERVED_HERE)

    def refused(self, status: int) -> Refused:
        """Credentials need a person; a version too high is tried once more with the lower one, where that is allowed."""
        if status == ConnectStatus.VERSION_TOO_HIGH and self._settings.version == "auto" and self._version is Version.V30:
            self._version = Version.V20
            return Refused("the gateway speaks CMPP 2.0: coming back with that", pause_seconds=_AT_ONCE_SECONDS)
        known = _REFUSALS.get(status)
        return Refused(known or f"the gateway refuses the login (status {status})", is_ours=known is not None)

    def _session(self) -> SpSession[Any]:
        settings, stamp = self._settings, digests.timestamp(self._clock.now())
        digest = digests.authenticator_source(settings.sp_id, self._secret, stamp, padded=settings.pad_sp_id)
        connect = pdus.Connect(source_addr=settings.sp_id, authenticator_source=digest, version=int(self._version), timestamp=stamp)
        return SpSession(connect, self._secret, self._connector.window, settings.timers, must_prove=settings.strict_digest)

    def _address(self) -> Address:
        return Address(self._connector.host, self._connector.port, None, self._settings.connect_timeout_seconds)
