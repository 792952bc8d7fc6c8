"""HTTP as a simulated carrier speaks it: one JSON request a message, as the definition ``generic_json`` makes it."""

import base64
import binascii
from collections.abc import Callable

import msgspec
from aiohttp import web

from yanshu.simulator.accounts import Admission
from yanshu.simulator.behaviour import account_name
from yanshu.simulator.poster import ACCEPTED, BUSY, THROTTLED, Exchange, Poster, Submit
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.traffic import Segment

PATH = "/messages"
BODY_LIMIT = 65_536
# What the body says where the status line alone would be read otherwise.
CODES = {ACCEPTED: "0", BUSY: "busy", THROTTLED: "throttled"}


class HttpSide:
    """All accounts that speak HTTP. `settle` is called when a turn has changed what is due."""

    def __init__(self, smsc: Smsc, settle: Callable[[], None]) -> None:
        self._smsc = smsc
        self._settle = settle
        self._server: web.Server | None = None
        desks = (desk for desk in smsc.desks.values() if desk.account.protocol == "http")
        self._posters = {desk.name: Poster(desk, smsc, settle) for desk in desks}

    def serve(self) -> web.Server:
        """Return what serves a connection, to be given to a listener."""
        for poster in self._posters.values():
            poster.start()
        self._server = web.Server(self._take, handler_cancellation=True, access_log=None)
        return self._server

    async def stop(self) -> None:
        """Cut what is under way and post nothing more."""
        for poster in self._posters.values():
            await poster.stop()
        if self._server is not None:
            await self._server.shutdown(0.0)
            self._server = None

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, when and as the carrier decides."""
        if (request.method, request.path) != ("POST", PATH):
            return _said(404, f"POST to {PATH}")
        poster = self._admitted(request)
        if poster is None:
            return _said(401, "no such account, another password, or not from this address")
        with poster.exchange(request.transport) as exchange:
            if not poster.is_silent:
                try:
                    self._submit(exchange, await _read(request))
                except ValueError as error:
                    return _said(422, str(error))
            status, ident = await exchange.answered
        return _answer(status, ident)

    def _admitted(self, request: web.BaseRequest) -> Poster | None:
        """Return the account of a request by its name and password (RFC 7617)."""
        kind, _, octets = request.headers.get("Authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(octets, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        poster = self._posters.get(account_name("http", name)) if kind == "Basic" else None
        if poster is None:
            self._smsc.unknown_binds += 1
            return None
        return poster if poster.account.judge(lambda known: known == password, request.remote or "") is Admission.WELCOME else None

    def _submit(self, exchange: Exchange, submit: Submit) -> None:
        """Hand a message to the carrier."""
        exchange.poster.learn(submit)
        segment = Segment(
            source=submit.sender,
            destination=submit.to.removeprefix("+"),
            encoding="ucs2",
            payload=submit.text.encode("utf-16-be"),
            wants_receipt=bool(submit.callback_url),
            at=self._smsc.clock.now().timestamp(),
        )
        self._smsc.submitted(exchange, None, segment)
        self._settle()


async def _read(request: web.BaseRequest) -> Submit:
    """Read a request's body. Raises ValueError that says what is wrong with it."""
    body = await request.content.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        raise ValueError(f"a request has at most {BODY_LIMIT} octets")
    return msgspec.json.decode(body, type=Submit)


def _answer(status: int, ident: str) -> web.Response:
    content = {"code": CODES.get(status, str(status)), **({"id": ident} if ident else {})}
    # A status that HTTP does not know is the carrier's own code.
    line = status if 200 <= status < 600 else 422
    return web.Response(status=line, body=msgspec.json.encode(content), content_type="application/json")


def _said(status: int, why: str) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode({"code": str(status), "message": why}), content_type="application/json")
