"""SGIP as a dialect of the carrier engine, and what listens for the gateway."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from yanshu.adapters.carriers.dialect import Hearing, Plan, Refused, Turned
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.mainland import Chunk
from yanshu.adapters.carriers.sgip.inbound import Reader, Request
from yanshu.adapters.carriers.sgip.results import PAUSE_SECONDS, result_of
from yanshu.adapters.carriers.sgip.settings import check_password, read_settings
from yanshu.adapters.carriers.sgip.submits import Submits
from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import AnswerResult, Arrival
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.client import ClientSession
from yanshu.protocols.sgip.constants import LoginType, Result
from yanshu.protocols.sgip.numbering import Sequences, stamp_of
from yanshu.protocols.sgip.repeats import Repeats
from yanshu.protocols.sgip.server import ServerSession
from yanshu.protocols.sgip.session import SgipSession
from yanshu.runtime.link import Address

_BEIJING = timezone(timedelta(hours=8))
# protocols.md §5.1: who connects to us binds within 30 s, and may be left when it says nothing for long.
_CALLER = Timers(bind_timeout_seconds=30.0, probe_seconds=300.0)
# An earlier connection of ours, or too many attempts: the gateway forgets both within a minute.
_FULL_SECONDS = 60.0
_REFUSALS: dict[int, Refused] = {
    Result.BAD_LOGIN: Refused("the gateway refuses login_name and password (result 1)", is_ours=True),
    Result.DOUBLE_LOGIN: Refused("the gateway still has an earlier login of ours (result 2)", pause_seconds=_FULL_SECONDS),
    Result.TOO_MANY_CONNECTIONS: Refused("the gateway has no room for another connection (result 3)", pause_seconds=_FULL_SECONDS),
    Result.LOGIN_TYPE: Refused("the gateway does not let this login submit (result 4)", is_ours=True),
    Result.LOGINS_TOO_FREQUENT: Refused("the gateway finds that we log in too often (result 34)", pause_seconds=_FULL_SECONDS),
}


def sgip_carrier(connector: Connector, password: str, intake: Intake, clock: Clock, slot: int = 0) -> SessionCarrier:
    """Return one link of an SGIP connector. Raises `Invalid` when its settings cannot be used.

    The gateway has one address to connect to, so only the first link listens, and who owns that.
    """
    dialect = SgipDialect(connector, password, clock, slot)
    return SessionCarrier(connector, dialect, intake, clock, slot, dialect.hearing() if slot == 0 else None)


class SgipDialect:
    """See `carriers.dialect.Dialect`."""

    name = "sgip"
    accepted = int(Result.OK)
    accepted_code = "0"

    def __init__(self, connector: Connector, password: str, clock: Clock, slot: int) -> None:
        check_password(password)
        self._connector = connector
        self._settings = settings = read_settings(connector.settings)
        self._password = password
        self._clock = clock
        self._overrides = settings.overrides
        self._networks = settings.networks
        self._submits = Submits(connector, settings, int.from_bytes(clock.entropy(2), "big"))
        self._reader = Reader(connector.id, connector.sender, clock)
        self._sequences = Sequences(settings.node_number, self._stamp, slot, int.from_bytes(clock.entropy(3), "big"))
        self._repeats = Repeats()

    def plans(self) -> list[Plan]:
        """Return the session that submits."""
        return [Plan(self._session, self._address, f"{self._connector.host}:{self._connector.port}")]

    def hearing(self) -> Hearing | None:
        """Return where the gateway delivers and reports; None when it does that over the session that submits."""
        settings = self._settings
        if not settings.listen_port:
            return None
        return Hearing(self._caller, Address(settings.listen_host, settings.listen_port), self._admits, self._judge)

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

    def read(self, requests: Sequence[Request]) -> list[Arrival]:
        """See `Dialect`."""
        return self._reader.read(requests)

    def acknowledge(self, session: SgipSession[Any], requests: Sequence[Request], *, is_safe: bool) -> None:
        """Not safe is answered with 11, busy: the gateway delivers it again."""
        session.acknowledge(requests, Result.OK if is_safe else Result.BUSY)

    def refused(self, status: int) -> Refused:
        """Credentials need a person; an account that is full or tired gets a minute."""
        return _REFUSALS.get(status) or Refused(f"the gateway refuses the login (result {status})")

    def _session(self) -> ClientSession[Any]:
        settings = self._settings
        bind = pdus.Bind(login_type=LoginType.SP_TO_SMG, login_name=settings.login_name, login_password=self._password)
        stays = not settings.idle_seconds
        window, timers = self._connector.window, settings.timers
        return ClientSession(bind, self._sequences, window, timers, self._repeats, leaves_when_idle=not stays)

    def _caller(self) -> ServerSession[Any]:
        return ServerSession(LoginType.SMG_TO_SP, _CALLER, self._repeats)

    def _admits(self, host: str) -> bool:
        """Whether the gateway may come from there."""
        return not self._networks or _is_in(host, self._networks)

    def _judge(self, request: pdus.Bind) -> Turned | None:
        """Whether the gateway may come in: with the name and password we gave it."""
        name = self._settings.listen_login_name or self._settings.login_name
        is_named, is_proven = _is_same(request.login_name, name), _is_same(request.login_password, self._password)
        if is_named and is_proven:
            return None
        return Turned(Result.BAD_LOGIN, "the password is another" if is_named else f"the login name {request.login_name!r} is another")

    def _address(self) -> Address:
        return Address(self._connector.host, self._connector.port, None, self._settings.connect_timeout_seconds)

    def _stamp(self, now: float) -> int:  # noqa: ARG002 - the wall knows better
        """Return the time of Beijing."""
        return stamp_of(self._clock.now().astimezone(_BEIJING))


def _is_in(host: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether an address belongs to one of the networks."""
    try:
        address = ip_address(host)
    except ValueError:  # the connection is gone already
        return False
    return any(address in network for network in networks)


def _is_same(given: str, known: str) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return compare_digest(given.encode("latin-1"), known.strip(" ").encode("latin-1"))
