"""Money: whole millionths of a currency unit, so that no amount is ever rounded."""

from decimal import Decimal

from msgspec import Struct

UNIT = 1_000_000


class Money(Struct, frozen=True):
    """An amount: `micros` millionths of one unit of `currency` (ISO 4217); 45,000 CNY micros are 4.5 fen."""

    currency: str
    micros: int

    def times(self, count: int) -> "Money":
        """Return `count` of it."""
        return Money(self.currency, self.micros * count)

    def __str__(self) -> str:
        """As people write it: ``0.045 CNY``."""
        return f"{(Decimal(self.micros) / UNIT).normalize():f} {self.currency}"
