"""What may be set on an SMGP connector, and what it means for the protocol."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from yanshu.adapters.carriers.mainland import LongText, NumberPrefix, TextFormat
from yanshu.adapters.carriers.reading import ASCII, DIGITS, Octet, Seconds, invalid, is_decimal, read
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.session import Timers
from yanshu.protocols.smgp.constants import VERSION, LoginMode, Tag

_MOST_STATUS = 0xFFFFFFFF
_Fee = Annotated[str, Meta(max_length=6, pattern=DIGITS)]
_MODES: dict[str, tuple[LoginMode, ...]] = {"both": (LoginMode.BOTH,), "send_receive": (LoginMode.SEND, LoginMode.RECEIVE)}


class SmgpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`Connector.settings` of protocol ``smgp``; the connector's password is the shared secret.

    `login` ``send_receive`` opens two sessions, one to send and one to receive. `text_format` ``gbk`` sends what GBK has in
    format 15 and all else in UCS-2. `msg_src` and `m_service_id` are optional parameters of every submit. `number_prefix` goes
    in front of mainland numbers. `one_receipt` is the pipeline's to read: that of one segment counts for all. `status_overrides`
    change what a status means (``{"130": "throttled"}``).
    """

    client_id: Annotated[str, Meta(min_length=1, max_length=8, pattern=ASCII)]
    login: Literal["both", "send_receive"] = "both"
    client_version: Octet = VERSION
    service_id: Annotated[str, Meta(max_length=10, pattern=ASCII)] = ""
    msg_src: Annotated[str, Meta(max_length=8, pattern=ASCII)] = ""
    m_service_id: Annotated[str, Meta(max_length=21, pattern=ASCII)] = ""
    priority: Annotated[int, Meta(ge=0, le=3)] = 0
    fee_type: Annotated[str, Meta(min_length=2, max_length=2, pattern=DIGITS)] = "00"
    fee_code: _Fee = "000000"
    fixed_fee: _Fee = "000000"
    text_format: TextFormat = "gbk"
    long_text: LongText = "udh8"
    number_prefix: NumberPrefix = ""
    active_test_seconds: Seconds = 30.0
    active_test_misses: Annotated[int, Meta(ge=1, le=10)] = 3
    response_timeout_seconds: Seconds = 10.0
    connect_timeout_seconds: Seconds = 10.0
    acceptd_is_final: bool = False
    one_receipt: bool = False
    status_overrides: Annotated[dict[str, AnswerResult], Meta(max_length=1000)] = {}

    @property
    def modes(self) -> tuple[LoginMode, ...]:
        """The sessions to open."""
        return _MODES[self.login]

    @property
    def timers(self) -> Timers:
        """Patience of a session."""
        return Timers(
            bind_timeout_seconds=self.connect_timeout_seconds,
            response_timeout_seconds=self.response_timeout_seconds,
            probe_seconds=self.active_test_seconds,
            probes_unanswered=self.active_test_misses,
        )

    @property
    def tlvs(self) -> dict[int, bytes]:
        """Optional parameters of every submit."""
        values = {Tag.MSG_SRC: self.msg_src, Tag.M_SERVICE_ID: self.m_service_id}
        return {int(tag): value.encode("ascii") for tag, value in values.items() if value}

    @property
    def overrides(self) -> dict[int, AnswerResult]:
        """What a status means here, where it differs from the table."""
        return {int(status): meaning for status, meaning in self.status_overrides.items()}


def read_settings(values: dict[str, Any]) -> SmgpSettings:
    """Return the settings of a connector. Raises `Invalid` naming the field and the fix."""
    settings = read(values, SmgpSettings)
    for status in settings.status_overrides:
        if not is_decimal(status, _MOST_STATUS):
            raise invalid(f"status_overrides.{status}", "write the status as a decimal number")
    return settings
