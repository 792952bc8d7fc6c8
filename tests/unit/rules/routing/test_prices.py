"""The price that says most of a message counts."""

import pytest

from yanshu.domain.connectors import Price
from yanshu.domain.lanes import Lane
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.prices import PriceList


def price(micros: int, **fields: object) -> Price:
    return Price(per_segment=Money("CNY", micros), **fields)  # type: ignore[arg-type]


TABLE = (
    price(1),
    price(2, lane=Lane.OTP),
    price(3, country="CN"),
    price(4, country="CN", lane=Lane.OTP),
    price(5, operator=Operator.CMCC),
    price(6, operator=Operator.CMCC, lane=Lane.OTP),
    price(7, operator=Operator.CUCC, country="CN"),
)
CASES = [
    ("anything", TABLE, ("HK", "", "notice"), 1),
    ("a lane", TABLE, ("HK", "", "otp"), 2),
    ("a country before a lane", (price(2, lane=Lane.OTP), price(3, country="CN")), ("CN", "", "otp"), 3),
    ("a country and a lane", TABLE, ("CN", "", "otp"), 4),
    ("an operator before a country and a lane", (TABLE[3], TABLE[4]), ("CN", "cmcc", "otp"), 5),
    ("an operator and a lane", TABLE, ("CN", "cmcc", "otp"), 6),
    ("an operator and its country", TABLE, ("CN", "cucc", "otp"), 7),
    ("another operator", TABLE, ("CN", "ctcc", "marketing"), 3),
    ("none fits", (TABLE[4],), ("CN", "cucc", "otp"), None),
    ("an operator that nobody knows", (TABLE[4],), ("CN", "", "otp"), None),
    ("no table", (), ("CN", "cmcc", "otp"), None),
]


@pytest.mark.parametrize(("table", "asked", "micros"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_price_that_says_most_counts(table: tuple[Price, ...], asked: tuple[str, str, str], micros: int | None) -> None:
    for given in (table, table[::-1]):
        found = PriceList(given).find(*asked)
        assert (found.micros if found else None) == micros
