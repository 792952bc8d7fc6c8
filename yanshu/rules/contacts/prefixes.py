"""The table of mainland number ranges: which operator a range was given to, and what kind of number it holds.

It is a dated data file. Since numbers move between operators (携号转网) its answer is a guess about who serves a number, and the
truth about who owned the range.
"""

import re
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.rules.contacts.phones import country_of
from yanshu.settings import Settings, SettingsError

# The name of a table that stands in the data directory.
FILE = "prefixes.csv"
LENGTHS = (11, 13)
MAINLAND = "+86"

_HEADING = ["prefix", "operator", "kind", "digits"]
_KINDS = frozenset({"mobile", "virtual", "data", "iot", "satellite"})
_DATE = re.compile(r"\bas of (\d+-\d+-\d+)")
# A table of everything down to the seventh digit has half a million rows; what is larger is no table of ranges.
_MOST_BYTES = 32 << 20
_PROBLEMS_TOLD = 20


class Range(NamedTuple):
    """What a prefix says of numbers with so many digits."""

    operator: Operator | None
    kind: str
    digits: int


class PrefixError(ValueError):
    """A table cannot be read; the message names every line that is wrong and the fix, up to twenty of them."""


class Prefixes:
    """The ranges by prefix; the longest one that fits wins (budget: 1 µs). `dated_on`: when the table was true, if it says so."""

    def __init__(self, ranges: Mapping[str, Range], dated_on: date | None = None) -> None:
        self._ranges = dict(ranges)
        self.ranges: Mapping[str, Range] = MappingProxyType(self._ranges)
        self.dated_on = dated_on
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
    return read_prefixes((resources.files("yanshu.rules.contacts") / FILE).read_text("utf-8"))


def prefix_path(settings: Settings) -> Path:
    """Return where a table of one's own stands: the file that the setting names, else one in the data directory, which may be missing."""
    return Path(settings.prefix_file or Path(settings.data_dir) / FILE)


def open_prefixes(settings: Settings) -> Prefixes:
    """Return the table in force: one's own if there is one, else the shipped one. Raises `SettingsError` with the lines that are wrong."""
    path = prefix_path(settings)
    if not settings.prefix_file and not path.exists():
        return shipped_prefixes()
    try:
        return load_prefixes(path)
    except PrefixError as error:
        named = "YANSHU_PREFIX_FILE: " if settings.prefix_file else ""
        raise SettingsError(f"{named}{path} is no table of number ranges:\n{error}") from error


def load_prefixes(path: Path) -> Prefixes:
    """Read a table from a file. Raises `PrefixError`."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PrefixError(f"a table has at most {_MOST_BYTES >> 20} MiB")
        return read_prefixes(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise PrefixError("it is not UTF-8; save it as CSV UTF-8") from error
    except OSError as error:
        raise PrefixError(f"it cannot be read: {error.strerror}") from error


def read_prefixes(text: str) -> Prefixes:
    """Read a table: fields with commas between, a heading, remarks behind #; a byte order mark does no harm. Raises `PrefixError`.

    A remark that says ``as of 2026-11-22`` dates it.
    """
    ranges: dict[str, Range] = {}
    dated_on: date | None = None
    problems: list[str] = []
    heading: list[str] | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            if line.startswith("#"):
                dated_on = dated_on or _date(line)
            elif heading is None:
                heading = _heading(line)
            else:
                _add(ranges, line)
        except PrefixError as error:
            problems.append(f"line {number}: {error}")
            if heading is None:
                break  # it is something else: to say so of every line would help nobody
    _refuse(problems)
    if not ranges:
        raise PrefixError("the table has no rows")
    return Prefixes(ranges, dated_on)


def _refuse(problems: list[str]) -> None:
    """Raise if there are problems: the first of them, and how many more."""
    if len(problems) > _PROBLEMS_TOLD:
        problems = [*problems[:_PROBLEMS_TOLD], f"and {len(problems) - _PROBLEMS_TOLD:,} more"]
    if problems:
        raise PrefixError("\n".join(problems))


def _date(remark: str) -> date | None:
    """Return the date a remark gives the table, or None when it speaks of something else."""
    match = _DATE.search(remark)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError as error:
        raise PrefixError(f"a date is written like 2026-11-22, not {remark.strip('# ')!r}") from error


def _heading(line: str) -> list[str]:
    cells = _cells(line)
    if cells != _HEADING:
        raise PrefixError(f"the heading is {','.join(_HEADING)}")
    return cells


def _add(ranges: dict[str, Range], line: str) -> None:
    """Read one row."""
    cells = _cells(line)
    if len(cells) != len(_HEADING):
        raise PrefixError(f"{len(_HEADING)} fields are expected, not {len(cells)}")
    prefix, operator, kind, digits = cells
    if not (prefix.isascii() and prefix.isdecimal() and len(prefix) < LENGTHS[0]):
        raise PrefixError(f"a prefix is digits, {LENGTHS[0] - 1} at most, not {prefix[:40]!r}")
    if operator and operator not in list(Operator):
        raise PrefixError(f"operator is {', '.join(Operator)} or empty, not {operator!r}")
    if kind not in _KINDS:
        raise PrefixError(f"kind is one of {', '.join(sorted(_KINDS))}, not {kind!r}")
    if digits not in map(str, LENGTHS):
        raise PrefixError(f"digits is {' or '.join(map(str, LENGTHS))}, not {digits!r}")
    if prefix in ranges:
        raise PrefixError(f"prefix {prefix} stands there twice")
    ranges[prefix] = Range(Operator(operator) if operator else None, kind, int(digits))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]
