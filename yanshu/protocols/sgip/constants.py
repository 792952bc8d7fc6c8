"""Numbers of SGIP 1.2: commands, login types, results and error codes (protocols.md §5)."""

from enum import IntEnum

HEADER_LENGTH = 20
MAX_LENGTH = 8192
RESPONSE_BIT = 0x80000000


class Command(IntEnum):
    """Command ID; a response has RESPONSE_BIT on top."""

    BIND = 0x00000001
    UNBIND = 0x00000002
    SUBMIT = 0x00000003
    DELIVER = 0x00000004
    REPORT = 0x00000005
    USER_RPT = 0x00000011
    TRACE = 0x00001000
    BIND_RESP = 0x80000001
    UNBIND_RESP = 0x80000002
    SUBMIT_RESP = 0x80000003
    DELIVER_RESP = 0x80000004
    REPORT_RESP = 0x80000005
    USER_RPT_RESP = 0x80000011


class LoginType(IntEnum):
    """Who connects to whom: each side is the client for what it starts."""

    SP_TO_SMG = 1
    SMG_TO_SP = 2
    SMG_TO_SMG = 3
    TEST = 11


class Result(IntEnum):
    """Result of a response. 32 and above are of 1.3; the same numbers mean other things in a report."""

    OK = 0
    BAD_LOGIN = 1
    DOUBLE_LOGIN = 2
    TOO_MANY_CONNECTIONS = 3
    LOGIN_TYPE = 4
    PARAMETER = 5
    NUMBER = 6
    COMMAND = 7
    LENGTH = 8
    SEQUENCE = 9
    GNS_OPERATION = 10
    BUSY = 11
    SERVICE_CODE = 13
    FEE = 14
    LINK_ID = 17
    NOT_SUBSCRIBED = 18
    ONE_NUMBER_ONLY = 19
    BAD_PACKET = 32
    OVER_FLOW_LIMIT = 33
    LOGINS_TOO_FREQUENT = 34


class ReportState(IntEnum):
    """State of a REPORT; 1 is not the last word."""

    DELIVERED = 0
    WAITING = 1
    FAILED = 2


class ReportFlag(IntEnum):
    """When the gateway reports; its own default is 0, and we always want 1."""

    ON_FAILURE = 0
    ALWAYS = 1
    NEVER = 2
    MONTHLY = 3


# What a response calls "slow down": busy, over the flow limit of the second, and 88 of some gateways.
THROTTLED = frozenset({Result.BUSY, Result.OVER_FLOW_LIMIT, 88})
