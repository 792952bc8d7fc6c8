"""Numbers of SMGP 3.0: commands, tags, statuses (protocols.md §6)."""

from enum import IntEnum

HEADER_LENGTH = 12
MAX_LENGTH = 8192
MAX_SEQUENCE = 0xFFFFFFFF
RESPONSE_BIT = 0x80000000
DEFAULT_WINDOW = 16
VERSION = 0x30
MESSAGE_ID_SIZE = 10


class Command(IntEnum):
    """RequestID; a response has RESPONSE_BIT on top."""

    LOGIN = 0x00000001
    SUBMIT = 0x00000002
    DELIVER = 0x00000003
    ACTIVE_TEST = 0x00000004
    EXIT = 0x00000006
    QUERY = 0x00000007
    LOGIN_RESP = 0x80000001
    SUBMIT_RESP = 0x80000002
    DELIVER_RESP = 0x80000003
    ACTIVE_TEST_RESP = 0x80000004
    EXIT_RESP = 0x80000006
    QUERY_RESP = 0x80000007


class LoginMode(IntEnum):
    """What a session is for."""

    SEND = 0
    RECEIVE = 1
    BOTH = 2


class Tag(IntEnum):
    """Optional parameters that we write or read; the fixed part has no TP_udhi, so a long text needs the tag."""

    TP_PID = 1
    TP_UDHI = 2
    LINK_ID = 3
    PK_TOTAL = 9
    PK_NUMBER = 10
    MSG_SRC = 16
    M_SERVICE_ID = 18


# Octets of the parameters that are padded when written; whatever length comes in is read.
TAG_SIZES: dict[int, int] = {Tag.LINK_ID: 20, Tag.MSG_SRC: 8, Tag.M_SERVICE_ID: 21}


class Status(IntEnum):
    """Status of a response; 128 to 255 are the carrier's own."""

    OK = 0
    BUSY = 1
    TOO_MANY_CONNECTIONS = 2
    STRUCTURE = 10
    COMMAND = 11
    DUPLICATE_SEQUENCE = 12
    ADDRESS = 20
    AUTHENTICATION = 21
    VERSION_TOO_HIGH = 22
    MSG_TYPE = 30
    PRIORITY = 31
    FEE_TYPE = 32
    FEE_CODE = 33
    MSG_FORMAT = 34
    TIME = 35
    LENGTH = 36
    EXPIRED = 37
    NO_ROUTE = 39
    FIXED_FEE = 40
    SERVICE_ID = 43
    VALID_TIME = 44
    AT_TIME = 45
    SRC_TERM_ID = 46
    DEST_TERM_ID = 47
    CHARGE_TERM_ID = 48
    SP_CODE = 49
    M_SERVICE_ID = 73
    FORBIDDEN_HOURS = 74
    OVER_DAILY_VOLUME = 75
    ACCOUNT_EXPIRED = 76
