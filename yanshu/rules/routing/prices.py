"""Prices: what a carrier takes for a segment of such a message."""

from collections.abc import Sequence
from itertools import product

from yanshu.domain.connectors import Price
from yanshu.domain.money import Money

# Which of operator, country and lane a price names; the nearest first.
_SHAPES = tuple(product((True, False), repeat=3))


class PriceList:
    """The prices of a connector, found by what they are for (budget: 2 µs, however many there are)."""

    def __init__(self, prices: Sequence[Price]) -> None:
        self._prices: dict[tuple[str | None, str | None, str | None], Money] = {
            (price.operator, price.country, price.lane): price.per_segment for price in prices
        }
        given = {tuple(part is not None for part in key) for key in self._prices}
        self._shapes = [shape for shape in _SHAPES if shape in given]

    def find(self, country: str, operator: str, lane: str) -> Money | None:
        """Return the price that says most of such a message: operator before country before lane; None when none fits."""
        for by_operator, by_country, by_lane in self._shapes:
            key = (operator if by_operator else None, country if by_country else None, lane if by_lane else None)
            if (found := self._prices.get(key)) is not None:
                return found
        return None
