"""The door: what every request goes through, whatever it wants.

Key, scope and rate; query, body and idempotency key; the handler; then the answer or the one error shape, with the
headers that are on every answer.
"""

import hashlib
import math
import re
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request
from litestar.response import Response, Stream
from msgspec import Struct

from yanshu.domain import ids
from yanshu.domain.access import Caller
from yanshu.domain.commands import Idempotency, Saved
from yanshu.domain.errors import CallerError, Conflict, Invalid, InvalidRequest, Missing, RateLimited, TooLarge
from yanshu.edge.api.decoding import decode_body, decode_query
from yanshu.edge.api.endpoints import Answer, Call, Endpoint, octets_of
from yanshu.edge.api.errors import body_of, is_expected, refusal_of, status_of
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.services import Services
from yanshu.edge.api.writing import AnsweredBefore
from yanshu.rules.accounts.limits import Standing
from yanshu.runtime.logs import get_logger

_KEPT = timedelta(hours=24)
_KEY_MOST = 255
_JSON = "application/json"
_WEIGHT = re.compile(r"[01](?:\.\d{0,3})?")
_LANGUAGES_READ = 20
_encode = msgspec.json.Encoder().encode


class Door:
    """Runs requests against endpoints."""

    def __init__(self, services: Services, gate: Gate) -> None:
        self._services = services
        self._gate = gate
        self._running: set[str] = set()
        self._log = get_logger("api")

    async def pass_through(self, request: Request[Any, Any, Any], endpoint: Endpoint) -> Response[Any] | Stream:
        """Answer one request."""
        clock = self._services.clock
        started = clock.monotonic()
        ident = ids.make_id(ids.REQUEST, clock.now(), clock.entropy(ids.ENTROPY_BYTES))
        headers = {"Request-Id": ident, **rate_headers(self._gate.standing_of_nobody())}
        try:
            response = await self._answer(request, endpoint, ident, headers)
        except Exception as error:  # noqa: BLE001 - the outermost place of a request: everything becomes an answer
            response = self.refuse(error, ident, language_of(request), headers)
        self._services.metrics.answered_http(
            endpoint.method, endpoint.path, response.status_code or endpoint.status, clock.monotonic() - started
        )
        return response

    def refuse(self, error: BaseException, ident: str, language: str, headers: dict[str, str]) -> Response[Any]:
        """Return the answer an error becomes; an unexpected one is logged with its trace."""
        refusal = refusal_of(error)
        if not is_expected(error):
            self._log.error("request failed", request_id=ident, exc_info=error)
        status = status_of(refusal)
        if refusal.retry_after is not None or status in (429, 503):
            headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after or 1)))
        body = body_of(refusal, ident, language, f"{self._services.public_url}/docs/errors")
        return Response(body, status_code=status, media_type=_JSON, headers=headers)

    async def _answer(
        self, request: Request[Any, Any, Any], endpoint: Endpoint, ident: str, headers: dict[str, str]
    ) -> Response[Any] | Stream:
        """Let the caller in, run the handler, encode."""
        peer = request.client.host if request.client else "127.0.0.1"
        caller, key = await self._gate.enter(request.headers, peer, endpoint)
        standing = self._gate.take_request(key)
        headers.update(rate_headers(standing))
        if not standing.granted:
            raise RateLimited("too_many_requests", retry_after=standing.reset_seconds)
        self._gate.permit(caller, key, endpoint)
        variables = _variables(request, endpoint)
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
            request_id=ident,
            language=language_of(request),
            ids=variables,
            query=query,
            body=body,
            idempotency=idempotency,
        )
        answer = await self._run(call, endpoint, idempotency)
        return answer if isinstance(answer, (Response, Stream)) else _respond(answer, headers)

    async def _run(self, call: Call, endpoint: Endpoint, idempotency: Idempotency | None) -> Answer | Response[Any] | Stream:
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

    async def _once(self, call: Call, endpoint: Endpoint, idempotency: Idempotency) -> Answer | Response[Any] | Stream:
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

    async def _read(self, request: Request[Any, Any, Any]) -> bytes:
        """Read the body up to the limit."""
        limit = self._services.settings.body_limit_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in octets_of(request):
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    "batch_too_large", fix=f"a body has at most {limit:,} bytes; upload larger ones to /v1/batches/{{id}}/recipients"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _body(self, request: Request[Any, Any, Any], endpoint: Endpoint, octets: bytes) -> Any:
        """Decode the body, if the endpoint takes one."""
        if endpoint.body is None or endpoint.raw_body:
            return None
        if not octets and endpoint.optional_body:
            octets = b"{}"
        kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if kind != _JSON:
            raise InvalidRequest("invalid_content_type", param="Content-Type", fix=_JSON)
        return decode_body(octets, endpoint.body)

    def _idempotency(self, request: Request[Any, Any, Any], caller: Caller, octets: bytes) -> Idempotency | None:
        """Read the Idempotency-Key: its scope is workspace, method and path; the body's digest is its fingerprint."""
        given = request.headers.get("idempotency-key")
        if given is None:
            return None
        if not 1 <= len(given) <= _KEY_MOST:
            raise Invalid("parameter_invalid", param="Idempotency-Key", fix=f"1 to {_KEY_MOST} characters")
        scope = f"{caller.workspace_id}\x1f{caller.livemode:d}\x1f{request.method}\x1f{request.url.path}\x1f{given}"
        digest = hashlib.sha256(octets).hexdigest()
        return Idempotency(hashlib.sha256(scope.encode()).hexdigest(), digest, self._services.clock.now() + _KEPT)


def _replay(saved: Saved) -> Answer:
    return Answer(saved.status, saved.body, replayed=True, kept=True)


def _respond(answer: Answer, headers: dict[str, str]) -> Response[Any]:
    """Encode an answer."""
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    content = answer.content if isinstance(answer.content, bytes) else _encode(answer.content)
    return Response(content, status_code=answer.status, media_type=_JSON, headers=headers)


class NoQuery(Struct, forbid_unknown_fields=True):
    """The query of an endpoint that takes none."""


def _query(request: Request[Any, Any, Any], endpoint: Endpoint) -> Any:
    """Decode the query string; a parameter nobody reads is a mistake."""
    if endpoint.query is None and not request.scope["query_string"]:
        return None
    return decode_query(list(request.query_params.multi_items()), endpoint.query or NoQuery)


def _variables(request: Request[Any, Any, Any], endpoint: Endpoint) -> dict[str, str]:
    """Return the path's variables; no id has a NUL in it, and not every store could even look for one."""
    variables: dict[str, str] = dict(request.path_params)
    for value in variables.values():
        if "\x00" in value:
            raise Missing(endpoint.path.split("/")[2].rstrip("s"), value.replace("\x00", "\ufffd")[:64])
    return variables


def rate_headers(standing: Standing) -> dict[str, str]:
    """Return the RateLimit headers of a standing."""
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(max(0, math.ceil(standing.reset_seconds))),
        "RateLimit-Policy": f'{standing.limit};w=1;name="requests"',
    }


def language_of(request: Request[Any, Any, Any]) -> str:
    """Return zh or en, whichever the caller prefers (RFC 9110 §12.5.4; of equals the one named first); en when neither."""
    best, language = 0.0, "en"
    for part in request.headers.get("accept-language", "").split(",")[:_LANGUAGES_READ]:
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


def _refuse_encoding(request: Request[Any, Any, Any], endpoint: Endpoint) -> None:
    """Refuse a compressed body: it would be read as broken JSON, or as so many broken rows."""
    if endpoint.writes and request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise InvalidRequest("invalid_content_type", param="Content-Encoding", fix="identity")
