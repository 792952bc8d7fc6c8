"""Shapes of receipt codes."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yanshu.domain.codes import CodeOverride
from yanshu.domain.lanes import Lane
from yanshu.domain.outcomes import TOLD, OutcomeClass, Owner
from yanshu.domain.retries import Retry, RetryWay, retry_of
from yanshu.rules.routing.codes import ANY, LONGEST, Finding, Grounds

Carrier = Annotated[str, Meta(min_length=1, max_length=64, description="A table of codes, or the id of a connector.")]
Code = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
Note = Annotated[str, Meta(max_length=200, description="Why it is read so here.")]


class CodeQuery(Struct, forbid_unknown_fields=True):
    """Whose code it is: numbers mean nothing without their carrier."""

    carrier: Carrier = ANY


class OverridesQuery(Struct, forbid_unknown_fields=True):
    """Of which carrier; of all without."""

    carrier: Carrier | None = None


class RetryOut(Struct):
    """Whether and how it may be tried again; `too_old_after_seconds` is the age of the message beyond which it is too late."""

    way: RetryWay
    tries: int
    delays_seconds: list[int]
    too_old_after_seconds: int | None


class ReceiptCodeOut(Struct, kw_only=True):
    """What a code means, how that is known, who must act (null: nobody), and what makes sense then, by lane."""

    code: str
    object: Literal["receipt_code"] = "receipt_code"
    carrier: str
    outcome: OutcomeClass = field(name="class")
    grounds: Grounds
    owner: Owner | None
    advice: str
    retry: dict[Lane, RetryOut]


class OverrideIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a code means here."""

    outcome: OutcomeClass = field(name="class")
    note: Note | None = None


class OverrideRowIn(OverrideIn, forbid_unknown_fields=True, kw_only=True):
    """What a code of a carrier means here."""

    carrier: Carrier
    code: Code


class OverridesIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """All overrides there shall be."""

    overrides: Annotated[list[OverrideRowIn], Meta(max_length=2000)]
    dry_run: bool = False


class OverrideOut(Struct, kw_only=True):
    """What a code of a carrier means here, whatever the shipped table says."""

    object: Literal["receipt_code_override"] = "receipt_code_override"
    carrier: str
    code: str
    outcome: OutcomeClass = field(name="class")
    note: str | None
    updated_at: datetime


class OverridesOut(Struct, kw_only=True):
    """All overrides, or those of a carrier, by carrier and code."""

    object: Literal["list"] = "list"
    data: list[OverrideOut]


class DifferenceOut(Struct):
    """A code that is read otherwise afterwards."""

    carrier: str
    code: str
    was: OutcomeClass
    now: OutcomeClass


class ReplacedOut(Struct, kw_only=True):
    """What became of the overrides, or would become of them; `differences` are the codes that are read otherwise then."""

    object: Literal["receipt_code_overrides"] = "receipt_code_overrides"
    dry_run: bool
    overrides: int
    differences: list[DifferenceOut]


def show_override(override: CodeOverride) -> OverrideOut:
    """Return an override as the API shows it."""
    return OverrideOut(
        carrier=override.carrier, code=override.code, outcome=override.outcome, note=override.note, updated_at=override.updated_at
    )


def show_code(code: str, carrier: str, finding: Finding, language: str) -> ReceiptCodeOut:
    """Return a code as the API shows it."""
    told = TOLD[finding.outcome]
    return ReceiptCodeOut(
        code=code,
        carrier=carrier,
        outcome=finding.outcome,
        grounds=finding.grounds,
        owner=told.owner,
        advice=told.in_language(language),
        retry={lane: _show_retry(retry_of(finding.outcome, lane)) for lane in Lane},
    )


def _show_retry(retry: Retry) -> RetryOut:
    limit = retry.too_old_after
    delays = [int(delay.total_seconds()) for delay in retry.delays]
    return RetryOut(retry.way, retry.tries, delays, int(limit.total_seconds()) if limit else None)
