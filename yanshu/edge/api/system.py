"""What needs no key: health, metrics, the OpenAPI document and its page, made of local files."""

import hmac
from collections.abc import Awaitable, Callable
from html import escape
from ipaddress import ip_address
from typing import Any

import msgspec
from msgspec import Struct

from yanshu.domain.errors import Missing, StoreError
from yanshu.edge.api.catalogue import CATALOGUE, in_print
from yanshu.edge.api.pages import POLICY, page_file
from yanshu.edge.api.services import Services
from yanshu.edge.exchange import Request, Response
from yanshu.runtime.metrics import CONTENT_TYPE

# What a proxy adds: a request that went through one on this machine comes from loopback, but not from this machine.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Page(Struct, frozen=True):
    """A page: `show` answers a request, given the path's variables."""

    path: str
    show: Callable[[Request, dict[str, str]], Awaitable[Response]]
    method: str = "GET"


def make_pages(services: Services, document: dict[str, Any]) -> tuple[Page, ...]:
    """Return the table of pages."""
    octets = msgspec.json.encode(document)

    async def healthz(_: Request, __: dict[str, str]) -> Response:
        """The process runs."""
        return _json({"status": "ok"})

    async def readyz(_: Request, __: dict[str, str]) -> Response:
        """The process can do its work: the store can be read and written."""
        try:
            await services.store.ping()
        except StoreError:
            return _json({"status": "store unavailable"}, 503)
        return _json({"status": "ready"})

    async def metrics(request: Request, _: dict[str, str]) -> Response:
        """Prometheus metrics, for whoever has the token, or for this machine when there is none."""
        if not _may_read_metrics(request, services.settings.metrics_token):
            return _json({"status": "forbidden"}, 403)
        await _gather(services)
        return Response(200, services.metrics.render(), CONTENT_TYPE.encode())

    async def openapi(_: Request, __: dict[str, str]) -> Response:
        """The OpenAPI document."""
        return Response(200, octets)

    return (
        Page("/healthz", healthz),
        Page("/readyz", readyz),
        Page("/metrics", metrics),
        Page("/openapi.json", openapi),
        Page("/docs", _docs),
        Page("/docs/{name:str}", _docs),
    )


async def _docs(_: Request, variables: dict[str, str]) -> Response:
    """The interactive page, its files, and the page of error codes."""
    name = variables.get("name", "index.html")
    if name == "errors":
        return _page("text/html; charset=utf-8", _errors_page().encode())
    file = page_file(name)
    if file is None:
        raise Missing("page", name[:64])
    return _page(file.media_type, file.content)


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


def _may_read_metrics(request: Request, token: str) -> bool:
    if token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    return _is_from_here(request)


def _is_from_here(request: Request) -> bool:
    """Whether a program on this machine asks, and for itself."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ip_address(request.peer)
    except ValueError:
        return False  # no address at all, such as a name a proxy made up
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


async def _gather(services: Services) -> None:
    """Read the gauges that are not counted as they happen."""
    try:
        async with services.store.read() as uow:
            services.metrics.queued(await uow.messages.queue_depth())
            services.metrics.linked([report.as_of(services.clock.now()) for report in await uow.records.links()])
    except StoreError:
        return  # metrics must answer, above all when the store does not


def _json(content: object, status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(content))


def _page(media_type: str, content: bytes) -> Response:
    guards = ((b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"))
    return Response(200, content, media_type.encode(), guards)
