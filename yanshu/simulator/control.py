"""The control port of `yanshu simulate`: JSON over HTTP on 127.0.0.1, to watch and to misbehave on command.

| request | answer |
|---|---|
| GET /state | counters and behaviour, in total and by account |
| PUT /behaviour?account=… | changes fields of `Behaviour` for all accounts or one; answers the behaviour in force |
| GET /handsets | numbers that something was sent to |
| GET /handsets/{number} | the texts of one |
| POST /handsets/{number}/reply | {"text", "to"?}: an inbound text from it |
| POST /links/drop?account=… | cuts the links of all accounts or one |
| GET /ledger | every answered submit, as NDJSON |
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from aiohttp import web

from yanshu.simulator.behaviour import BehaviourError
from yanshu.simulator.server import Simulator
from yanshu.simulator.smsc import UnknownName

CONTROL_HOST = "127.0.0.1"
LEDGER_CHUNK = 1_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReplyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a reply; `to` is the access number it goes to."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=17_000)]
    to: Annotated[str, msgspec.Meta(pattern="^[0-9+]{1,20}$")] | None = None


class ControlServer:
    """Serves one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; return the bound port."""
        app = web.Application(middlewares=[_answer_errors])
        app.add_routes(
            [
                web.get("/state", self._state),
                web.put("/behaviour", self._behaviour),
                web.get("/handsets", self._handsets),
                web.get("/handsets/{number}", self._handset),
                web.post("/handsets/{number}/reply", self._reply),
                web.post("/links/drop", self._drop),
                web.get("/ledger", self._ledger),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, CONTROL_HOST, port)
        await site.start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _state(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _json(self._simulator.state())

    async def _behaviour(self, request: web.Request) -> web.StreamResponse:
        changes = msgspec.json.decode(await request.read(), type=dict[str, object])
        return _json(self._simulator.set_behaviour(changes, request.query.get("account")))

    async def _handsets(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return _json({"data": self._simulator.handsets()})

    async def _handset(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        return _json({"number": number, "data": self._simulator.inbox(number)})

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read(), type=ReplyRequest)
        return _json({"segments": self._simulator.reply(request.match_info["number"], body.text, body.to)})

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        return _json({"dropped": self._simulator.drop_links(request.query.get("account"))})

    async def _ledger(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        encoder, lines = msgspec.json.Encoder(), []
        for entry in self._simulator.ledger:
            lines.append(encoder.encode(entry))
            if len(lines) == LEDGER_CHUNK:
                await response.write(b"\n".join(lines) + b"\n")
                lines.clear()
        if lines:
            await response.write(b"\n".join(lines) + b"\n")
        await response.write_eof()
        return response


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what is wrong with a request; the message names the field or the thing that is missing."""
    try:
        return await handler(request)
    except UnknownName as error:
        return _json({"error": error.args[0]}, 404)
    except (BehaviourError, msgspec.ValidationError) as error:
        return _json({"error": str(error)}, 422)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _json({"error": f"the body is no JSON: {error}"}, 400)


def _json(value: object, status: int = 200) -> web.Response:
    """Return an answer."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
