"""Calls to a carrier over HTTP: connections kept for a moment, no redirects, and known to the octet whether a call was begun."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp
from msgspec import Struct
from yarl import URL

from yanshu.adapters.carriers.http.answers import Reply
from yanshu.adapters.carriers.http.request import Request
from yanshu.domain.errors import YanshuError
from yanshu.runtime.link import Address, connect

_BODY_LIMIT_BYTES = 262_144
# Shorter than servers keep a silent connection: what is written into one that is just being closed there ends as unknown.
_KEEPALIVE_SECONDS = 4.0
_NAMES_LIVE_SECONDS = 10
_USER_AGENT = "Yanshu"


class NoAnswer(YanshuError):
    """Nothing came back; the words say why."""


class Call(Struct):
    """How far a call has come: before it has a connection, nothing of it can have reached the carrier."""

    is_begun: bool = False


class _Knock(asyncio.Protocol):
    """A connection that is given up as soon as it stands."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()


class Caller:
    """The client of one link. Certificates are checked; the answer has `response_timeout_seconds` from the first octet written."""

    def __init__(self, address: Address, response_timeout_seconds: float, connections: int) -> None:
        self.address = address
        self._response_timeout = response_timeout_seconds
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def reach(self) -> None:
        """Connect and hang up. Raises OSError that says in words what is wrong."""
        await connect(self.address, _Knock)

    async def post(self, request: Request, call: Call) -> Reply:
        """Send a signed request exactly as it is. Raises `NoAnswer`; `call` tells whether it was begun."""
        patience = self.address.connect_timeout_seconds + self._response_timeout
        try:
            async with (
                asyncio.timeout(patience),
                self._open().post(
                    URL(request.url, encoded=True),
                    data=request.body,
                    headers=dict(request.headers),
                    allow_redirects=False,
                    server_hostname=self.address.server_name or None,
                    trace_request_ctx=call,
                ) as answer,
            ):
                return Reply(answer.status, await _read(answer), _retry_after(answer))
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {patience:g} s" if call.is_begun else f"no connection within {patience:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(_words(error)) from error

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, made on first use since it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    ssl=self.address.tls if self.address.tls is not None else True,
                    keepalive_timeout=_KEEPALIVE_SECONDS,
                    ttl_dns_cache=_NAMES_LIVE_SECONDS,
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=self.address.connect_timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_watched()],
            )
        return self._session


def _watched() -> aiohttp.TraceConfig:
    """Return what notices that a call has got its connection: from then on it counts as written."""

    async def begun(_: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:  # noqa: ARG001 - the client's shape
        context.trace_request_ctx.is_begun = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(begun)
    trace.on_connection_reuseconn.append(begun)
    return trace


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """Read the answer's body up to the limit; of a longer one, or one that breaks off, what there is."""
    body = bytearray()
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > _BODY_LIMIT_BYTES:
                answer.close()
                break
    return bytes(body)


def _retry_after(answer: aiohttp.ClientResponse) -> float | None:
    """Return `Retry-After` in seconds, given as such or as a date beside the server's own; None when absent or unreadable."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max((_date(text) - _date(answer.headers.get("Date", ""))).total_seconds(), 0.0)
    except ValueError:
        return None


def _date(text: str) -> datetime:
    """Read an HTTP date; one without a zone (``-0000``) is in UTC, as they all are."""
    at = parsedate_to_datetime(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _words(error: Exception) -> str:
    """Say what went wrong without repeating the URL: it may carry what is nobody's business."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {cause.verify_message}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return "the carrier hung up" if isinstance(cause, aiohttp.ServerDisconnectedError) else type(cause).__name__
