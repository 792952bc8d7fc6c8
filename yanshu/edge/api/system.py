"""What needs no key: health, metrics, the OpenAPI document and its page, made of local files."""

import hmac
from html import escape
from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response

from yanshu.domain.errors import Missing, StoreError
from yanshu.edge.api.catalogue import CATALOGUE, in_print
from yanshu.edge.api.pages import POLICY, page_file
from yanshu.edge.api.services import Services
from yanshu.runtime.metrics import CONTENT_TYPE

# What a proxy adds: a request that went through one on this machine comes from loopback, but not from this machine.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def make_system(services: Services, document: dict[str, Any]) -> list[Any]:
    """Return the route handlers."""
    octets = msgspec.json.encode(document)

    @get("/healthz", include_in_schema=False)
    async def healthz() -> Response[bytes]:
        """The process runs."""
        return _json({"status": "ok"})

    @get("/readyz", include_in_schema=False)
    async def readyz() -> Response[bytes]:
        """The process can do its work: the store can be read and written."""
        try:
            await services.store.ping()
        except StoreError:
            return _json({"status": "store unavailable"}, 503)
        return _json({"status": "ready"})

    @get("/metrics", include_in_schema=False)
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Prometheus metrics, for whoever has the token, or for this machine when there is none."""
        if not _may_read_metrics(request, services.settings.metrics_token):
            return _json({"status": "forbidden"}, 403)
        await _gather(services)
        return Response(services.metrics.render(), media_type=CONTENT_TYPE)

    @get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response[bytes]:
        """The OpenAPI document."""
        return Response(octets, media_type="application/json")

    return [healthz, readyz, metrics, openapi, *_pages()]


def _pages() -> list[Any]:
    """The interactive page, its files, and the page of error codes."""

    @get(["/docs", "/docs/{name:str}"], include_in_schema=False)
    async def docs(name: FromPath[str] = "index.html") -> Response[bytes]:
        if name == "errors":
            return _page("text/html", _errors_page().encode())
        file = page_file(name)
        if file is None:
            raise Missing("page", name[:64])
        return _page(file.media_type, file.content)

    return [docs]


def _errors_page() -> str:
    """Return the page that the `doc_url` of every error leads to."""
    rows = "".join(
        f'<tr id="{code}"><td>{entry.status}</td><td><code>{code}</code></td>{_told(entry.en)}{_told(entry.zh)}</tr>'
        for code, entry in sorted(CATALOGUE.items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Yanshu errors</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font:16px/1.5 sans-serif;margin:2em}td,th{padding:.3em .8em;text-align:left;vertical-align:top}"
        "tr:target{background:#ffc}</style></head><body><h1>Errors 错误码</h1><table>"
        f"<tr><th>HTTP</th><th>code</th><th>English</th><th>中文</th></tr>{rows}</table></body></html>"
    )


def _told(text: str) -> str:
    return f"<td>{escape(in_print(text))}</td>"


def _may_read_metrics(request: Request[Any, Any, Any], token: str) -> bool:
    if token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    return _is_from_here(request)


def _is_from_here(request: Request[Any, Any, Any]) -> bool:
    """Whether a program on this machine asks, and for itself."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False  # no address at all, such as a name a proxy made up
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


async def _gather(services: Services) -> None:
    """Read the gauges that are not counted as they happen."""
    try:
        async with services.store.read() as uow:
            services.metrics.queued(await uow.messages.queue_depth())
            services.metrics.linked(await uow.records.links())
    except StoreError:
        return  # metrics must answer, above all when the store does not


def _json(content: object, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _page(media_type: str, content: bytes) -> Response[bytes]:
    return Response(content, media_type=media_type, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
