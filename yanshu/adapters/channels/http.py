"""HTTP poster: calls customers' URLs over aiohttp, and goes nowhere the guard does not permit.

Three gates, since a URL, a name and an address can each lie about the others: the URL before anything is resolved, every
address our resolver returns, and the address of every socket just before it connects. Redirects are not followed.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from yanshu.domain.errors import CallerError
from yanshu.ports.channel import PostResult, TargetGuard
from yanshu.ports.clock import Clock

BODY_LIMIT_BYTES = 65_536
_CONNECTIONS = 256
_CONNECTIONS_A_HOST = 32
_KEEPALIVE_SECONDS = 30.0
_NAMES_LIVE_SECONDS = 10
_RESOLVER_THREADS = 8


class TargetRefused(OSError):
    """The guard does not permit this address."""


class GuardedResolver(AbstractResolver):
    """Resolves names with the system's resolver and keeps only the addresses the guard permits.

    It has threads of its own: a name server that hangs holds up other webhooks at most, never the rest of the process.
    """

    def __init__(self, guard: TargetGuard) -> None:
        self._guard = guard
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="webhook-dns")
        self.named: set[tuple[str, int]] = set()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Return the permitted addresses; raises `TargetRefused` when there are addresses but none of them is permitted."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        permitted = [result for result in found if self._guard.permits(host, port, result["host"])]
        if not permitted:
            raise TargetRefused(f"{host} has no permitted address")
        # A place the operator allowed by its name: the socket gate knows no names, so tell it.
        self.named.update((r["host"], port) for r in permitted if not self._guard.permits("", port, r["host"]))
        return permitted

    async def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class AiohttpPoster:
    """Implements `ports.channel.HttpPoster`; one shared session, opened by the first call."""

    def __init__(self, guard: TargetGuard, clock: Clock, user_agent: str = "Yanshu") -> None:
        self._guard = guard
        self._clock = clock
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._resolver: GuardedResolver | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str], timeout_seconds: float) -> PostResult:
        """POST once; redirects are not followed; never raises for what the peer does."""
        began = self._clock.monotonic()
        status, problem, retry_after = await self._attempt(url, body, headers, timeout_seconds)
        return PostResult(status, problem, retry_after, round((self._clock.monotonic() - began) * 1000))

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    async def _attempt(self, url: str, body: bytes, headers: dict[str, str], budget: float) -> tuple[int | None, str | None, float | None]:
        """Return the status, what went wrong, and the seconds of `Retry-After`."""
        try:
            self._guard.check(url)
            target = URL(url)
            self._guard.check(str(target))  # as the client reads it, should the two ever differ
            async with self._open().post(
                target, data=body, headers=headers, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=budget)
            ) as answer:
                await _drain(answer)
                return answer.status, None, self._retry_after(answer)
        except CallerError:
            return None, "url_refused", None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return None, _problem(error), None

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, made on first use since it belongs to the running loop."""
        if self._session is None:
            self._resolver = GuardedResolver(self._guard)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=self._resolver,
                    socket_factory=self._make_socket,
                    limit=_CONNECTIONS,
                    limit_per_host=_CONNECTIONS_A_HOST,
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                    ttl_dns_cache=_NAMES_LIVE_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": self._user_agent, "content-type": "application/json"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one address, unless the guard says no: the last gate, which no name can talk its way past."""
        family, kind, proto, _, place = info
        address, port = str(place[0]), int(place[1])
        named = self._resolver is not None and (address, port) in self._resolver.named
        if not named and not self._guard.permits("", port, address):
            raise TargetRefused(f"{address} is not permitted")
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _retry_after(self, answer: aiohttp.ClientResponse) -> float | None:
        """Return `Retry-After` in seconds, given as such or as a date; None when absent or unreadable."""
        text = answer.headers.get("Retry-After", "").strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0.0, (_aware(at) - self._clock.now()).total_seconds())


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """Ask the system's resolver; runs in a thread."""
    infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return [
        ResolveResult(hostname=host, host=str(place[0]), port=port, family=kin, proto=proto, flags=socket.AI_NUMERICHOST)
        for kin, _, proto, _, place in infos
    ]


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read a short answer so that its connection can be used again; drop the connection of a long or broken one.

    The status has arrived by then, so nothing that happens here changes how the call ended.
    """
    left = BODY_LIMIT_BYTES
    try:
        while left > 0:
            chunk = await answer.content.read(left)
            if not chunk:
                return
            left -= len(chunk)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        pass
    answer.close()


def _problem(error: Exception) -> str:
    """Return a stable word for why no answer came, as deliveries show it."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, TargetRefused):
        return "address_refused"
    for kind, word in _PROBLEMS:
        if isinstance(error, kind):
            return word
    return "connection_lost"


_PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_unknown"),
    (aiohttp.ClientSSLError, "tls_failed"),
    (aiohttp.ClientConnectorError, "connect_failed"),
    (aiohttp.InvalidURL, "url_refused"),
    (ValueError, "answer_unreadable"),
    (aiohttp.ClientResponseError, "answer_unreadable"),
)


def _aware(at: datetime) -> datetime:
    """Read a date without a zone (``-0000``) as UTC, which HTTP dates always are."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
