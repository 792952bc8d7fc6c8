"""Stems: as much of a number as decides, so that numbers nothing tells apart are looked at once."""

from collections.abc import Iterable

_HEAD = 6  # "+86138": nearly every range of the mainland is decided by then


class Stems:
    """Cuts numbers short: two numbers of the same stem begin with the same ones of `beginnings` (budget: 0.2 µs).

    `more` are stems whose beginnings count too: a table of ranges may be long, and is gone through once.
    """

    def __init__(self, beginnings: Iterable[str], more: "Stems | None" = None) -> None:
        self._short: int = more._short if more else 0
        self._lengths: dict[str, int] = dict(more._lengths) if more else {}
        for beginning in beginnings:
            length = len(beginning)
            if length < _HEAD:
                self._short = max(self._short, length)
            else:
                head = beginning[:_HEAD]
                self._lengths[head] = max(self._lengths.get(head, 0), length)

    def of(self, number: str) -> str:
        """Return the stem of an E.164 number."""
        return number[: self._lengths.get(number[:_HEAD], self._short)]
