"""The definitions that ship with the product, by name, and what a connector changes of them."""

from importlib import resources
from typing import Any

import msgspec

from yanshu.adapters.carriers.http.definition import Definition, read_definition
from yanshu.adapters.carriers.reading import invalid

PROVIDED = ("alibaba", "generic_form", "generic_json", "huawei", "tencent", "twilio", "vonage", "vonage_signed")
_LIKE = "like"


def definition_of(provider: str, changes: dict[str, Any]) -> Definition:
    """Return a definition that ships with these changes, or, without a provider, the changes as a definition of their own.

    Raises `Invalid` that names the setting.
    """
    if not provider and not changes:
        raise invalid("provider", fix=f"one of {', '.join(PROVIDED)}, or write a definition of your own")
    return read_definition(_patched(_document(provider) if provider else {}, changes))


def _document(name: str) -> dict[str, Any]:
    """Return a definition that ships, itself written as changes of another where it is ``like`` it."""
    if name not in PROVIDED:
        raise invalid("provider", fix=f"one of {', '.join(PROVIDED)}")
    document = msgspec.json.decode((resources.files(__package__) / "definitions" / f"{name}.json").read_bytes(), type=dict[str, Any])
    like = document.pop(_LIKE, "")
    return _patched(_document(like), document) if like else document


def _patched(document: Any, changes: Any) -> Any:
    """Return a JSON document with changes merged in, null taking a key away (RFC 7386)."""
    if not isinstance(changes, dict):
        return changes
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _patched(merged.get(name), value)
    return merged
