"""The door for carriers: who calls is known by the secret in the path and, where the carrier signs, by its signature.

A callback is answered with success only once what it brought is committed: until then the carrier must go on repeating it.
"""

import asyncio
import hmac
from collections.abc import Callable

from yanshu.domain.connectors import Connector
from yanshu.domain.errors import CallbackBroken, CallbackForged, InvalidRequest, YanshuError
from yanshu.edge.exchange import Header, Receive, Request, Response, Scope, Send, respond
from yanshu.pipeline.route import Router
from yanshu.ports.callbacks import Callback, CallbackKind, CallbackReader, Reading
from yanshu.ports.carrier import Intake
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

_PREFIX = "callbacks"
_BODY_LIMIT_BYTES = 1_048_576
_BODY_SECONDS = 15.0
# What waits here for the store waits in memory; carriers repeat what was turned away.
_AT_ONCE = 500
_TEXT = b"text/plain; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST"})
_KINDS = {kind.value: kind for kind in CallbackKind}


class _Refused(YanshuError):
    """An answer that is no success: `result` is what the metric counts it as."""

    def __init__(self, result: str, status: int, why: str, headers: tuple[Header, ...] = ()) -> None:
        super().__init__(why)
        self.result = result
        self.status = status
        self.headers = headers


def path_of(connector_id: str, token: str, kind: CallbackKind) -> str:
    """Return the path that a carrier calls."""
    return f"/{_PREFIX}/{connector_id}/{token}/{kind.value}"


class CallbackDoor:
    """The ASGI application. `public_url` says under which URL carriers reach it: some sign that."""

    def __init__(self, router: Router, reader: CallbackReader, intake: Intake, metrics: Metrics, public_url: Callable[[], str]) -> None:
        self._router = router
        self._reader = reader
        self._intake = intake
        self._metrics = metrics
        self._public_url = public_url
        self._present = 0
        self._log = get_logger("callbacks")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; a WebSocket is turned away."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        self._present += 1
        try:
            response = await self._answer(Request(scope, receive))
        finally:
            self._present -= 1
        await respond(response, [], receive, send)

    async def _answer(self, request: Request) -> Response:
        connector = None
        try:
            connector, kind = self._find(request.path)
            reading = await self._read(request, connector, kind)
            await self._keep(reading)
        except _Refused as refused:
            return self._refuse(refused, connector)
        except CallbackForged as error:
            return self._refuse(_Refused("forged", 403, str(error)), connector)
        except CallbackBroken as error:
            return self._refuse(_Refused("broken", 400, str(error)), connector)
        self._metrics.called_back("taken" if reading.arrivals else "empty")
        return Response(reading.status, reading.body, reading.content_type.encode())

    def _find(self, path: str) -> tuple[Connector, CallbackKind]:
        """Return whose callback it is; a wrong secret and a connector nobody has look alike from outside."""
        _, *steps = path.split("/")
        if len(steps) == 4 and steps[0] == _PREFIX and steps[3] in _KINDS:
            connector = self._router.connectors.get(steps[1])
            token = self._reader.token(connector) if connector is not None else None
            if connector is not None and token is not None and hmac.compare_digest(steps[2].encode("utf-8", "replace"), token.encode()):
                return connector, _KINDS[steps[3]]
        raise _Refused("unknown", 404, "no connector takes callbacks here: copy the whole URL that the connector shows")

    async def _read(self, request: Request, connector: Connector, kind: CallbackKind) -> Reading:
        """Read the call and what it says."""
        if request.method not in _METHODS:
            raise _Refused("broken", 405, "call with POST or GET", ((b"allow", b"GET, HEAD, POST"),))
        if self._present > _AT_ONCE:
            raise _busy()
        body = await _body(request)
        url = self._public_url() + request.path + (f"?{request.query.decode('latin-1')}" if request.query else "")
        return self._reader.read(connector, Callback(kind=kind, url=url, headers=request.headers, body=body))

    async def _keep(self, reading: Reading) -> None:
        """Hand over what came, and wait until it is committed or cannot be."""
        if reading.broken:
            self._metrics.called_back("broken", reading.broken)
        if not reading.arrivals:
            return
        safe: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(is_safe: bool) -> None:
            if not safe.done():  # the carrier may have hung up
                safe.set_result(is_safe)

        self._intake.arrived(reading.arrivals, done)
        if not await safe:
            raise _busy()

    def _refuse(self, refused: _Refused, connector: Connector | None) -> Response:
        """Count a call that was not taken, and tell the one who looks after the connector."""
        self._metrics.called_back(refused.result)
        if connector is not None:
            self._log.warning("callback not taken", connector_id=connector.id, status=refused.status, why=str(refused))
        return Response(refused.status, f"{refused}\n".encode(), _TEXT, refused.headers)


def _busy() -> _Refused:
    return _Refused("busy", 503, "the platform cannot take it now; call again", ((b"retry-after", b"5"),))


async def _body(request: Request) -> bytes:
    """Read the body: up to the limit, and not for ever."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _BODY_LIMIT_BYTES:
                    raise _Refused("broken", 413, f"a callback has at most {_BODY_LIMIT_BYTES:,} bytes")
                chunks.append(chunk)
    except TimeoutError as error:
        raise _Refused("broken", 408, f"a callback's body comes within {_BODY_SECONDS:.0f} s") from error
    except InvalidRequest as error:
        raise CallbackBroken(str(error.values["fix"])) from error
    return b"".join(chunks)
