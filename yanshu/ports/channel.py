"""The seam to HTTP endpoints of customers."""

from typing import Protocol

from msgspec import Struct


class PostResult(Struct, frozen=True):
    """How a POST ended: `status` is None when no answer came, then `error` says why."""

    status: int | None
    error: str | None
    retry_after: float | None
    took_ms: int


class HttpPoster(Protocol):
    """Posts a body to a customer's URL, refusing addresses that are not public (SSRF guard)."""

    async def post(self, url: str, body: bytes, headers: dict[str, str], timeout_seconds: float) -> PostResult:
        """POST once; redirects are not followed; never raises for what the peer does."""


class TargetGuard(Protocol):
    """Says where calls to customers may go."""

    def check(self, url: str) -> None:
        """Raise `CallerError` when the URL may not be called whatever its name resolves to."""

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether a connection for `host` may go to the resolved `address` and `port`."""
