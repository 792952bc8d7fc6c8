"""The PDUs of SGIP 1.2 as structs; fields carry the names of the specification.

Text fields hold one character per octet (Latin-1). A message has no id from the gateway: the sequence of its SUBMIT is the id.
"""

from msgspec import Struct, field


class Sequence(Struct, frozen=True):
    """The three words that number a request and name a message: node, time as MMDDHHMMSS, counter."""

    node: int = 0
    stamp: int = 0
    counter: int = 0

    @property
    def message_id(self) -> str:
        """The twelve octets as 24 hex digits."""
        return f"{self.node:08x}{self.stamp:08x}{self.counter:08x}"


_NONE = Sequence()


class Pdu(Struct):
    """What every PDU has."""

    sequence: Sequence = _NONE


class Bind(Pdu, kw_only=True):
    """A wish to open a session; each side binds at the other for what it starts."""

    login_type: int = 1
    login_name: str = ""
    login_password: str = ""
    reserve: str = ""


class Unbind(Pdu):
    """The end of a session."""


class UnbindResp(Pdu):
    """The answer to UNBIND."""


class Resp(Pdu, kw_only=True):
    """An answer: its result, and nothing of the request but the sequence."""

    result: int = 0
    reserve: str = ""


class BindResp(Resp):
    """The answer to BIND."""


class SubmitResp(Resp):
    """The answer to SUBMIT."""


class DeliverResp(Resp):
    """The answer to DELIVER."""


class ReportResp(Resp):
    """The answer to REPORT."""


class UserRptResp(Resp):
    """The answer to USERRPT."""


class Submit(Pdu, kw_only=True):
    """One segment to one or more numbers; a charge number of 21 zeros means that the SP pays."""

    sp_number: str = ""
    charge_number: str = "0" * 21
    user_numbers: tuple[str, ...] = ()
    corp_id: str = ""
    service_type: str = ""
    fee_type: int = 1
    fee_value: str = "0"
    given_value: str = "0"
    agent_flag: int = 0
    more_late_to_mt_flag: int = 2
    priority: int = 0
    expire_time: str = ""
    schedule_time: str = ""
    report_flag: int = 1
    tp_pid: int = 0
    tp_udhi: int = 0
    message_coding: int = 0
    message_type: int = 0
    message_content: bytes = b""
    reserve: str = ""


class Deliver(Pdu, kw_only=True):
    """A text of a phone."""

    user_number: str = ""
    sp_number: str = ""
    tp_pid: int = 0
    tp_udhi: int = 0
    message_coding: int = 0
    message_content: bytes = b""
    reserve: str = ""


class Report(Pdu, kw_only=True):
    """What became of the SUBMIT with this sequence."""

    submit_sequence: Sequence = field(default=_NONE)
    report_type: int = 0
    user_number: str = ""
    state: int = 0
    error_code: int = 0
    reserve: str = ""


class UserRpt(Pdu, kw_only=True):
    """The state of a subscriber: 0 canceled, 1 suspended, 2 restored."""

    sp_number: str = ""
    user_number: str = ""
    user_condition: int = 0
    reserve: str = ""


class Trace(Pdu, kw_only=True):
    """A question for the way of a message."""

    submit_sequence: Sequence = field(default=_NONE)
    user_number: str = ""
    reserve: str = ""
