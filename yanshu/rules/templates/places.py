"""Texts with `${name}` places: compiled once, filled per recipient.

A place is ``${`` + a name of letters, digits, ``_`` (any script, at most 40 characters) + ``}``. A lone ``$`` is a ``$``.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from yanshu.domain.errors import Invalid

_PLACE = re.compile(r"\$\{([^\W\d]\w{0,39})\}")
_OPEN = re.compile(r"\$\{")
_MAX_VALUE = 500


class Places:
    """A compiled text. `names` are the places it needs."""

    __slots__ = ("_fixed", "_order", "names")

    def __init__(self, text: str) -> None:
        """Compile `text`; a ``${`` that is no well-formed place is refused with `parameter_invalid`."""
        split = _PLACE.split(text)
        self._fixed = split[0::2]
        self._order = split[1::2]
        self.names = frozenset(self._order)
        if any(_OPEN.search(fixed) for fixed in self._fixed):
            raise Invalid("parameter_invalid", param="text", fix="write a place as ${name}: letters, digits and _, at most 40")

    @classmethod
    def literal(cls, text: str) -> "Places":
        """Return a text that has no places, whatever it looks like."""
        places = cls("")
        places._fixed = [text]
        return places

    def fill(self, params: Mapping[str, str] | None) -> str:
        """Return the text with its places filled; every place needs a value and every value a place."""
        if not self._order and not params:
            return self._fixed[0]
        values = params or {}
        if values.keys() != self.names:
            _refuse(self.names, values)
        parts = [self._fixed[0]]
        for name, fixed in zip(self._order, self._fixed[1:], strict=True):
            value = values[name]
            if len(value) > _MAX_VALUE:
                raise Invalid("template_param_invalid", param=f"params.{name}", name=name, fix=f"at most {_MAX_VALUE} characters")
            parts.append(value)
            parts.append(fixed)
        return "".join(parts)


def _refuse(names: frozenset[str], values: Mapping[str, str]) -> None:
    """Say which value is missing, or which has no place."""
    missing = sorted(names - values.keys())
    if missing:
        raise Invalid("template_param_missing", param=f"params.{missing[0]}", name=missing[0])
    unused = sorted(values.keys() - names)
    raise Invalid("template_param_unused", param=f"params.{unused[0]}", name=unused[0])


@lru_cache(maxsize=1024)
def compile_text(text: str) -> Places:
    """Return the compiled text; the last 1,024 different texts are kept."""
    return Places(text)


def signature_of(text: str) -> str:
    """Return what stands in 【】 at the start of a text, or ""."""
    return text[1 : max(text.find("】"), 1)] if text.startswith("【") else ""


def with_signature(signature: str | None, text: str) -> str:
    """Put 【signature】 in front unless the text begins with it already."""
    if not signature:
        return text
    mark = f"【{signature}】"
    return text if text.startswith(mark) else mark + text
