"""How a message ended, in the seven letters that SMPP and CMPP receipts have for it."""

from yanshu.domain.binds import ReceiptOwed
from yanshu.domain.messages import Status

# Reasons that say more than the status does.
_REASONS: dict[str, str] = {
    "carrier_expired": "EXPIRED",
    "carrier_rejected": "REJECTD",
    "connector_refused": "REJECTD",
    "carrier_unknown": "UNKNOWN",
    "outcome_unknown": "UNKNOWN",
    "no_receipt": "UNKNOWN",
}
_STATES: dict[Status, str] = {
    Status.DELIVERED: "DELIVRD",
    Status.UNDELIVERED: "UNDELIV",
    Status.FAILED: "UNDELIV",
    Status.EXPIRED: "EXPIRED",
    Status.REJECTED: "REJECTD",
    Status.CANCELED: "DELETED",
}


def state_of(receipt: ReceiptOwed) -> str:
    """Return the state that a receipt names."""
    if receipt.status is Status.DELIVERED:
        return _STATES[receipt.status]
    return _REASONS.get(receipt.reason or "", _STATES[receipt.status])
