"""Lanes: the class of traffic, its priority and its defaults."""

from datetime import timedelta
from enum import StrEnum


class Lane(StrEnum):
    """Class of traffic, most urgent first."""

    OTP = "otp"
    NOTICE = "notice"
    MARKETING = "marketing"


LANE_ORDER: tuple[Lane, ...] = (Lane.OTP, Lane.NOTICE, Lane.MARKETING)

# API.md §3: otp 300 s, notice 4 h. Marketing lives to the end of its sending hours; until hours exist it gets a day.
LANE_LIFETIME: dict[Lane, timedelta] = {
    Lane.OTP: timedelta(seconds=300),
    Lane.NOTICE: timedelta(hours=4),
    Lane.MARKETING: timedelta(hours=24),
}

# API.md §3, deadlines: how long a submitted message waits for its receipt.
RECEIPT_WAIT: dict[Lane, timedelta] = {
    Lane.OTP: timedelta(minutes=10),
    Lane.NOTICE: timedelta(hours=72),
    Lane.MARKETING: timedelta(hours=72),
}

# How often a message may be submitted in all, by lane (china-sms.md §5.4: an OTP is tried elsewhere once, others more).
MAX_ATTEMPTS: dict[Lane, int] = {Lane.OTP: 3, Lane.NOTICE: 4, Lane.MARKETING: 4}

DEFAULT_PRIORITY = 5
