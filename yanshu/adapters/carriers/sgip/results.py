"""What SGIP's numbers mean for a message, one comment a row: results of SUBMIT_RESP, and error codes of REPORT (protocols.md §5.4)."""

from collections.abc import Mapping

from yanshu.domain.submissions import AnswerResult, ReceiptState
from yanshu.protocols.sgip.constants import THROTTLED, ReportState, Result

_REFUSED, _BUSY = AnswerResult.REFUSED, AnswerResult.BUSY

RESULTS: dict[int, AnswerResult] = {
    Result.OK: AnswerResult.ACCEPTED,  # the gateway took it
    Result.BAD_LOGIN: _BUSY,  # it has forgotten our login; another connection may do
    Result.DOUBLE_LOGIN: _BUSY,  # the same
    Result.TOO_MANY_CONNECTIONS: _BUSY,  # the same
    Result.LOGIN_TYPE: _REFUSED,  # this login may not submit
    Result.PARAMETER: _REFUSED,  # a field it cannot read
    Result.NUMBER: _REFUSED,  # recipient is no number it knows: often one without 86
    Result.COMMAND: _REFUSED,  # SUBMIT is not for this account
    Result.LENGTH: _REFUSED,  # a length it does not expect
    Result.SEQUENCE: _BUSY,  # a sequence it saw before: the next try has another
    Result.GNS_OPERATION: _BUSY,  # its name service failed
    Result.SERVICE_CODE: _REFUSED,  # service_type against the contract
    Result.FEE: _REFUSED,  # fee_type or fee_value against the contract
    Result.LINK_ID: _REFUSED,  # an answer to a text that it does not know of
    Result.NOT_SUBSCRIBED: _REFUSED,  # the recipient has not ordered this service
    Result.ONE_NUMBER_ONLY: _REFUSED,  # more than one number a submit; we never do that
    Result.BAD_PACKET: _REFUSED,  # it cannot read our PDU; it will not read it next time either
    Result.LOGINS_TOO_FREQUENT: _BUSY,  # it takes nothing until we have been quiet
    **dict.fromkeys(THROTTLED, AnswerResult.THROTTLED),  # busy, or faster than agreed
}
# How long the link pauses after one of those: the limit is counted by the second.
PAUSE_SECONDS = 1.0

# The states of a report in the words that receipts have elsewhere.
STATES: dict[int, str] = {
    ReportState.DELIVERED: "DELIVRD",
    ReportState.WAITING: "ENROUTE",
    ReportState.FAILED: "UNDELIV",
}
FAILURES: dict[int, ReceiptState] = {
    1: ReceiptState.UNDELIVERABLE,  # in the operator's lists: no such number; so are 8 and 12
    8: ReceiptState.UNDELIVERABLE,
    12: ReceiptState.UNDELIVERABLE,
    5: ReceiptState.UNDELIVERABLE,  # in the operator's lists: suspended; so are 11 and 13
    11: ReceiptState.UNDELIVERABLE,
    13: ReceiptState.UNDELIVERABLE,
    21: ReceiptState.UNDELIVERABLE,  # unreachable
    22: ReceiptState.UNDELIVERABLE,  # routing error
    23: ReceiptState.UNDELIVERABLE,  # no route
    24: ReceiptState.REJECTED,  # charged number invalid
    25: ReceiptState.EXPIRED,  # recipient out of reach until the end
    26: ReceiptState.EXPIRED,  # memory full until the end
    27: ReceiptState.UNDELIVERABLE,  # handset takes no texts
    28: ReceiptState.UNDELIVERABLE,  # handset error
    29: ReceiptState.UNDELIVERABLE,  # unknown subscriber
    30: ReceiptState.UNDELIVERABLE,  # service not offered
    31: ReceiptState.UNDELIVERABLE,  # illegal device
    32: ReceiptState.UNDELIVERABLE,  # system failure
    33: ReceiptState.UNDELIVERABLE,  # queue of the SMSC full; in an answer the same number is a throttle
}
# 1.3: what the billing platform says begins here.
_BILLING = 100


def result_of(result: int, overrides: Mapping[int, AnswerResult]) -> AnswerResult:
    """Return what a result means; the gateway's own ones and unknown ones are worth another try."""
    return overrides.get(result) or RESULTS.get(result, _BUSY)


def state_of(state: int, error: int) -> ReceiptState:
    """Return what a report means. State 2 covers every failure; a state nobody knows is no last word."""
    if state == ReportState.DELIVERED:
        return ReceiptState.DELIVERED
    if state != ReportState.FAILED:
        return ReceiptState.ACCEPTED
    return ReceiptState.REJECTED if error >= _BILLING else FAILURES.get(error, ReceiptState.UNKNOWN)
