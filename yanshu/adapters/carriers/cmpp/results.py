"""What each result of SUBMIT_RESP means for a message: a table with one comment a row (protocols.md §4.6)."""

from collections.abc import Mapping

from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.cmpp.constants import Result

_REFUSED, _BUSY = AnswerResult.REFUSED, AnswerResult.BUSY

RESULTS: dict[int, AnswerResult] = {
    Result.OK: AnswerResult.ACCEPTED,  # the gateway took it
    Result.STRUCTURE: _REFUSED,  # it cannot read our PDU; it will not read it next time either
    Result.COMMAND: _REFUSED,  # SUBMIT is not for this account
    Result.DUPLICATE_SEQUENCE: _BUSY,  # a number it saw before: the next try has another
    Result.LENGTH: _REFUSED,  # a length it does not expect
    Result.FEE_CODE: _REFUSED,  # fee_code against the contract
    Result.TOO_LONG: _REFUSED,  # the text is longer than it takes
    Result.SERVICE_ID: _REFUSED,  # service_id against the contract
    Result.FLOW_CONTROL: AnswerResult.THROTTLED,  # faster than agreed
    Result.NOT_SERVED_HERE: _BUSY,  # 2.0: other errors; 3.0: it does not serve the number: another connector may
    Result.SRC_ID: _REFUSED,  # sender not ours or not allowed
    Result.MSG_SRC: _REFUSED,  # sp_id wrong
    Result.FEE_TERMINAL_ID: _REFUSED,  # charged number wrong
    Result.DEST_TERMINAL_ID: _REFUSED,  # recipient is no number it can reach
}

# How long the link pauses after flow control.
PAUSE_SECONDS = 1.0


def result_of(result: int, overrides: Mapping[int, AnswerResult]) -> AnswerResult:
    """Return what a result means; the gateway's own ones and unknown ones are worth another try."""
    return overrides.get(result) or RESULTS.get(result, _BUSY)
