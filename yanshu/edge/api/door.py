"""The door: what every request goes through, whatever it wants.

The path; key, scope and rate; query, body and idempotency key; the handler; then the answer or the one error shape, with
the headers that are on every answer.
"""

import hashlib
import math
import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from yanshu.domain import ids
from yanshu.domain.access import Caller
from yanshu.domain.commands import Idempotency, Saved
from yanshu.domain.errors import CallerError, Conflict, Invalid, InvalidRequest, Missing, RateLimited, TooLarge
from yanshu.edge.api.decoding import decode_body, decode_query
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.errors import body_of, is_expected, refusal_of, status_of
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.paths import Paths
from yanshu.edge.api.services import Services
from yanshu.edge.api.system import Page
from yanshu.edge.api.writing import AnsweredBefore
from yanshu.edge.exchange import JSON, Header, Receive, Request, Response, Scope, Send, respond
from yanshu.rules.accounts.limits import Standing
from yanshu.runtime.logs import get_logger

_KEPT = timedelta(hours=24)
_KEY_MOST = 255
_WEIGHT = re.compile(r"[01](?:\.\d{0,3})?")
_LANGUAGES_READ = 20
_JSON = JSON.decode()
_REPLAYED: tuple[Header, ...] = ((b"idempotent-replayed", b"true"),)
_encode = msgspec.json.Encoder().encode


class _Passage(Struct):
    """One request on its way through: its id, and how its key stands; nobody's key as long as it is not known."""

    ident: str
    standing: Standing

    def headers(self) -> list[Header]:
        """Return the headers that are on every answer."""
        return [(b"request-id", self.ident.encode()), *rate_headers(self.standing)]


