"""What may be set on an SMPP connector, and what it means for the protocol."""

import ssl
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from yanshu.adapters.carriers.reading import ASCII, Octet, Seconds, invalid, read
from yanshu.domain.errors import Invalid
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.constants import Tag
from yanshu.protocols.smpp.receipts import IdForm

# More would make every submit large for nothing: the parameters of a carrier's own are numbers and short codes.
_TLV_LIMIT = 16
_TLV_OCTETS = 255
_OWN_TAGS = frozenset({Tag.MESSAGE_PAYLOAD, Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM})
# password is a C-octet string of 9 octets with its NUL (SMPP 3.4 §4.1.1).
_PASSWORD_LIMIT = 8


class SmppSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`Connector.settings` of protocol ``smpp``.

    `tls_server_name` is the name in the carrier's certificate where it is not the connector's host. `bind`
    ``transmitter_receiver`` opens two sessions, one to send and one to receive. `gsm_coding` is the data_coding of texts
    in the GSM alphabet and `gsm_alphabet` what the carrier takes that to be; `id_form` says how receipts name the id of
    the submit answer; `receipt_from_text` takes a text that reads like a receipt for one; `acceptd_is_final` takes ACCEPTD for
    delivered; `one_receipt` is the pipeline's to read: that of one segment counts for all; `validity` sends the message's
    remaining life; `extra_tlvs` go with every submit (tag → value, both hex); `status_overrides` change what a command_status
    means (``{"0x00000400": "busy"}``).
    """

    system_id: Annotated[str, Meta(min_length=1, max_length=15, pattern=ASCII)]
    system_type: Annotated[str, Meta(max_length=12, pattern=ASCII)] = ""
    bind: Literal["transceiver", "transmitter", "receiver", "transmitter_receiver"] = "transceiver"
    tls: bool = False
    tls_verify: bool = True
    tls_server_name: Annotated[str, Meta(max_length=253)] = ""
    ca_file: str = ""
    interface_version: Octet = 0x34
    source_ton: Octet = 0
    source_npi: Octet = 1
    dest_ton: Octet = 1
    dest_npi: Octet = 1
    service_type: Annotated[str, Meta(max_length=5, pattern=ASCII)] = ""
    long_text: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    gsm_coding: Octet = 0
    gsm_alphabet: Literal["gsm", "latin1", "ascii"] = "gsm"
    ucs2_coding: Octet = 8
    enquire_link_seconds: Seconds = 30.0
    response_timeout_seconds: Seconds = 10.0
    bind_timeout_seconds: Seconds = 10.0
    id_form: IdForm = "auto"
    receipt_from_text: bool = False
    receipt_utc_offset_minutes: Annotated[int, Meta(ge=-840, le=840)] = 480
    acceptd_is_final: bool = False
    one_receipt: bool = False
    validity: bool = False
    extra_tlvs: Annotated[dict[str, str], Meta(max_length=_TLV_LIMIT)] = {}
    keep_plus: bool = False
    status_overrides: Annotated[dict[str, AnswerResult], Meta(max_length=1000)] = {}

    @property
    def timers(self) -> Timers:
        """Patience of a session."""
        return Timers(
            bind_timeout_seconds=self.bind_timeout_seconds,
            response_timeout_seconds=self.response_timeout_seconds,
            probe_seconds=self.enquire_link_seconds,
        )

    @property
    def tlvs(self) -> dict[int, bytes]:
        """Optional parameters of every submit."""
        return {int(tag, 16): bytes.fromhex(value) for tag, value in self.extra_tlvs.items()}

    @property
    def overrides(self) -> dict[int, AnswerResult]:
        """What a command_status means here, where it differs from the table."""
        return {int(status, 16): result for status, result in self.status_overrides.items()}

    def binds(self, password: str) -> list[pdus.Bind]:
        """Return the sessions to open; the first one that may send does."""
        kinds: dict[str, tuple[type[pdus.Bind], ...]] = {
            "transceiver": (pdus.BindTransceiver,),
            "transmitter": (pdus.BindTransmitter,),
            "receiver": (pdus.BindReceiver,),
            "transmitter_receiver": (pdus.BindTransmitter, pdus.BindReceiver),
        }
        return [
            kind(system_id=self.system_id, password=password, system_type=self.system_type, interface_version=self.interface_version)
            for kind in kinds[self.bind]
        ]

    def tls_context(self) -> ssl.SSLContext | None:
        """Return how to encrypt, or None for plain TCP. Raises OSError when `ca_file` cannot be read."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as error:
            raise OSError(f"the ca_file {self.ca_file} cannot be used: {error.strerror or error}") from error
        if not self.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def read_settings(values: dict[str, Any]) -> SmppSettings:
    """Return the settings of a connector. Raises `Invalid` naming the field and the fix."""
    settings = read(values, SmppSettings)
    for name, limit in (("extra_tlvs", 0xFFFF), ("status_overrides", 0xFFFFFFFF)):
        for key in getattr(settings, name):
            _check_hex_number(name, key, limit)
    try:
        settings.tls_server_name.encode("idna")
    except UnicodeError as error:
        raise invalid("tls_server_name", "write a host name") from error
    for tag, value in settings.extra_tlvs.items():
        _check_tlv(tag, value)
    return settings


def check_password(password: str) -> None:
    """Raise `Invalid` when no SMPP bind can carry the password."""
    if len(password) > _PASSWORD_LIMIT or not password.isascii() or "\0" in password:
        raise Invalid("parameter_invalid", param="password", fix=f"SMPP passwords have at most {_PASSWORD_LIMIT} ASCII characters")


def _check_hex_number(name: str, text: str, limit: int) -> None:
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= limit:
        raise invalid(f"{name}.{text}", f"write the key in hex, 0x0 to 0x{limit:x}")


def _check_tlv(tag: str, text: str) -> None:
    path = f"extra_tlvs.{tag}"
    if int(tag, 16) in _OWN_TAGS:
        raise invalid(path, "this parameter joins long texts; set long_text instead")
    try:
        octets = bytes.fromhex(text)
    except ValueError as error:
        raise invalid(path, "write the value as pairs of hex digits") from error
    if len(octets) > _TLV_OCTETS:
        raise invalid(path, f"write at most {_TLV_OCTETS} octets")
