"""Decoding requests: bodies and query strings into structs, and every mistake into an error that names field and fix."""

import difflib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from yanshu.domain.errors import CallerError, Invalid, InvalidRequest, TooLarge

# PostgreSQL keeps no NUL in texts, and no carrier sends one.
_NUL_ESCAPE = b"\\u0000"
_NO_NUL = "leave out the NUL character"
# Fields of API.md that belong to features this version has not.
_LATER = frozenset(
    {"template", "fallback", "shorten_links", "max_price", "campaign", "defaults", "per_second", "spread_minutes", "late_policy", "filter"}
)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `(?P<path>[^`]*)`)?")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`(?: - at `(?P<path>[^`]*)`)?")
_TOO_MANY = re.compile(r"Expected `array` of length <= \d+ - at `\$\.recipients`$")
_AT = re.compile(r"(?P<what>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)


@lru_cache(maxsize=256)
def _decoder(kind: type) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)


def decode_body(octets: bytes, kind: type) -> Any:
    """Return the body as `kind`; `InvalidRequest` when it is no JSON, `Invalid` when it is the wrong JSON."""
    try:
        body = _decoder(kind).decode(octets)
    except msgspec.ValidationError as error:
        raise explain_validation(str(error), kind) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest("malformed_json", fix="not UTF-8") from error
    except msgspec.DecodeError as error:
        raise InvalidRequest("malformed_json", fix=str(error)) from error
    except RecursionError as error:
        raise InvalidRequest("malformed_json", fix="nested too deeply") from error
    _look_again(octets)
    return body


def decode_query(pairs: Sequence[tuple[str, str]], kind: type) -> Any:
    """Return the query string as `kind`, reading numbers and booleans from text."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise Invalid("parameter_invalid", param=name, fix="give it once")
        if "\x00" in value:
            raise Invalid("parameter_invalid", param=name, fix=_NO_NUL)
        values[name] = value
    try:
        query: Any = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise explain_validation(str(error), kind) from error
    for field in msgspec.structs.fields(kind):
        # The text "null" is read as none at all: there is no way to say nothing in a query but to leave it out.
        if field.encode_name in values and getattr(query, field.name) is None:
            raise Invalid("parameter_invalid", param=field.encode_name, fix="leave it out to say nothing")
    return query


def explain_validation(text: str, kind: type) -> CallerError:
    """Turn msgspec's sentence into a refusal with the field's name."""
    if unknown := _UNKNOWN.match(text):
        name = unknown["name"]
        return Invalid("unknown_parameter", param=_param(unknown["path"], name), fix=_suggestion(name, kind, unknown["path"] or "$"))
    if missing := _MISSING.match(text):
        return Invalid("parameter_missing", param=_param(missing["path"], missing["name"]))
    if _TOO_MANY.match(text):
        return TooLarge(
            "batch_too_large", param="recipients", fix="at most 10,000 recipients inline; upload more to /v1/batches/{id}/recipients"
        )
    if at := _AT.match(text):
        return Invalid("parameter_invalid", param=_param(at["path"], None), fix=at["what"])
    return Invalid("parameter_invalid", param="body", fix=text)


def _suggestion(name: str, kind: type, path: str) -> str:
    """Say which field was meant, or that the field is one of a later version."""
    if name in _LATER:
        return "; it is not in this version"
    near = difflib.get_close_matches(name, _names(kind, path), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _param(path: str | None, name: str | None) -> str:
    """Return `$.recipients[3].to` as `recipients[3].to`."""
    parts = [part for part in ((path or "$").removeprefix("$").lstrip("."), name) if part]
    return ".".join(parts) or "body"


def _names(kind: Any, path: str) -> list[str]:
    """The field names that are known where the unknown one stood."""
    info = msgspec.inspect.type_info(kind)
    for step in re.findall(r"\.([^.\[]+)|(\[)", path.removeprefix("$")):
        info = _inner(info, step[0])
    info = _struct(info)
    return [field.encode_name for field in info.fields] if isinstance(info, msgspec.inspect.StructType) else []


def _inner(info: Any, name: str) -> Any:
    """Step into a field, or into the items of a list."""
    info = _struct(info)
    if isinstance(info, msgspec.inspect.StructType) and name:
        return next((field.type for field in info.fields if field.encode_name == name), info)
    return getattr(info, "item_type", info)


def _struct(info: Any) -> Any:
    """Look through `X | None`, and through `str | X`."""
    if isinstance(info, msgspec.inspect.UnionType):
        kinds = [kind for kind in info.types if not isinstance(kind, msgspec.inspect.NoneType)]
        return next((kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)), kinds[0])
    return info


def _look_again(octets: bytes) -> None:
    """Refuse what would pass silently: a key given twice keeps one of its values, and a NUL breaks the store."""
    decoder = _without_nul if _NUL_ESCAPE in octets else _without_twins
    try:
        decoder.decode(octets.decode())
    except RecursionError as error:
        raise InvalidRequest("malformed_json", fix="nested too deeply") from error


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a key twice. Runs for every object of every body, so it does nothing else."""
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest("malformed_json", param=twice, fix=f"the key {twice} stands twice in one object")


def _refuse_nul(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object with a NUL in a key or a value, or with a key twice."""
    for name, value in pairs:
        if "\x00" in name or _has_nul(value):
            raise Invalid("parameter_invalid", param=name.replace("\x00", "\ufffd"), fix=_NO_NUL)
    _refuse_twins(pairs)


def _has_nul(value: Any) -> bool:
    """Whether a text, or a text of a list, has a NUL in it; objects were looked at when they were read."""
    if isinstance(value, str):
        return "\x00" in value
    return isinstance(value, list) and any(_has_nul(item) for item in value)


# Numbers were judged already and stay text here: Python refuses to read one of more than 4,300 digits.
_without_twins = json.JSONDecoder(object_pairs_hook=_refuse_twins, parse_int=str, parse_float=str)
_without_nul = json.JSONDecoder(object_pairs_hook=_refuse_nul, parse_int=str, parse_float=str)
