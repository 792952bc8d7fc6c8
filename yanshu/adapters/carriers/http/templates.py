"""Templates filed with a carrier: which of them a text was made from, and what stands in its places.

Several clouds take no text but the number of a template and the values of its places. The connector says how its templates read;
a text that reads like none of them cannot go over it.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from yanshu.adapters.carriers.http import places
from yanshu.adapters.carriers.reading import ASCII, invalid

_MOST_PLACES = 20


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """One template: its number at the carrier, and its text without signature, with places ``${name}``."""

    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=ASCII)]
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Filled(Struct, frozen=True):
    """A template with the values of its places, in the order of its text."""

    id: str
    params: dict[str, str]


class Templates:
    """The templates of a connector; of several that fit a text, the one that says most of it itself wins."""

    def __init__(self, templates: Sequence[Template]) -> None:
        parsed = [(template.id, *places.parted(template.text)) for template in templates]
        self._rows = sorted(parsed, key=lambda row: -sum(map(len, row[1])))

    def match(self, text: str) -> Filled | None:
        """Return the template a text was made from, or None; no place is empty."""
        for ident, words, names in self._rows:
            values = _values(words, text)
            if values is not None:
                return Filled(ident, dict(zip(names, values, strict=True)))
        return None


def check_templates(templates: Sequence[Template]) -> None:
    """Raise `Invalid` for a template whose places could not be told apart in a text."""
    for index, template in enumerate(templates):
        path = f"templates.{index}.text"
        words, names = places.parted(template.text)
        if not places.is_whole(template.text):
            raise invalid(path, "write a place as ${name}, closed")
        if len(names) > _MOST_PLACES:
            raise invalid(path, f"at most {_MOST_PLACES} places")
        if len(set(names)) < len(names):
            raise invalid(path, "give every place a name of its own")
        if not all(words[1:-1]):
            raise invalid(path, "write something between two places")


def _values(words: Sequence[str], text: str) -> list[str] | None:
    """Return what stands between the words; each word is taken where it comes first, so one pass finds a fit if there is one."""
    first, *between = words
    if not between:
        return [] if text == first else None
    last = between.pop()
    if not (text.startswith(first) and text.endswith(last)):
        return None
    at, end, values = len(first), len(text) - len(last), []
    for word in between:
        found = text.find(word, at + 1)
        if found < 0:
            return None
        values.append(text[at:found])
        at = found + len(word)
    return [*values, text[at:end]] if at < end else None
