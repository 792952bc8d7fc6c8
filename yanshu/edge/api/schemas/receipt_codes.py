"""Shapes of receipt codes."""

from typing import Literal

from msgspec import Struct, field

from yanshu.domain.lanes import Lane
from yanshu.domain.outcomes import TOLD, OutcomeClass, Owner
from yanshu.domain.retries import Retry, RetryWay, retry_of
from yanshu.rules.routing.codes import Finding, Grounds


class CodeQuery(Struct, forbid_unknown_fields=True):
    """Whose code it is: numbers mean nothing without their carrier."""

    carrier: Literal["any", "cmcc", "cucc", "ctcc", "cmpp_resp", "sgip_report", "sgip_resp", "smgp_resp", "smpp_resp", "volcengine"] = "any"


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
