"""Bodies of answers and callbacks as documents. Whatever comes in, nothing is an error: what cannot be read is empty."""

from urllib.parse import parse_qsl

import msgspec

from yanshu.adapters.carriers.http.places import text_of
from yanshu.ports.callbacks import Callback

_MOST_FIELDS = 1000


def read_json(body: bytes) -> object:
    """Return a JSON document, None when it is none. Octets that are no UTF-8 become U+FFFD: the rest is worth having."""
    try:
        return msgspec.json.decode(body.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


def read_form(body: bytes) -> tuple[tuple[str, str], ...]:
    """Return the fields of a form in order; none of a body with more of them than any carrier sends."""
    try:
        return tuple(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return ()


def query_of(callback: Callback) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a callback's URL."""
    return read_form(callback.url.partition("?")[2].encode("utf-8", "replace"))


def fields_of(callback: Callback) -> tuple[tuple[str, str], ...]:
    """Return the fields of a callback's body: of a form, or the values of a JSON object as text."""
    document = read_json(callback.body) if callback.body.lstrip()[:1] == b"{" else None
    if not isinstance(document, dict):
        return form_of(callback)
    return tuple((name, text_of(value)) for name, value in document.items())


def form_of(callback: Callback) -> tuple[tuple[str, str], ...]:
    """Return the fields of a callback's body when it is a form; nothing of what cannot be read."""
    if "json" in callback.headers.get("content-type", "").lower():
        return ()
    return read_form(callback.body)
