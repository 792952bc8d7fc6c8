"""How a message ended, in the seven letters that SMPP and CMPP receipts have for it."""

from yanshu.domain.binds import ReceiptOwed
from yanshu.domain.messages import OUTCOME_UNKNOWN, Status
from yanshu.domain.outcomes import OutcomeClass

_STATES: dict[Status, str] = {
    Status.DELIVERED: "DELIVRD",
    Status.UNDELIVERED: "UNDELIV",
    Status.FAILED: "UNDELIV",
    Status.EXPIRED: "EXPIRED",
    Status.REJECTED: "REJECTD",
    Status.CANCELED: "DELETED",
}
# Somebody did not want to pass it on, or not like this.
_REFUSED = (
    OutcomeClass.BLACKLIST,
    OutcomeClass.UNSUBSCRIBED,
    OutcomeClass.CONTENT_BLOCKED,
    OutcomeClass.SIGNATURE,
    OutcomeClass.GATEWAY_BLOCKED,
    OutcomeClass.FREQUENCY,
    OutcomeClass.TIME_WINDOW,
    OutcomeClass.NOT_ORDERED,
    OutcomeClass.PARAM,
)
# Reasons that say more than the status does.
REASONS: dict[str, str] = {
    **{outcome.value: "REJECTD" for outcome in _REFUSED},
    OutcomeClass.EXPIRED.value: "EXPIRED",
    OutcomeClass.UNKNOWN.value: "UNKNOWN",
    OUTCOME_UNKNOWN: "UNKNOWN",
    "no_receipt": "UNKNOWN",
}


def state_of(receipt: ReceiptOwed) -> str:
    """Return the state that a receipt names."""
    if receipt.status is Status.DELIVERED:
        return _STATES[receipt.status]
    return REASONS.get(receipt.reason or "", _STATES[receipt.status])
