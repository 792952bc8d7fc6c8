"""Overrides: what a code means here, whatever the shipped table says of it."""

from datetime import datetime

from msgspec import Struct

from yanshu.domain.outcomes import OutcomeClass


class CodeOverride(Struct, frozen=True, kw_only=True):
    """One reading of one code; key (carrier, code).

    `carrier` is a table (``cmcc``, ``smpp_resp``, …) or the id of a connector, whose answers and receipts it then holds for.
    """

    carrier: str
    code: str
    outcome: OutcomeClass
    updated_at: datetime
    note: str | None = None
