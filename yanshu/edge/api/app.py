"""The HTTP application: Litestar routes every endpoint of the table to the one door."""

from typing import Any

from litestar import HttpMethod, Litestar, Request
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response, Stream
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Message, Receive, Scope, Send

from yanshu import __version__
from yanshu.domain import ids
from yanshu.domain.errors import CallerError, InvalidRequest, Missing
from yanshu.edge.api.door import Door, language_of, rate_headers
from yanshu.edge.api.endpoints import Endpoint
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.openapi import describe
from yanshu.edge.api.routes import batches, connectors, events, inbound, keys, messages, routes, sandbox, webhooks, workspaces
from yanshu.edge.api.services import Services
from yanshu.edge.api.system import make_system

ENDPOINTS: tuple[Endpoint, ...] = (
    *messages.ENDPOINTS,
    *batches.ENDPOINTS,
    *inbound.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *events.ENDPOINTS,
    *connectors.ENDPOINTS,
    *routes.ENDPOINTS,
    *keys.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *sandbox.ENDPOINTS,
)

_BUSIEST = frozenset({"/v1/messages", "/v1/batches"})


def build_app(services: Services, gate: Gate) -> ASGIApp:
    """Return the ASGI application."""
    door = Door(services, gate)
    handlers: list[Any] = [_route(endpoint, door) for endpoint in ENDPOINTS]
    handlers += make_system(services, describe(ENDPOINTS, __version__, services.settings.public_url.rstrip("/")))

    def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Answer what no endpoint answers: unknown paths, wrong methods."""
        clock = services.clock
        ident = ids.make_id(ids.REQUEST, clock.now(), clock.entropy(ids.ENTROPY_BYTES))
        headers = {"Request-Id": ident}
        if isinstance(error, MethodNotAllowedException):
            headers["Allow"] = ", ".join(allowed_methods(request.url.path))
        return door.refuse(_meaning(request, error), ident, language_of(request), headers)

    # Bodies are measured by the door, and uploads have no limit.
    router = Litestar(
        route_handlers=handlers,
        openapi_config=None,
        exception_handlers={Exception: refuse},
        logging_config=None,
        request_max_body_size=None,
    )
    return Front(router, door, services, gate)


class Front:
    """Stands before the router: takes the busiest requests straight to the door, and stamps every other answer.

    Sends are most of the traffic, and the router's part of one is a quarter of its cost. The headers that are on every
    answer are put on those too that no endpoint gave: pages, streams, wrong paths.
    """

    def __init__(self, router: Litestar, door: Door, services: Services, gate: Gate) -> None:
        self._router = router
        self._door = door
        self._clock = services.clock
        self._gate = gate
        self._busy = {e.path: (e, _handler_of(router, e)) for e in ENDPOINTS if e.method == "POST" and e.path in _BUSIEST}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        busy = self._busy.get(scope["path"]) if scope["type"] == ScopeType.HTTP and scope["method"] == "POST" else None
        if busy is not None:
            endpoint, scope["route_handler"] = busy
            scope["path_params"] = {}
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            await _send(await self._door.pass_through(request, endpoint), send)
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(list(message["headers"]))
            await send(message)

        await self._router(scope, receive, stamped)

    def _completed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the headers with those that are missing."""
        names = {name.lower() for name, _ in headers}
        if b"request-id" not in names:
            ident = ids.make_id(ids.REQUEST, self._clock.now(), self._clock.entropy(ids.ENTROPY_BYTES))
            headers.append((b"request-id", ident.encode()))
        if b"ratelimit-limit" not in names:
            standing = rate_headers(self._gate.standing_of_nobody())
            headers += [(name.lower().encode(), value.encode()) for name, value in standing.items()]
        return headers


def _handler_of(router: Litestar, endpoint: Endpoint) -> HTTPRouteHandler:
    """Return the router's handler of an endpoint; a request knows its own settings by it."""
    routes = (route for route in router.routes if isinstance(route, HTTPRoute))
    return next(r.route_handler_map[HttpMethod(endpoint.method)][0] for r in routes if r.path == endpoint.path)


async def _send(answer: Response[Any] | Stream, send: Send) -> None:
    """Send an answer of the door, which is bytes for every endpoint that is busy."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    content = answer.content
    assert isinstance(content, bytes)  # noqa: S101 - only streams are not, and none of these streams
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": answer.status_code or 200, "headers": headers}
    body: HTTPResponseBodyEvent = {"type": "http.response.body", "body": content, "more_body": False}
    await send(start)
    await send(body)


def allowed_methods(path: str) -> list[str]:
    """Return the methods a path takes; what is no endpoint is a page, to be read."""
    steps = path.rstrip("/").split("/")
    return sorted({endpoint.method for endpoint in ENDPOINTS if _fits(endpoint.path.split("/"), steps)}) or ["GET"]


def _fits(pattern: list[str], steps: list[str]) -> bool:
    return len(pattern) == len(steps) and all(want == step or want.startswith("{") for want, step in zip(pattern, steps, strict=True))


def _route(endpoint: Endpoint, door: Door) -> HTTPRouteHandler:
    """Make the Litestar handler of an endpoint."""

    async def handle(request: Request[Any, Any, Any]) -> Response[Any] | Stream:
        return await door.pass_through(request, endpoint)

    route = HTTPRouteHandler(
        endpoint.path, http_method=HttpMethod(endpoint.method), status_code=endpoint.status, opt={"scope": endpoint.scope}
    )
    made: HTTPRouteHandler = route(handle)
    return made


def _meaning(request: Request[Any, Any, Any], error: Exception) -> Exception:
    """Translate the router's errors into ours."""
    if isinstance(error, MethodNotAllowedException):
        return CallerError("method_not_allowed", method=request.method)
    if isinstance(error, HTTPException) and error.status_code == 404:
        return Missing("path", request.url.path[:128])
    if isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        return InvalidRequest("malformed_json", fix=error.detail[:200])
    return error
