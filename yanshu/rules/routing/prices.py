"""Prices: what a carrier takes for a segment of such a message."""

from collections.abc import Sequence

from yanshu.domain.connectors import Price
from yanshu.domain.money import Money


def price_of(prices: Sequence[Price], country: str, operator: str, lane: str) -> Money | None:
    """Return the price that says most of such a message: operator before country before lane; None when none fits."""
    fitting = [
        price for price in prices if price.operator in {None, operator} and price.country in {None, country} and price.lane in {None, lane}
    ]
    return max(fitting, key=_nearness).per_segment if fitting else None


def _nearness(price: Price) -> tuple[bool, bool, bool]:
    return price.operator is not None, price.country is not None, price.lane is not None
