"""Places `${name}` in the texts of a definition: found, checked and filled.

A name is a named value (`to`, `settings.template_code`) in a request, and a path into what the carrier wrote
(`Response.SendStatusSet.0.Code`) in an answer or a callback.
"""

import re
from collections.abc import Mapping
from typing import Any

_LONGEST_NUMBER = 10
_PLACE = re.compile(r"\$\{([^${}]+)\}")


def names(template: str) -> list[str]:
    """Return the names of the places of a text, in order."""
    return _PLACE.findall(template)


def is_whole(template: str) -> bool:
    """Whether every ``${`` of a text opens a well-formed place."""
    return template.count("${") == len(names(template))


def is_alone(template: str) -> bool:
    """Whether a text is one place and nothing else: without a value its field is left out."""
    return _PLACE.fullmatch(template) is not None


def parted(template: str) -> tuple[list[str], list[str]]:
    """Return the words of a text and the names of the places between them: one word more than names, each may be empty."""
    parts = _PLACE.split(template)
    return parts[::2], parts[1::2]


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the text with its places filled; a value nobody gave is empty."""
    return _PLACE.sub(lambda place: values.get(place[1], ""), template)


def pick(template: str, document: object) -> str:
    """Return the text with its places filled from a document; empty when one of them is not there.

    The words between the places only make sense around what they are for: ``+${country}${number}`` without a number is no number.
    """
    found = {name: text_of(at(document, name)) for name in names(template)}
    return fill(template, found) if all(found.values()) else ""


def number_of(template: str, document: object) -> int:
    """Return the number that `pick` finds; 0 when it is none, or a longer one than anybody counts."""
    text = pick(template, document)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0


def at(document: object, path: str) -> object:
    """Return what a dotted path leads to, a number being a place in an array; None where it leads nowhere."""
    if isinstance(document, Mapping) and path in document:  # a key may have dots of its own
        return document[path]
    for step in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdigit() and len(step) < 4 and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def text_of(value: Any) -> str:
    """Return a value of a document as text, as JSON writes it; "" for null, arrays and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
