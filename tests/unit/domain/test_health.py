"""What routing sees of health."""

import pytest

from yanshu.domain.health import HEALTHY, Admission, Breaker, Condition, Standing, standing_of
from yanshu.domain.numbers import Operator

LIGHT, PROBE, NONE = Standing(40), Standing(10, Admission.PROBE), Standing(70, Admission.NONE)
WORSE = [
    ({}, HEALTHY),
    ({("a", None): LIGHT}, LIGHT),
    ({("a", Operator.CMCC): LIGHT}, LIGHT),
    ({("a", Operator.CUCC): LIGHT, ("b", None): LIGHT}, HEALTHY),
    ({("a", None): LIGHT, ("a", Operator.CMCC): NONE}, Standing(40, Admission.NONE)),
    ({("a", None): PROBE, ("a", Operator.CMCC): LIGHT}, Standing(10, Admission.PROBE)),
    ({("a", None): PROBE, ("a", Operator.CMCC): NONE}, Standing(10, Admission.NONE)),
]


@pytest.mark.parametrize(("standings", "counts"), WORSE)
def test_the_worse_of_connector_and_pair_counts(standings: dict[tuple[str, Operator | None], Standing], counts: Standing) -> None:
    assert standing_of(standings, "a", Operator.CMCC) == counts


def test_a_number_of_no_operator_sees_the_connector_alone() -> None:
    assert standing_of({("a", None): LIGHT, ("a", Operator.CMCC): NONE}, "a", None) == LIGHT


@pytest.mark.parametrize(
    ("breaker", "admits"), [(Breaker.CLOSED, Admission.ALL), (Breaker.OPEN, Admission.NONE), (Breaker.HALF_OPEN, Admission.NONE)]
)
def test_leave_for_a_probe_is_not_in_the_condition(breaker: Breaker, admits: Admission) -> None:
    assert Condition(connector_id="a", weight_percent=30, breaker=breaker).standing == Standing(30, admits)
