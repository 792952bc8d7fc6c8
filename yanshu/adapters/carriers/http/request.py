"""A request to a carrier as plain data, and what signs it."""

from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_UNRESERVED = "-_.~"  # RFC 3986 §2.3; letters and digits are never encoded
_HTTP, _HTTPS = 80, 443


class Credentials(Struct, frozen=True):
    """The account at a carrier and its secret.

    `scope` is what a recipe needs beside them: the name of a header or a parameter, or of the service.
    """

    account: str
    secret: str
    scope: str = ""

    def __repr__(self) -> str:
        """Leave the secret out: this may end in a traceback."""
        return f"Credentials(account={self.account!r})"


class Endpoint(Struct, frozen=True):
    """Where a connector leads: a definition can name a path, never another host."""

    host: str
    port: int
    tls: bool = True

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: the port that goes without saying is left out (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS if self.tls else _HTTP) else f"{host}:{self.port}"


class Request(Struct, frozen=True, kw_only=True):
    """One call. `path` is percent-encoded, `query` is not; header names are as given and compared without case."""

    method: str
    endpoint: Endpoint
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def query_text(self) -> str:
        """The query as it goes over the wire: sorted and encoded as the signatures of the carriers want it."""
        return "&".join(f"{name}={value}" for name, value in sorted((encoded(name), encoded(value)) for name, value in self.query))

    @property
    def url(self) -> str:
        """The complete URL."""
        scheme = "https" if self.endpoint.tls else "http"
        return f"{scheme}://{self.endpoint.authority}{self.path}" + (f"?{self.query_text}" if self.query else "")

    def header(self, name: str) -> str:
        """Return the value of a header, or ""."""
        return next((value for own, value in self.headers if own.lower() == name.lower()), "")

    def with_headers(self, **headers: str) -> "Request":
        """Return the request with these headers in place of their namesakes; ``_`` in a name stands for ``-``."""
        new = {name.replace("_", "-"): value for name, value in headers.items()}
        replaced = {name.lower() for name in new}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in replaced)
        return replace(self, headers=(*kept, *new.items()))


def encoded(text: str) -> str:
    """Percent-encode everything but what RFC 3986 calls unreserved."""
    return quote(text, safe=_UNRESERVED)


def form_text(fields: tuple[tuple[str, str], ...]) -> bytes:
    """Return a form as it goes over the wire."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in fields).encode()
