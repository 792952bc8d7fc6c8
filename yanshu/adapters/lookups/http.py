"""A register that is asked over HTTP, one number a request, as its definition says."""

from typing import Any

import aiohttp
import msgspec
from yarl import URL

from yanshu.adapters.lookups.definition import LookupDefinition
from yanshu.domain.errors import LookupFailed
from yanshu.domain.numbers import Operator

_MAINLAND = "+86"
_MOST_BYTES = 65_536


class HttpLookup:
    """See `ports.lookup.NumberLookup`; one session, opened by the first question. Redirects are not followed."""

    def __init__(self, definition: LookupDefinition) -> None:
        self._definition = definition
        self._way = definition.answer.split(".")
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """See `ports.lookup.NumberLookup.name`."""
        return self._definition.name

    async def find(self, number: str) -> Operator | None:
        """See `ports.lookup.NumberLookup.find`."""
        definition = self._definition
        url = _filled(definition.url, number, plus="%2B")
        body = _filled(definition.body, number).encode() if definition.body else None
        try:
            async with self._open().request(
                definition.method, URL(url, encoded=True), data=body, headers=definition.headers, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise LookupFailed(f"it answers with status {answer.status}")
                octets = await _whole(answer)
        except TimeoutError as error:
            raise LookupFailed("no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise LookupFailed(f"no answer: {type(error).__name__}") from error
        return self._read(octets)

    async def close(self) -> None:
        """See `ports.lookup.NumberLookup.close`."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, made on first use since it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._definition.timeout_ms / 1000),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": "Yanshu"},
                trust_env=False,
            )
        return self._session

    def _read(self, octets: bytes) -> Operator | None:
        """Walk to the operator; null on the way is a register that does not know the number."""
        try:
            found: Any = msgspec.json.decode(octets)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise LookupFailed("its answer is no JSON") from error
        for step in self._way:
            if found is None:
                return None
            found = _step(found, step)
        return self._definition.operators.get(str(found))


def _step(found: Any, step: str) -> Any:
    """Take one step into an answer."""
    if isinstance(found, dict) and step in found:
        return found[step]
    if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
        return found[int(step)]
    raise LookupFailed(f"its answer has no {step}")


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Read the body, unless it is far too long for what was asked."""
    octets = b""
    async for chunk in answer.content.iter_any():
        octets += chunk
        if len(octets) > _MOST_BYTES:
            raise LookupFailed(f"its answer has more than {_MOST_BYTES:,} bytes")
    return octets


def _filled(text: str, number: str, plus: str = "+") -> str:
    """Put the number into its places."""
    return text.replace("{number}", number.removeprefix(_MAINLAND)).replace("{e164}", plus + number[1:])
