"""The PDUs of CMPP as structs; fields carry the names of the specification, the same for 2.0 and 3.0.

Text fields hold one character per octet (Latin-1). Fields that only 3.0 has are left out of the octets of 2.0; `link_id` is
called Reserve there.
"""

from msgspec import Struct


class Pdu(Struct):
    """What every PDU has."""

    sequence_id: int = 0


class Connect(Pdu, kw_only=True):
    """A wish to open a session."""

    source_addr: str = ""
    authenticator_source: bytes = bytes(16)
    version: int = 0x30
    timestamp: int = 0


class ConnectResp(Pdu, kw_only=True):
    """The answer to CONNECT; a failure leaves the authenticator empty."""

    status: int = 0
    authenticator_ismg: bytes = bytes(16)
    version: int = 0x30


class Terminate(Pdu):
    """The end of a session."""


class TerminateResp(Pdu):
    """The answer to TERMINATE."""


class ActiveTest(Pdu):
    """A question whether the peer is there."""


class ActiveTestResp(Pdu):
    """The answer to ACTIVE_TEST."""

    reserved: int = 0


class Submit(Pdu, kw_only=True):
    """One segment to one or more numbers; the gateway assigns `msg_id`."""

    msg_id: int = 0
    pk_total: int = 1
    pk_number: int = 1
    registered_delivery: int = 1
    msg_level: int = 0
    service_id: str = ""
    fee_user_type: int = 2
    fee_terminal_id: str = ""
    fee_terminal_type: int = 0
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = 0
    msg_src: str = ""
    fee_type: str = "01"
    fee_code: str = "000000"
    valid_time: str = ""
    at_time: str = ""
    src_id: str = ""
    dest_terminal_ids: tuple[str, ...] = ()
    dest_terminal_type: int = 0
    msg_content: bytes = b""
    link_id: str = ""


class SubmitResp(Pdu, kw_only=True):
    """The answer to SUBMIT."""

    msg_id: int = 0
    result: int = 0


class Deliver(Pdu, kw_only=True):
    """A text of a phone, or a receipt when `registered_delivery` is 1: `msg_content` is the report then."""

    msg_id: int = 0
    dest_id: str = ""
    service_id: str = ""
    tp_pid: int = 0
    tp_udhi: int = 0
    msg_fmt: int = 0
    src_terminal_id: str = ""
    src_terminal_type: int = 0
    registered_delivery: int = 0
    msg_content: bytes = b""
    link_id: str = ""


class DeliverResp(Pdu, kw_only=True):
    """The answer to DELIVER, with its own Msg_Id."""

    msg_id: int = 0
    result: int = 0


class Query(Pdu, kw_only=True):
    """A question for the counters of a day."""

    time: str = ""
    query_type: int = 0
    query_code: str = ""
    reserve: str = ""


class QueryResp(Pdu, kw_only=True):
    """The counters of a day."""

    time: str = ""
    query_type: int = 0
    query_code: str = ""
    mt_tl_msg: int = 0
    mt_tl_usr: int = 0
    mt_scs: int = 0
    mt_wt: int = 0
    mt_fl: int = 0
    mo_scs: int = 0
    mo_wt: int = 0
    mo_fl: int = 0


class Cancel(Pdu, kw_only=True):
    """A wish to take a submit back."""

    msg_id: int = 0


class CancelResp(Pdu, kw_only=True):
    """The answer to CANCEL: 0 done, 1 failed."""

    success_id: int = 0
