"""What may be set on a CMPP connector, and what it means for the protocol."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from yanshu.adapters.carriers.mainland import LongText, NumberPrefix, TextFormat
from yanshu.adapters.carriers.reading import ASCII, DIGITS, Octet, Seconds, invalid, is_decimal, read
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.session import Timers

_MOST_RESULT = 0xFFFFFFFF


class CmppSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`Connector.settings` of protocol ``cmpp``; the connector's password is the shared secret.

    `version` ``auto`` begins with 3.0 and falls back to 2.0 when the gateway finds that too high. `text_format` ``gbk`` sends what
    GBK has in format 15 and all else in UCS-2. `number_prefix` goes in front of mainland numbers. `pad_sp_id` digests a short id
    padded to six octets. `strict_digest` leaves a gateway that does not prove itself. `one_receipt` is the pipeline's to read:
    that of one segment counts for all. `result_overrides` change what a result means (``{"51": "throttled"}``).
    """

    sp_id: Annotated[str, Meta(min_length=1, max_length=6, pattern=ASCII)]
    version: Literal["auto", "3.0", "2.0"] = "auto"
    service_id: Annotated[str, Meta(max_length=10, pattern=ASCII)] = ""
    msg_level: Annotated[int, Meta(ge=0, le=9)] = 0
    fee_user_type: Annotated[int, Meta(ge=0, le=3)] = 2
    fee_type: Annotated[str, Meta(min_length=2, max_length=2, pattern=DIGITS)] = "01"
    fee_code: Annotated[str, Meta(max_length=6, pattern=DIGITS)] = "000000"
    text_format: TextFormat = "ucs2"
    long_text: LongText = "udh8"
    tp_pid: Octet = 0
    number_prefix: NumberPrefix = ""
    pad_sp_id: bool = False
    strict_digest: bool = False
    active_test_seconds: Seconds = 30.0
    active_test_misses: Annotated[int, Meta(ge=1, le=10)] = 3
    response_timeout_seconds: Seconds = 10.0
    connect_timeout_seconds: Seconds = 10.0
    acceptd_is_final: bool = False
    one_receipt: bool = False
    result_overrides: Annotated[dict[str, AnswerResult], Meta(max_length=1000)] = {}

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
    def overrides(self) -> dict[int, AnswerResult]:
        """What a result means here, where it differs from the table."""
        return {int(result): meaning for result, meaning in self.result_overrides.items()}


def read_settings(values: dict[str, Any]) -> CmppSettings:
    """Return the settings of a connector. Raises `Invalid` naming the field and the fix."""
    settings = read(values, CmppSettings)
    for result in settings.result_overrides:
        if not is_decimal(result, _MOST_RESULT):
            raise invalid(f"result_overrides.{result}", "write the result as a decimal number")
    return settings
