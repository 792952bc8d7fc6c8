"""Shapes of money: amounts, and the price table of a connector."""

from typing import Annotated

from msgspec import Meta, Struct

from yanshu.domain.connectors import Price
from yanshu.domain.errors import Invalid
from yanshu.domain.lanes import Lane
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["CNY"])]
Micros = Annotated[int, Meta(ge=0, le=10**12, description="Millionths of the currency's unit; 45000 are 0.045 CNY.")]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["CN"])]


class MoneyIO(Struct, forbid_unknown_fields=True):
    """An amount in whole millionths."""

    currency: Currency
    micros: Micros


class PriceIO(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What the carrier takes for a segment; what is left out fits all, and the price that says most counts."""

    per_segment: MoneyIO
    operator: Operator | None = None
    country: Country | None = None
    lane: Lane | None = None


Prices = Annotated[list[PriceIO], Meta(max_length=1000)]


def show_money(money: Money | None) -> MoneyIO | None:
    """Return the wire form of an amount."""
    return MoneyIO(money.currency, money.micros) if money else None


def show_prices(prices: tuple[Price, ...]) -> list[PriceIO]:
    """Return the wire form of a price table."""
    return [
        PriceIO(per_segment=MoneyIO(p.per_segment.currency, p.per_segment.micros), operator=p.operator, country=p.country, lane=p.lane)
        for p in prices
    ]


def read_prices(given: list[PriceIO]) -> tuple[Price, ...]:
    """Return a price table; two prices for the same, and operators abroad, are refused."""
    prices: list[Price] = []
    seen: set[tuple[Operator | None, str | None, Lane | None]] = set()
    for place, price in enumerate(given):
        key = (price.operator, price.country, price.lane)
        if key in seen:
            raise Invalid("parameter_invalid", param=f"prices[{place}]", fix="give one price for an operator, country and lane")
        if price.operator and price.country not in {None, "CN"}:
            raise Invalid(
                "parameter_invalid", param=f"prices[{place}].country", fix="operators are those of the mainland: give CN, or none"
            )
        seen.add(key)
        amount = Money(price.per_segment.currency, price.per_segment.micros)
        prices.append(Price(per_segment=amount, operator=price.operator, country=price.country, lane=price.lane))
    return tuple(prices)
