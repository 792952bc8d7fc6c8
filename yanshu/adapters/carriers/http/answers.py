"""What a carrier's answer to a request means, in our words. Whatever comes is read; nothing is an error."""

from collections.abc import Mapping

from msgspec import Struct

from yanshu.adapters.carriers.arrivals import LONGEST_CODE, LONGEST_ID, kept
from yanshu.adapters.carriers.http.bodies import read_form, read_json
from yanshu.adapters.carriers.http.definition import AnswerMapping
from yanshu.adapters.carriers.http.places import at, number_of, pick
from yanshu.domain.submissions import AnswerResult

_STATUS = "http.status"
_ACCEPTED = "accepted"
_MOST_SEGMENTS = 255  # a long text has one octet for their number (3GPP TS 23.040 §9.2.3.24.1)

# What a status line alone says (RFC 9110 §15); any other 4xx is about the message. What fails behind a gateway may have been taken
# before: after any 5xx nobody knows, and only a person may risk a duplicate.
_STATUSES: dict[int, str] = {
    401: "blocked",  # not with these credentials
    402: "busy",  # no money left: another connector may do
    403: "busy",  # this address or account may not
    404: "busy",  # nothing is there: the connector is at fault, not the message
    405: "busy",  # the same
    407: "blocked",  # a proxy of ours wants credentials
    408: "unanswered",  # the carrier gave up waiting: for what, it does not say
    425: "busy",  # too early, and not taken
    429: "throttled",  # too fast
}


class Reply(Struct, frozen=True):
    """What came back; `retry_after` in seconds where the carrier names a time to wait."""

    status: int
    body: bytes
    retry_after: float | None = None


class Outcome(Struct, frozen=True):
    """How one segment ended; `code` is the carrier's own, ``http_502`` when it gave none, None when nothing came back."""

    result: AnswerResult
    carrier_message_id: str | None
    code: str | None
    is_blocked: bool = False


def read_answer(mapping: AnswerMapping, reply: Reply) -> list[Outcome]:
    """Return what an answer means: one outcome, or one a segment where the carrier reports on each.

    A code that a row of the definition knows decides, else the status line does.
    """
    document = _document(mapping.kind, reply.body)
    rows = at(document, mapping.rows) if mapping.rows else None
    parts = [row for row in rows if isinstance(row, dict)][:_MOST_SEGMENTS] if isinstance(rows, list) else []
    if parts:
        return [_read(mapping, reply, row, 1) for row in parts]
    first = _read(mapping, reply, document, 1)
    if not mapping.segments or first.result is not AnswerResult.ACCEPTED:
        return [first]
    count = min(max(number_of(mapping.segments, document), 1), _MOST_SEGMENTS)
    return [first, *(_read(mapping, reply, document, segment) for segment in range(2, count + 1))]


def _read(mapping: AnswerMapping, reply: Reply, row: Mapping[str, object], segment: int) -> Outcome:
    row = {**row, _STATUS: str(reply.status), "segment": str(segment)}
    code = next(filter(None, (pick(text, row) for text in mapping.code)), "")
    verdict = _verdict(mapping, reply, code)
    ident = next(filter(None, (pick(text, row) for text in mapping.id)), "")
    is_ours = verdict == _ACCEPTED and ident and len(ident) <= LONGEST_ID
    return Outcome(
        AnswerResult.BUSY if verdict == "blocked" else AnswerResult(verdict),
        kept(ident) if is_ours else None,
        kept(code)[:LONGEST_CODE] or f"http_{reply.status}",
        is_blocked=verdict == "blocked",
    )


def _verdict(mapping: AnswerMapping, reply: Reply, code: str) -> str:
    """A code without a row in a 2xx answer is one that the definition has not heard of; no code at all proves nothing."""
    is_good = 200 <= reply.status < 300
    if code in mapping.accepted:
        return _ACCEPTED if is_good else _by_status(reply)
    found = _row(mapping.results, code) if code else None
    if found is not None:
        return found
    return mapping.unknown if is_good and code else _by_status(reply)


def _row(table: Mapping[str, str], code: str) -> str | None:
    """Return the row of a code; of the rows that end in ``*``, the longest that fits."""
    if code in table:
        return table[code]
    fitting = [row for row in table if row.endswith("*") and code.startswith(row[:-1])]
    return table[max(fitting, key=len)] if fitting else None


def _by_status(reply: Reply) -> str:
    """A 503 that names a time was refused on purpose; one that does not may be a gateway's, after the carrier took the message."""
    if reply.status == 503 and reply.retry_after is not None:
        return "throttled"
    if 300 <= reply.status < 400:
        return "busy"  # redirects are not followed: the connector leads to the wrong place
    return _STATUSES.get(reply.status) or ("refused" if 400 <= reply.status < 500 else "unanswered")


def _document(kind: str, body: bytes) -> dict[str, object]:
    document = dict(read_form(body)) if kind == "form" else read_json(body)
    return document if isinstance(document, dict) else {}
