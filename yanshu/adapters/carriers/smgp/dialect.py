"""SMGP as a dialect of the carrier engine."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from yanshu.adapters.carriers.dialect import Plan, Refused
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.mainland import Chunk
from yanshu.adapters.carriers.reading import check_secret
from yanshu.adapters.carriers.smgp.inbound import Reader
from yanshu.adapters.carriers.smgp.settings import read_settings
from yanshu.adapters.carriers.smgp.statuses import pause_of, result_of
from yanshu.adapters.carriers.smgp.submits import Submits
from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import AnswerResult, Arrival
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.protocols.smgp import digests, pdus
from yanshu.protocols.smgp.constants import LoginMode, Status
from yanshu.protocols.smgp.sp import SpSession
from yanshu.runtime.link import Address

_REFUSALS: dict[int, str] = {
    Status.STRUCTURE: "the gateway cannot read our Login (status 10)",
    Status.COMMAND: "the gateway does not allow this Login (status 11); another login may be agreed",
    Status.ADDRESS: "the gateway does not allow our address (status 20)",
    Status.AUTHENTICATION: "the gateway refuses client_id and password (status 21)",
    Status.VERSION_TOO_HIGH: "the gateway speaks a lower version (status 22); set client_version",
    Status.ACCOUNT_EXPIRED: "the account has expired (status 76)",
}


def smgp_carrier(connector: Connector, password: str, intake: Intake, clock: Clock, slot: int = 0) -> SessionCarrier:
    """Return one link of an SMGP connector. Raises `Invalid` when its settings cannot be used."""
    return SessionCarrier(connector, SmgpDialect(connector, password, clock), intake, clock, slot)


class SmgpDialect:
    """See `carriers.dialect.Dialect`."""

    name = "smgp"
    accepted = int(Status.OK)
    accepted_code = "0"

    def __init__(self, connector: Connector, password: str, clock: Clock) -> None:
        check_secret(password)
        self._connector = connector
        self._settings = read_settings(connector.settings)
        self._secret = password
        self._clock = clock
        self._overrides = self._settings.overrides
        self._submits = Submits(connector, self._settings, int.from_bytes(clock.entropy(2), "big"))
        self._reader = Reader(connector.id, connector.sender, clock, acceptd_is_final=self._settings.acceptd_is_final)

    def plans(self) -> list[Plan]:
        """Return one session that does both directions, or one to send and one to receive."""
        where = f"{self._connector.host}:{self._connector.port}"
        return [Plan(partial(self._session, mode), self._address, where, mode is not LoginMode.RECEIVE) for mode in self._settings.modes]

    def chunk(self, now: datetime) -> Chunk:  # noqa: ARG002 - the shape all dialects have
        """See `Dialect`."""
        return Chunk(self._submits)

    def result_of(self, status: int) -> AnswerResult:
        """See `Dialect`."""
        return result_of(status, self._overrides)

    def code_of(self, status: int) -> str:
        """Return a status in decimal, as the specification writes it."""
        return str(status)

    def pause_of(self, status: int) -> float:
        """See `Dialect`."""
        return pause_of(status, self._clock.now())

    def read(self, requests: Sequence[pdus.Deliver]) -> list[Arrival]:
        """See `Dialect`."""
        return self._reader.read(requests)

    def acknowledge(self, session: SpSession[Any], requests: Sequence[pdus.Deliver], *, is_safe: bool) -> None:
        """Not safe is answered with 1, busy: the gateway delivers it again."""
        session.acknowledge(requests, Status.OK if is_safe else Status.BUSY)

    def refused(self, status: int) -> Refused:
        """Credentials and contracts need a person; an old session of ours lives on until it misses our Active_Test."""
        if status == Status.TOO_MANY_CONNECTIONS:
            return Refused("the gateway has too many connections of ours (status 2)", pause_seconds=self._settings.active_test_seconds)
        known = _REFUSALS.get(status)
        return Refused(known or f"the gateway refuses the login (status {status})", is_ours=known is not None)

    def _session(self, mode: LoginMode) -> SpSession[Any]:
        settings, stamp = self._settings, digests.timestamp(self._clock.now())
        login = pdus.Login(
            client_id=settings.client_id,
            authenticator_client=digests.authenticator_client(settings.client_id, self._secret, stamp),
            login_mode=int(mode),
            timestamp=stamp,
            client_version=settings.client_version,
        )
        return SpSession(login, self._secret, self._connector.window, settings.timers)

    def _address(self) -> Address:
        return Address(self._connector.host, self._connector.port, None, self._settings.connect_timeout_seconds)
