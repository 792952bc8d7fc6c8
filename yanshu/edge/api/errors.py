"""Errors on the wire: one table from error to HTTP, in the caller's language."""

from typing import Any

import msgspec

from yanshu.domain.errors import CallerError, Overloaded, StoreBusy, YanshuError
from yanshu.edge.api.catalogue import CATALOGUE, message_of
from yanshu.edge.api.chinese import in_chinese


def refusal_of(error: BaseException) -> CallerError:
    """Return the refusal an error means to the caller; what nobody expected is `internal`."""
    if isinstance(error, CallerError):
        return error
    if isinstance(error, StoreBusy):
        return Overloaded("overloaded", retry_after=1)
    return CallerError("internal")


def is_expected(error: BaseException) -> bool:
    """Whether the error is one we raise on purpose."""
    return isinstance(error, (CallerError, StoreBusy)) and isinstance(error, YanshuError)


def status_of(refusal: CallerError) -> int:
    """Return the HTTP status of a refusal."""
    return CATALOGUE[refusal.code].status


def body_of(refusal: CallerError, request_id: str, language: str, docs_url: str) -> bytes:
    """Return the error object of API.md §1."""
    values: dict[str, object] = {"param": refusal.param or "", **_told(refusal.values, language)}
    error: dict[str, Any] = {
        "type": CATALOGUE[refusal.code].type,
        "code": refusal.code,
        "message": message_of(refusal.code, language, values),
        "param": refusal.param,
        "details": [_told(detail, language) for detail in refusal.details],
        "retryable": refusal.retryable or refusal.retry_after is not None,
        "request_id": request_id,
        "doc_url": f"{docs_url}#{refusal.code}",
    }
    return msgspec.json.encode({"error": error})


def _told(values: dict[str, Any], language: str) -> dict[str, Any]:
    """Return values of a message with the fix in the caller's language."""
    if language.startswith("zh") and isinstance(fix := values.get("fix"), str):
        return {**values, "fix": in_chinese(fix)}
    return values
