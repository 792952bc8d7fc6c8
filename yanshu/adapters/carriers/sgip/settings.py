"""What may be set on an SGIP connector, and what it means for the protocol."""

import math
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from msgspec import Meta, Struct

from yanshu.adapters.carriers.mainland import LongText, NumberPrefix, TextFormat
from yanshu.adapters.carriers.reading import ASCII, DIGITS, Octet, Seconds, invalid, is_decimal, read
from yanshu.domain.errors import Invalid
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip.codec import node_of

_MOST_RESULT = 0xFF
_LONGEST_PASSWORD = 16
_AREA_LENGTHS = {3, 4}
_SHORTEST_IDLE_SECONDS = 1.0
_Fee = Annotated[str, Meta(min_length=1, max_length=6, pattern=DIGITS)]
_Flag = Annotated[int, Meta(ge=0, le=1)]


class SgipSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`Connector.settings` of protocol ``sgip``; the connector's password is the one of both logins.

    `node` is our node number; without it, it is made of `area_code` and `corp_id`. `text_format` ``gbk`` sends what GBK has in
    coding 15 and all else in UCS-2. `number_prefix` goes in front of mainland numbers. A connection is closed after
    `idle_seconds` without requests and opened again on demand; 0: never. On `listen_host` and `listen_port` the gateway reports
    and delivers, as `listen_login_name` (empty: `login_name`), from the networks in `listen_allow` (empty: from anywhere); port 0:
    it does that over our own connection. `one_receipt` is the pipeline's to read: that of one segment counts for all.
    `result_overrides` change what a result means (``{"51": "throttled"}``).
    """

    login_name: Annotated[str, Meta(min_length=1, max_length=16, pattern=ASCII)]
    corp_id: Annotated[str, Meta(min_length=1, max_length=5, pattern=DIGITS)]
    area_code: Annotated[str, Meta(max_length=4, pattern=DIGITS)] = ""
    node: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)] | None = None
    service_type: Annotated[str, Meta(max_length=10, pattern=ASCII)] = ""
    charge_number: Annotated[str, Meta(max_length=21, pattern=DIGITS)] = "0" * 21
    fee_type: Annotated[int, Meta(ge=0, le=4)] = 1
    fee_value: _Fee = "0"
    given_value: _Fee = "0"
    agent_flag: _Flag = 0
    more_late_to_mt_flag: Annotated[int, Meta(ge=0, le=3)] = 2
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    tp_pid: Octet = 0
    text_format: TextFormat = "ucs2"
    long_text: LongText = "udh8"
    number_prefix: NumberPrefix = "86"
    idle_seconds: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    response_timeout_seconds: Seconds = 10.0
    connect_timeout_seconds: Seconds = 5.0
    listen_host: str = "0.0.0.0"  # noqa: S104 - the gateway comes from outside
    listen_port: Annotated[int, Meta(ge=0, le=65_535)] = 8801
    listen_login_name: Annotated[str, Meta(max_length=16, pattern=ASCII)] = ""
    listen_allow: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    one_receipt: bool = False
    result_overrides: Annotated[dict[str, AnswerResult], Meta(max_length=256)] = {}

    @property
    def timers(self) -> Timers:
        """Patience of the session we open. Who has asked something and hears nothing for longer than an answer may take, leaves."""
        probe = self.idle_seconds or self.response_timeout_seconds
        return Timers(
            bind_timeout_seconds=self.connect_timeout_seconds,
            response_timeout_seconds=self.response_timeout_seconds,
            probe_seconds=probe,
            probes_unanswered=max(1, math.ceil(self.response_timeout_seconds / probe)),
        )

    @property
    def node_number(self) -> int:
        """Who we are in our sequences."""
        return self.node if self.node is not None else node_of(self.area_code, self.corp_id)

    @property
    def networks(self) -> list[IPv4Network | IPv6Network]:
        """From where the gateway may come; none: from anywhere."""
        return [ip_network(network, strict=False) for network in self.listen_allow]

    @property
    def overrides(self) -> dict[int, AnswerResult]:
        """What a result means here, where it differs from the table."""
        return {int(result): meaning for result, meaning in self.result_overrides.items()}


def read_settings(values: dict[str, Any]) -> SgipSettings:
    """Return the settings of a connector. Raises `Invalid` naming the field and the fix."""
    settings = read(values, SgipSettings)
    for result in settings.result_overrides:
        if not is_decimal(result, _MOST_RESULT):
            raise invalid(f"result_overrides.{result}", "write the result as a decimal number, at most 255")
    if settings.node is None and len(settings.area_code) not in _AREA_LENGTHS:
        raise invalid("area_code", "write the area code of your node number, 3 or 4 digits, or the node number itself in node")
    if 0 < settings.idle_seconds < _SHORTEST_IDLE_SECONDS:
        raise invalid("idle_seconds", "write at least 1, or 0 for a connection that stays")
    if settings.listen_port == 0 and settings.idle_seconds:
        raise invalid("idle_seconds", "write 0: without a listen_port the gateway reports over our own connection, which must stay")
    _check_addresses(settings)
    return settings


def check_password(password: str) -> None:
    """Raise `Invalid` when no BIND can carry the password."""
    fits = 1 <= len(password) <= _LONGEST_PASSWORD and password.isascii() and password.isprintable()
    if not fits or password != password.strip():
        raise Invalid("parameter_invalid", param="password", fix="SGIP passwords have 1 to 16 ASCII characters and no blanks at the ends")


def _check_addresses(settings: SgipSettings) -> None:
    try:
        ip_address(settings.listen_host)
    except ValueError as error:
        raise invalid("listen_host", "write an address of this machine, or 0.0.0.0 for all of them") from error
    for place, network in enumerate(settings.listen_allow):
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise invalid(f"listen_allow[{place}]", "write an address or a network, such as 192.0.2.0/24") from error
