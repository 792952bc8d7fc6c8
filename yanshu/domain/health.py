"""Health: how well a connector does of late, as ranking sees it."""

from enum import StrEnum

from msgspec import Struct

FULL_POINTS = 100


class Breaker(StrEnum):
    """Circuit breaker of one connector (and operator): open sends nothing, half-open sends probes."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Health(Struct, frozen=True):
    """`points` (0 to 100) multiply a connector's resting weight; `because` is a code for a person, empty when nothing is wrong."""

    points: int = FULL_POINTS
    breaker: Breaker = Breaker.CLOSED
    because: str = ""


WELL = Health()

HealthMap = dict[tuple[str, str], Health]
"""(connector id, operator or "" for the connector as a whole) → health; what is missing is well."""
