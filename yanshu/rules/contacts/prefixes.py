"""The table of mainland number ranges: which operator a range was given to, and what kind of number it holds.

It is a dated data file. Since numbers move between operators (携号转网) its answer is a guess about who serves a number, and the
truth about who owned the range.
"""

from importlib import resources
from typing import NamedTuple

from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.rules.contacts.phones import country_of

_HEADING = ["prefix", "operator", "kind", "digits"]
_KINDS = frozenset({"mobile", "virtual", "data", "iot", "satellite"})
MAINLAND = "+86"


class Range(NamedTuple):
    """What a prefix says of numbers with so many digits."""

    operator: Operator | None
    kind: str
    digits: int


class PrefixError(ValueError):
    """A table cannot be read; the message names the line and the fix."""


class Prefixes:
    """The ranges by prefix; the longest one that fits wins (budget: 1 µs)."""

    def __init__(self, ranges: dict[str, Range]) -> None:
        self._ranges = dict(ranges)
        self._lengths = tuple(sorted({len(prefix) for prefix in ranges}, reverse=True))

    def __len__(self) -> int:
        return len(self._ranges)

    @property
    def beginnings(self) -> list[str]:
        """The ranges as beginnings of E.164 numbers: two numbers of one length that begin with the same ones have the same operator."""
        return [MAINLAND + prefix for prefix in self._ranges]

    def find(self, digits: str) -> Range | None:
        """Return the range of a national number (``13800138000``), or None when nobody was given it."""
        for length in self._lengths:
            found = self._ranges.get(digits[:length])
            if found is not None and found.digits == len(digits):
                return found
        return None

    def operator_of(self, number: str) -> Operator | None:
        """Return who owns the range of an E.164 number; None abroad and when nobody knows."""
        found = self._find(number)
        return found.operator if found else None

    def facts_of(self, number: str) -> NumberFacts:
        """Return what the table knows of an E.164 number; abroad that is its country alone."""
        found = self._find(number)
        operator = found.operator if found else None
        return NumberFacts(
            number=number,
            country=country_of(number),
            operator=operator,
            original_operator=operator,
            kind=found.kind if found else "unknown",
        )

    def _find(self, number: str) -> Range | None:
        return self.find(number[len(MAINLAND) :]) if number.startswith(MAINLAND) else None


def shipped_prefixes() -> Prefixes:
    """Return the table that comes with this version."""
    return read_prefixes((resources.files("yanshu.rules.contacts") / "prefixes.csv").read_text("utf-8"))


def read_prefixes(text: str) -> Prefixes:
    """Read a table: fields with commas between, a heading, remarks behind #; a byte order mark does no harm. Raises `PrefixError`."""
    ranges: dict[str, Range] = {}
    heading: list[str] | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if heading is None:
            heading = cells
            if heading != _HEADING:
                raise PrefixError(f"line {number}: the heading is {','.join(_HEADING)}")
            continue
        prefix, found = _range(number, cells)
        if prefix in ranges:
            raise PrefixError(f"line {number}: prefix {prefix} stands there twice")
        ranges[prefix] = found
    if not ranges:
        raise PrefixError("the table has no rows")
    return Prefixes(ranges)


def _range(number: int, cells: list[str]) -> tuple[str, Range]:
    """Read one row."""
    if len(cells) != len(_HEADING):
        raise PrefixError(f"line {number}: {len(_HEADING)} fields are expected, not {len(cells)}")
    prefix, operator, kind, digits = cells
    if not (prefix.isascii() and prefix.isdecimal() and len(prefix) < 12):
        raise PrefixError(f"line {number}: a prefix is digits, not {prefix!r}")
    if operator and operator not in list(Operator):
        raise PrefixError(f"line {number}: operator is {', '.join(Operator)} or empty, not {operator!r}")
    if kind not in _KINDS:
        raise PrefixError(f"line {number}: kind is one of {', '.join(sorted(_KINDS))}, not {kind!r}")
    if digits not in {"11", "13"}:
        raise PrefixError(f"line {number}: digits is 11 or 13, not {digits!r}")
    return prefix, Range(Operator(operator) if operator else None, kind, int(digits))
