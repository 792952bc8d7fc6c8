"""What a table of number ranges covers, and what changes when another takes its place."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from yanshu.rules.contacts.prefixes import LENGTHS, Prefixes, Range

# Mobile numbers begin with 13 to 19: seventy blocks of three digits.
_BLOCKS = tuple(str(block) for block in range(130, 200))
_DIGITS = "0123456789"


class Coverage(Struct, frozen=True):
    """How much a table knows: its date, ranges by operator (``other``: none), and the blocks of three digits without any range."""

    dated_on: date | None
    ranges: int
    operators: dict[str, int]
    blocks_known: int
    blocks_free: tuple[str, ...]


class Difference(Struct, frozen=True):
    """Numbers of `digits` digits that begin with `prefix`: what one table says of them and what the other does."""

    prefix: str
    digits: int
    was: Range | None
    now: Range | None


def coverage_of(prefixes: Prefixes) -> Coverage:
    """Return what a table covers."""
    counted = Counter(str(found.operator or "other") for found in prefixes.ranges.values())
    known = {prefix[:3] for prefix in prefixes.ranges}
    free = tuple(block for block in _BLOCKS if block not in known)
    return Coverage(prefixes.dated_on, len(prefixes), dict(sorted(counted.items())), len(_BLOCKS) - len(free), free)


def in_words(coverage: Coverage) -> str:
    """Return one line for a person."""
    dated = f"as of {coverage.dated_on}" if coverage.dated_on else "without a date (a remark like # as of 2026-11-22 gives it one)"
    operators = ", ".join(f"{name} {count:,}" for name, count in coverage.operators.items())
    free = f"; nobody has {' '.join(coverage.blocks_free)}" if coverage.blocks_free else ""
    return f"{dated}: {coverage.ranges:,} ranges ({operators}) in {coverage.blocks_known} of {len(_BLOCKS)} blocks{free}"


def differences(old: Prefixes, new: Prefixes) -> list[Difference]:
    """Return the numbers of which the tables say different things, by shortest prefix.

    Numbers are compared, not rows: a row that only repeats what a shorter prefix says already makes no difference.
    """
    return [found for digits in LENGTHS for found in _walk(_Sides(old, new, digits), "", (None, None))]


class _Sides:
    """Both tables, as far as they speak of numbers of one length."""

    def __init__(self, old: Prefixes, new: Prefixes, digits: int) -> None:
        self.digits = digits
        self.tables = tuple({p: r for p, r in table.ranges.items() if r.digits == digits} for table in (old, new))
        self.stems = {prefix[:length] for table in self.tables for prefix in table for length in range(len(prefix))}


_Said = tuple[Range | None, Range | None]


def _walk(sides: _Sides, prefix: str, said: _Said) -> Iterator[Difference]:
    """Yield the differences below a prefix; `said` is what shorter prefixes have said on either side."""
    was, now = (table.get(prefix, known) for table, known in zip(sides.tables, said, strict=True))
    if prefix not in sides.stems:
        if was != now:
            yield Difference(prefix, sides.digits, was, now)
        return
    below = [list(_walk(sides, prefix + digit, (was, now))) for digit in _DIGITS]
    whole = [found[0] for found in below if len(found) == 1 and len(found[0].prefix) == len(prefix) + 1]
    kinds = {(found.was, found.now) for found in whole}
    if len(whole) == len(_DIGITS) and len(kinds) == 1:
        yield Difference(prefix, sides.digits, *kinds.pop())
    else:
        for found in below:
            yield from found
