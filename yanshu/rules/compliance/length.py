"""Rules of length: there is a text, and it is not longer than carriers take (china-sms.md §4.1: 500 characters)."""

from collections.abc import Iterator, Sequence

from yanshu.rules.compliance.verdicts import Draft, Outcome, Verdict

MAX_SEGMENTS = 10

_EMPTY = Verdict("length.empty", Outcome.REJECT, "text_empty", "text", "write at least one visible character")
_LONG = Verdict("length.long", Outcome.REJECT, "text_too_long", "text", f"at most {MAX_SEGMENTS} segments; shorten it")


def judge_length(drafts: Sequence[Draft]) -> Iterator[tuple[int, Verdict]]:
    """Yield (index, verdict) for drafts that are empty or too long."""
    for index, draft in enumerate(drafts):
        if draft.segments > MAX_SEGMENTS:
            yield index, _LONG
        elif not draft.text or draft.text.isspace():
            yield index, _EMPTY