class Door:
    """The ASGI application: finds what stands behind a path, and runs requests against it."""

    def __init__(self, services: Services, gate: Gate, paths: Paths[Endpoint | Page]) -> None:
        self._services = services
        self._gate = gate
        self._paths = paths
        self._running: set[str] = set()
        self._log = get_logger("api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a WebSocket is turned away."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        clock = self._services.clock
        started = clock.monotonic()
        ident = ids.make_id(ids.REQUEST, clock.now(), clock.entropy(ids.ENTROPY_BYTES))
        passage = _Passage(ident, self._gate.standing_of_nobody())
        request, target = Request(scope, receive), None
        try:
            target, variables = self._paths.find(request.method, request.path)
            if isinstance(target, Page):
                response = await target.show(request, variables)
            else:
                response = await self._pass(request, target, variables, passage)
        except Exception as error:  # noqa: BLE001 - the outermost place of a request: everything becomes an answer
            response = self._refuse(error, language_of(request), ident)
        if isinstance(target, Endpoint):
            self._services.metrics.answered_http(target.method, target.path, response.status, clock.monotonic() - started)
        await respond(response, passage.headers(), receive, send)

    def _refuse(self, error: BaseException, language: str, ident: str) -> Response:
        """Return the answer an error becomes; an unexpected one is logged with its trace."""
        refusal = refusal_of(error)
        if not is_expected(error):
            self._log.error("request failed", request_id=ident, exc_info=error)
        status = status_of(refusal)
        headers: list[Header] = []
        if refusal.retry_after is not None or status in (429, 503):
            headers.append((b"retry-after", b"%d" % max(1, math.ceil(refusal.retry_after or 1))))
        if status == 405:
            headers.append((b"allow", str(refusal.values["allow"]).encode()))
        body = body_of(refusal, ident, language, f"{self._services.public_url}/docs/errors")
        return Response(status, body, headers=tuple(headers))

    async def _pass(self, request: Request, endpoint: Endpoint, variables: dict[str, str], passage: _Passage) -> Response:
        """Let the caller in, run the handler, encode."""
        caller, key = await self._gate.enter(request.headers, request.peer, endpoint)
        passage.standing = standing = self._gate.take_request(key)
        if not standing.granted:
            raise RateLimited("too_many_requests", retry_after=standing.reset_seconds)
        self._gate.permit(caller, key, endpoint)
        _check_variables(variables, endpoint)
        query = _query(request, endpoint)
        _refuse_encoding(request, endpoint)
        octets = b"" if endpoint.raw_body or not endpoint.writes else await self._read(request)
        body = self._body(request, endpoint, octets)
        if endpoint.counted is not None:
            self._gate.take_messages(key, endpoint.counted(body))
        idempotency = self._idempotency(request, caller, octets) if endpoint.is_keyed else None
        call = Call(
            caller=caller,
            services=self._services,
            request=request,
            request_id=passage.ident,
            language=language_of(request),
            ids=variables,
            query=query,
            body=body,
            idempotency=idempotency,
        )
        answer = await self._run(call, endpoint, idempotency)
        return answer if isinstance(answer, Response) else _response_of(answer)

    async def _run(self, call: Call, endpoint: Endpoint, idempotency: Idempotency | None) -> Answer | Response:
        """Run the handler; a second request with the same key is refused while the first is running."""
        if idempotency is None:
            return await endpoint.handler(call)
        if idempotency.key in self._running:
            raise Conflict("idempotency_in_progress", retry_after=1)
        self._running.add(idempotency.key)
        try:
            if endpoint.own_replay:
                return await endpoint.handler(call)
            return await self._once(call, endpoint, idempotency)
        finally:
            self._running.discard(idempotency.key)

    async def _once(self, call: Call, endpoint: Endpoint, idempotency: Idempotency) -> Answer | Response:
        """Answer as the first time, or do it and keep the answer.

        Two processes may be asked at once: then the transaction of the later one finds the answer of the first, or its step
        is refused because the first has taken it.
        """
        if replay := await self._recall(idempotency):
            return replay
        try:
            answer = await endpoint.handler(call)
        except AnsweredBefore as before:
            return _replay(before.saved)
        except CallerError:
            if replay := await self._recall(idempotency):
                return replay
            raise
        if isinstance(answer, Answer) and not answer.kept:
            # What changes nothing in the store (previews, handsets) has no transaction its answer could be part of.
            async with self._services.store.write() as uow:
                await uow.records.remember(idempotency, Saved(answer.status, _encode(answer.content)))
                await uow.commit()
        return answer

    async def _recall(self, idempotency: Idempotency) -> Answer | None:
        """Return the answer kept for this key."""
        async with self._services.store.read() as uow:
            saved = await uow.records.recall(idempotency)
        return _replay(saved) if saved is not None else None

    async def _read(self, request: Request) -> bytes:
        """Read the body up to the limit."""
        limit = self._services.settings.body_limit_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    "batch_too_large", fix=f"a body has at most {limit:,} bytes; upload larger ones to /v1/batches/{{id}}/recipients"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _body(self, request: Request, endpoint: Endpoint, octets: bytes) -> Any:
        """Decode the body, if the endpoint takes one."""
        if endpoint.body is None or endpoint.raw_body:
            return None
        if not octets and endpoint.optional_body:
            octets = b"{}"
        kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if kind != _JSON:
            raise InvalidRequest("invalid_content_type", param="Content-Type", fix=_JSON)
        return decode_body(octets, endpoint.body)

    def _idempotency(self, request: Request, caller: Caller, octets: bytes) -> Idempotency | None:
        """Read the Idempotency-Key: its scope is workspace, method and path; the body's digest is its fingerprint."""
        given = request.headers.get("idempotency-key")
        if given is None:
            return None
        if not 1 <= len(given) <= _KEY_MOST:
            raise Invalid("parameter_invalid", param="Idempotency-Key", fix=f"1 to {_KEY_MOST} characters")
        scope = f"{caller.workspace_id}\x1f{caller.livemode:d}\x1f{request.method}\x1f{request.path}\x1f{given}"
        digest = hashlib.sha256(octets).hexdigest()
        return Idempotency(hashlib.sha256(scope.encode()).hexdigest(), digest, self._services.clock.now() + _KEPT)


def _replay(saved: Saved) -> Answer:
    return Answer(saved.status, saved.body, replayed=True, kept=True)


def _response_of(answer: Answer) -> Response:
    """Encode an answer."""
    content = answer.content if isinstance(answer.content, bytes) else _encode(answer.content)
    return Response(answer.status, content, headers=_REPLAYED if answer.replayed else ())


class NoQuery(Struct, forbid_unknown_fields=True):
    """The query of an endpoint that takes none."""


def _query(request: Request, endpoint: Endpoint) -> Any:
    """Decode the query string; a parameter nobody reads is a mistake."""
    if endpoint.query is None and not request.query:
        return None
    return decode_query(request.query_pairs(), endpoint.query or NoQuery)


def _check_variables(variables: dict[str, str], endpoint: Endpoint) -> None:
    """No id has a NUL in it, and not every store could even look for one."""
    for value in variables.values():
        if "\x00" in value:
            raise Missing(endpoint.path.split("/")[2].rstrip("s"), value.replace("\x00", "\ufffd")[:64])


def rate_headers(standing: Standing) -> list[Header]:
    """Return the RateLimit headers of a standing."""
    limit, policy = _limit_headers(standing.limit)
    remaining, reset = b"%d" % standing.remaining, b"%d" % max(0, math.ceil(standing.reset_seconds))
    return [limit, (b"ratelimit-remaining", remaining), (b"ratelimit-reset", reset), policy]


@lru_cache(maxsize=1024)
def _limit_headers(limit: int) -> tuple[Header, Header]:
    """Return the headers that are the same for every request at this rate."""
    return (b"ratelimit-limit", b"%d" % limit), (b"ratelimit-policy", b'%d;w=1;name="requests"' % limit)


def language_of(request: Request) -> str:
    """Return zh or en, whichever the caller prefers; en when neither."""
    accepted = request.headers.get("accept-language")
    return _language(accepted) if accepted else "en"


@lru_cache(maxsize=256)
def _language(accepted: str) -> str:
    """Read Accept-Language (RFC 9110 §12.5.4); of equals the one named first is preferred."""
    best, language = 0.0, "en"
    for part in accepted.split(",")[:_LANGUAGES_READ]:
        name, _, weight = part.partition(";")
        tag = name.strip().lower()[:2]
        if tag in {"zh", "en"} and (quality := _quality(weight)) > best:
            best, language = quality, tag
    return language


def _quality(weight: str) -> float:
    """Read `q=0.8`; 1 when there is none, 0 when it cannot be read."""
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1.0
    return min(float(value), 1.0) if name.strip().lower() == "q" and _WEIGHT.fullmatch(value.strip()) else 0.0


def _refuse_encoding(request: Request, endpoint: Endpoint) -> None:
    """Refuse a compressed body: it would be read as broken JSON, or as so many broken rows."""
    if endpoint.writes and request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise InvalidRequest("invalid_content_type", param="Content-Encoding", fix="identity")
