"""Outcome classes: what a carrier's code means, whoever wrote it; everything that follows is decided by class and lane."""

from enum import StrEnum


class OutcomeClass(StrEnum):
    """Our own taxonomy of what became of a submit or a segment (china-sms.md §5)."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"  # on its way; not the last word
    INVALID_NUMBER = "invalid_number"  # nobody has this number
    SUSPENDED = "suspended"  # out of service for now: debt, pause
    OFF_OR_UNREACHABLE = "off_or_unreachable"
    DEAD_OR_OFF = "dead_or_off"  # the operator does not tell which
    HANDSET = "handset"  # full, or no SMS on it
    NO_SMS_SERVICE = "no_sms_service"
    BLACKLIST = "blacklist"
    UNSUBSCRIBED = "unsubscribed"
    CONTENT_BLOCKED = "content_blocked"
    SIGNATURE = "signature"  # not filed, or against its rules
    GATEWAY_BLOCKED = "gateway_blocked"  # blocked, nobody says why
    FREQUENCY = "frequency"
    TIME_WINDOW = "time_window"
    PORTED = "ported"  # the number lives at another operator
    CARRIER_ERROR = "carrier_error"
    EXPIRED = "expired"
    NOT_ORDERED = "not_ordered"  # service code, billing, contract
    PARAM = "param"  # the carrier does not understand a field
    UNKNOWN = "unknown"
