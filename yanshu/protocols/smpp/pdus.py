"""The PDUs of SMPP 3.4 as structs; fields carry the names of the specification.

Text fields hold one character per octet (Latin-1), so that whatever a peer sends survives. `tlvs` maps tags to raw values.
Name the fields. Only the hot path of the codec gives those of `Sm` by position: twenty names cost more than the struct.
"""

from msgspec import Struct, field


class Pdu(Struct):
    """The header fields that every PDU has."""

    command_status: int = 0
    sequence_number: int = 0


class Bind(Pdu, kw_only=True):
    """A wish to open a session (§4.1)."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


class BindReceiver(Bind, kw_only=True):
    """Open a session that receives."""


class BindTransmitter(Bind, kw_only=True):
    """Open a session that sends."""


class BindTransceiver(Bind, kw_only=True):
    """Open a session that does both."""


class BindResp(Pdu, kw_only=True):
    """The answer to a bind."""

    system_id: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class BindReceiverResp(BindResp, kw_only=True):
    """The answer to bind_receiver."""


class BindTransmitterResp(BindResp, kw_only=True):
    """The answer to bind_transmitter."""


class BindTransceiverResp(BindResp, kw_only=True):
    """The answer to bind_transceiver."""


class Sm(Pdu):
    """The body that submit_sm and deliver_sm share (§4.4.1, §4.6.1)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class SubmitSm(Sm):
    """A text towards the network."""


class DeliverSm(Sm):
    """A text or a receipt from the network."""


class SubmitSmResp(Pdu, kw_only=True):
    """The answer to submit_sm."""

    message_id: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class DeliverSmResp(Pdu, kw_only=True):
    """The answer to deliver_sm; message_id is unused."""

    message_id: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class DataSm(Pdu, kw_only=True):
    """A text either way whose content is in message_payload (§4.7.1)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: dict[int, bytes] = field(default_factory=dict)


class DataSmResp(Pdu, kw_only=True):
    """The answer to data_sm."""

    message_id: str = ""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class QuerySm(Pdu, kw_only=True):
    """A question about an earlier submit (§4.8.1)."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class QuerySmResp(Pdu, kw_only=True):
    """The answer to query_sm."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class CancelSm(Pdu, kw_only=True):
    """Take an earlier submit back (§4.9.1)."""

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class CancelSmResp(Pdu, kw_only=True):
    """The answer to cancel_sm."""


class EnquireLink(Pdu, kw_only=True):
    """Are you there?"""


class EnquireLinkResp(Pdu, kw_only=True):
    """Yes."""


class Unbind(Pdu, kw_only=True):
    """The wish to end the session."""


class UnbindResp(Pdu, kw_only=True):
    """The answer to unbind."""


class GenericNack(Pdu, kw_only=True):
    """The answer to what cannot be understood."""


class Outbind(Pdu, kw_only=True):
    """The carrier's wish that we bind (§4.1.7)."""

    system_id: str = ""
    password: str = ""
