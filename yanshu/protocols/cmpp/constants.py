"""Numbers of CMPP 2.0 and 3.0: commands, versions, statuses (protocols.md §4)."""

from enum import IntEnum

HEADER_LENGTH = 12
# A 3.0 submit to 99 numbers has 3,471 octets; twice that is room enough for anything sensible.
MAX_LENGTH = 8192
MAX_SEQUENCE = 0xFFFFFFFF
RESPONSE_BIT = 0x80000000
DEFAULT_WINDOW = 16
# What a refused login says, beside the statuses of the wire, when the gateway accepted it and did not prove itself.
UNPROVEN = -1


class Version(IntEnum):
    """The octet of CONNECT that decides the layouts of everything after it."""

    V20 = 0x20
    V30 = 0x30


class Command(IntEnum):
    """Command_Id; a response has RESPONSE_BIT on top. There is no command 3."""

    CONNECT = 0x00000001
    TERMINATE = 0x00000002
    SUBMIT = 0x00000004
    DELIVER = 0x00000005
    QUERY = 0x00000006
    CANCEL = 0x00000007
    ACTIVE_TEST = 0x00000008
    CONNECT_RESP = 0x80000001
    TERMINATE_RESP = 0x80000002
    SUBMIT_RESP = 0x80000004
    DELIVER_RESP = 0x80000005
    QUERY_RESP = 0x80000006
    CANCEL_RESP = 0x80000007
    ACTIVE_TEST_RESP = 0x80000008


class ConnectStatus(IntEnum):
    """Status of CONNECT_RESP; 5 and above are errors of the gateway's own."""

    OK = 0
    STRUCTURE = 1
    SOURCE_ADDRESS = 2
    AUTHENTICATION = 3
    VERSION_TOO_HIGH = 4


class Result(IntEnum):
    """Result of SUBMIT_RESP and DELIVER_RESP. Version 2.0 ends with 9 (other errors); the table of 3.0 is open."""

    OK = 0
    STRUCTURE = 1
    COMMAND = 2
    DUPLICATE_SEQUENCE = 3
    LENGTH = 4
    FEE_CODE = 5
    TOO_LONG = 6
    SERVICE_ID = 7
    FLOW_CONTROL = 8
    NOT_SERVED_HERE = 9
    SRC_ID = 10
    MSG_SRC = 11
    FEE_TERMINAL_ID = 12
    DEST_TERMINAL_ID = 13


class Format(IntEnum):
    """Msg_Fmt."""

    ASCII = 0
    CARD = 3
    BINARY = 4
    UCS2 = 8
    GBK = 15


def version_of(octet: int) -> Version:
    """Return the layouts a version octet asks for: 0x21 of some clients is the wire of 2.0."""
    return Version.V30 if octet >= Version.V30 else Version.V20
