"""Errors: every code has a status, a type and a sentence in both languages, and nothing of ours leaks."""

import ast
import json
import string

import pytest

from tests.architecture.tree import parsed, sources
from yanshu.domain.errors import Invalid, Missing, StoreBusy, StoreConflict
from yanshu.edge.api.catalogue import CATALOGUE, message_of
from yanshu.edge.api.errors import body_of, refusal_of, status_of

_LEAVES = {
    "CallerError", "InvalidRequest", "Unauthenticated", "Forbidden", "Conflict", "TooLarge", "Invalid", "PolicyRefused", "RecipientRefused",
    "RateLimited", "Overloaded",
}  # fmt: skip


def raised_codes() -> set[str]:
    """Every code that some file of ours writes out in a refusal."""
    calls = (node for path in sources("yanshu") for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))
    named = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in _LEAVES and call.args)
    return {str(call.args[0].value) for call in named if isinstance(call.args[0], ast.Constant)}


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    assert raised_codes() - CATALOGUE.keys() == set()


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_reads_in_both_languages_even_without_values(code: str) -> None:
    for language in ("en", "zh"):
        assert message_of(code, language, {})
    english, chinese = (
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (CATALOGUE[code].en, CATALOGUE[code].zh)
    )
    assert chinese <= english


def test_the_body_has_the_shape_of_the_reference() -> None:
    refusal = Invalid("phone_invalid", param="to", fix="11 digits")
    error = json.loads(body_of(refusal, "req_1", "zh", "https://x/docs/errors"))["error"]
    assert list(error) == ["type", "code", "message", "param", "details", "retryable", "request_id", "doc_url"]
    assert (error["type"], error["code"], error["param"], error["request_id"]) == ("validation_error", "phone_invalid", "to", "req_1")
    assert "电话" in error["message"]
    assert error["doc_url"].endswith("#phone_invalid")


@pytest.mark.parametrize(
    ("error", "status"),
    [(Missing("message", "msg_1"), 404), (StoreBusy("locked"), 503), (StoreConflict("key"), 500), (RuntimeError("secret"), 500)],
)
def test_what_an_error_becomes(error: Exception, status: int) -> None:
    refusal = refusal_of(error)
    assert status_of(refusal) == status
    assert "secret" not in body_of(refusal, "req_1", "en", "").decode()


def test_braces_in_what_a_caller_sent_are_just_text() -> None:
    assert "{x}" in message_of("unknown_parameter", "en", {"param": "{x}", "fix": ""})
