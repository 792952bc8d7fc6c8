"""The PDUs of SMGP 3.0 as structs; fields carry the names of the specification.

Text fields hold one character per octet (Latin-1). `msg_id` is 20 hex digits of ten octets that nobody but the gateway may read a
meaning into. `tlvs` maps tags to raw values.
"""

from msgspec import Struct, field

NO_ID = "0" * 20


class Pdu(Struct):
    """What every PDU has."""

    sequence_id: int = 0


class Login(Pdu, kw_only=True):
    """A wish to open a session."""

    client_id: str = ""
    authenticator_client: bytes = bytes(16)
    login_mode: int = 2
    timestamp: int = 0
    client_version: int = 0x30


class LoginResp(Pdu, kw_only=True):
    """The answer to Login."""

    status: int = 0
    authenticator_server: bytes = bytes(16)
    server_version: int = 0x30


class Submit(Pdu, kw_only=True):
    """One segment to one or more numbers; `msg_type` 6 is MT."""

    msg_type: int = 6
    need_report: int = 1
    priority: int = 0
    service_id: str = ""
    fee_type: str = "00"
    fee_code: str = "000000"
    fixed_fee: str = "000000"
    msg_format: int = 15
    valid_time: str = ""
    at_time: str = ""
    src_term_id: str = ""
    charge_term_id: str = ""
    dest_term_ids: tuple[str, ...] = ()
    msg_content: bytes = b""
    reserve: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class SubmitResp(Pdu, kw_only=True):
    """The answer to Submit."""

    msg_id: str = NO_ID
    status: int = 0


class Deliver(Pdu, kw_only=True):
    """A text of a phone, or a receipt when `is_report` is 1: `msg_content` is the report then."""

    msg_id: str = NO_ID
    is_report: int = 0
    msg_format: int = 0
    recv_time: str = ""
    src_term_id: str = ""
    dest_term_id: str = ""
    msg_content: bytes = b""
    reserve: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class DeliverResp(Pdu, kw_only=True):
    """The answer to Deliver, with its MsgID."""

    msg_id: str = NO_ID
    status: int = 0


class ActiveTest(Pdu):
    """A question whether the peer is there."""


class ActiveTestResp(Pdu):
    """The answer to Active_Test; it has no body."""


class Exit(Pdu):
    """The end of a session."""


class ExitResp(Pdu):
    """The answer to Exit."""


class Query(Pdu, kw_only=True):
    """A question for the counters of a day."""

    query_time: str = ""
    query_type: int = 0
    query_code: str = ""


class QueryResp(Query, kw_only=True):
    """The counters of a day: totals, users, successes, waiting and failed texts, to phones (`mt_`) and from them (`mo_`)."""

    mt_tl_msg: int = 0
    mt_tl_usr: int = 0
    mt_scs: int = 0
    mt_wt: int = 0
    mt_fl: int = 0
    mo_scs: int = 0
    mo_wt: int = 0
    mo_fl: int = 0
    reserve: str = ""


COUNTERS = QueryResp.__struct_fields__[-9:-1]
