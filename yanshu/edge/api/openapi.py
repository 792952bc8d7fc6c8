"""OpenAPI 3.1, made from the endpoints: what is described here is what the door reads, so the two cannot disagree."""

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.edge.api.endpoints import Endpoint

_VARIABLE = re.compile(r"\{(\w+)(?::\w+)?\}")
_REF = "#/components/schemas/{name}"
# Whoever calls what may meet these: no key, not allowed, an unknown parameter, too fast, our fault, busy.
_ALWAYS = (401, 403, 422, 429, 500, 503)
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Request-Id": ("Name it when you ask us about this request.", {"type": "string"}),
    "RateLimit-Limit": ("Requests a second this key may make.", {"type": "integer"}),
    "RateLimit-Remaining": ("Requests left just now.", {"type": "integer"}),
    "RateLimit-Reset": ("Seconds until the whole rate is there again.", {"type": "integer"}),
    "RateLimit-Policy": ("The rate as a policy: limit and window in seconds.", {"type": "string"}),
    "Retry-After": ("Seconds to wait before asking again.", {"type": "integer"}),
    "Idempotent-Replayed": ("`true` when this is the answer given to the same Idempotency-Key before.", {"type": "string"}),
}
_EVERYWHERE = ("Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
_UPLOADS = ("application/x-ndjson", "text/csv")
_STREAMS = {"/v1/stream": "text/event-stream"}
_INTRODUCTION = (
    "Send SMS through your own carriers and learn truthfully what became of them. "
    "Phone numbers are taken as people write them and given back as E.164; times are RFC 3339, given back in UTC."
)


class ErrorBody(Struct, kw_only=True):
    """What was wrong and what to do about it; `message` is in the language of Accept-Language (zh, en)."""

    type: str
    code: str
    message: str
    param: str | None
    details: list[dict[str, Any]]
    retryable: bool
    request_id: str
    doc_url: str


class ErrorOut(Struct, kw_only=True):
    """The one shape of every error."""

    error: ErrorBody


def describe(endpoints: Sequence[Endpoint], version: str, public_url: str) -> dict[str, Any]:
    """Return the document for these endpoints."""
    kinds = _kinds(endpoints)
    shapes, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    shape_of = dict(zip(map(repr, kinds), shapes, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _VARIABLE.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, shape_of, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yanshu", "version": version, "summary": "Self-hosted SMS platform", "description": _INTRODUCTION},
        "servers": [{"url": public_url or "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {name: {"description": text, "schema": schema} for name, (text, schema) in _HEADERS.items()},
            "responses": {_error_name(status): _error(status) for status in sorted({entry.status for entry in CATALOGUE.values()})},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `ys_live_…` or `ys_test_…`."}},
        },
    }


def statuses_of(endpoint: Endpoint) -> list[int]:
    """Return every status an endpoint may refuse with."""
    found = {*_ALWAYS, *endpoint.refuses}
    if endpoint.writes:
        found |= {400, 409, 413}
    if _VARIABLE.search(endpoint.path):
        found.add(404)
    return sorted(found)


def _kinds(endpoints: Iterable[Endpoint]) -> list[Any]:
    """All types that are named, each once."""
    kinds: dict[str, Any] = {repr(ErrorOut): ErrorOut}
    for endpoint in endpoints:
        for kind in (endpoint.query, endpoint.body, endpoint.answer, *(kind for _, kind in endpoint.other_answers)):
            if kind is not None:
                kinds.setdefault(repr(kind), kind)
    return list(kinds.values())


def _operation(endpoint: Endpoint, shape_of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Return one method of one path."""
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.path.split("/")[2]],
        "summary": endpoint.summary,
        "description": f"{inspect.getdoc(endpoint.handler) or endpoint.summary}\n\nScope: `{endpoint.scope}`.",
        "parameters": _parameters(endpoint, shape_of, components),
        "responses": {
            **{str(status): _success(endpoint, kinds, shape_of) for status, kinds in _answers(endpoint).items()},
            **{str(status): {"$ref": f"#/components/responses/{_error_name(status)}"} for status in statuses_of(endpoint)},
        },
    }
    if endpoint.raw_body:
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in _UPLOADS}}
    elif endpoint.body is not None:
        content = {"application/json": {"schema": shape_of[repr(endpoint.body)]}}
        operation["requestBody"] = {"required": not endpoint.optional_body, "content": content}
    return operation


def _parameters(endpoint: Endpoint, shape_of: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    """Return variables of the path, fields of the query, and headers that are read."""
    found = [_parameter("path", name, {"type": "string"}, required=True) for name in _VARIABLE.findall(endpoint.path)]
    if endpoint.query is not None:
        shape = components[shape_of[repr(endpoint.query)]["$ref"].rpartition("/")[2]]
        required = shape.get("required", [])
        found += [_parameter("query", name, _not_null(field), required=name in required) for name, field in shape["properties"].items()]
    if endpoint.is_keyed:
        found.append(_parameter("header", "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 255}))
    return found


def _parameter(place: Literal["path", "query", "header"], name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    parameter: dict[str, Any] = {"in": place, "name": name, "required": required, "schema": schema}
    if text := schema.get("description"):
        parameter["description"] = text
    return parameter


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of a query field: it may be left out, but there is no null in a query string."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"} or value is not None}
    if not kinds:
        return rest
    rest.pop("anyOf", None)
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _answers(endpoint: Endpoint) -> dict[int, list[Any]]:
    """Return what successes look like, by status."""
    answers: dict[int, list[Any]] = {}
    for status, kind in ((endpoint.status, endpoint.answer), *endpoint.other_answers):
        answers.setdefault(status, []).append(kind)
    return answers


def _success(endpoint: Endpoint, kinds: Sequence[Any], shape_of: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a request that went well."""
    names = (*_EVERYWHERE, "Idempotent-Replayed") if endpoint.is_keyed else _EVERYWHERE
    answer: dict[str, Any] = {"description": endpoint.summary, "headers": _header_refs(names)}
    if media := _STREAMS.get(endpoint.path):
        answer["content"] = {media: {"schema": {"type": "string"}}}
    else:
        shapes = [shape_of[repr(kind)] for kind in kinds]
        answer["content"] = {"application/json": {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}}
    return answer


def _error(status: int) -> dict[str, Any]:
    """Return the answer of a refusal, with the codes that have this status."""
    codes = [code for code, entry in CATALOGUE.items() if entry.status == status]
    names = (*_EVERYWHERE, "Retry-After") if status in {409, 429, 503} else _EVERYWHERE
    narrowed = {"type": "object", "properties": {"error": {"type": "object", "properties": {"code": {"enum": codes}}}}}
    schema = {"allOf": [{"$ref": _REF.format(name="ErrorOut")}, narrowed]}
    told = "; ".join(f"`{code}`: {CATALOGUE[code].en}" for code in codes)
    return {"description": told, "headers": _header_refs(names), "content": {"application/json": {"schema": schema}}}


def _error_name(status: int) -> str:
    return f"Error{status}"


def _header_refs(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
