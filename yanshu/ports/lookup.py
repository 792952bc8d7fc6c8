"""The seam to registers of number portability: somebody who knows which operator serves a number now."""

from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from yanshu.domain.numbers import Operator


class LookupPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how much a register is asked.

    `ask`: only about numbers that have moved to nobody knows where, or about every mainland number. `wait_ms` is how long a
    message may wait for the answer; 0 leaves the answer to the next message. An answer holds for `ttl_days`. A process asks at
    most `per_second` and `per_day`, with so many questions in `parallel`. After `failures` in a row nothing is asked for
    `pause_seconds`, and then one question decides.
    """

    ask: Literal["moved", "every"] = "moved"
    wait_ms: Annotated[int, Meta(ge=0, le=5000)] = 0
    ttl_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    per_second: Annotated[int, Meta(ge=1, le=1000)] = 10
    per_day: Annotated[int, Meta(ge=1)] = 10_000
    parallel: Annotated[int, Meta(ge=1, le=64)] = 4
    failures: Annotated[int, Meta(ge=1, le=1000)] = 5
    pause_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60


class NumberLookup(Protocol):
    """One register."""

    @property
    def name(self) -> str:
        """What it is called where its answers are shown."""

    async def find(self, number: str) -> Operator | None:
        """Return who serves an E.164 number, None when the register does not know it. Raises `LookupFailed`."""

    async def close(self) -> None:
        """Let go of connections."""
