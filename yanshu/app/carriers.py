"""Which adapter serves which protocol: a table with one row a protocol."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from yanshu.adapters.carriers.cmpp import settings as cmpp
from yanshu.adapters.carriers.cmpp.dialect import cmpp_carrier
from yanshu.adapters.carriers.http import settings as http
from yanshu.adapters.carriers.http.carrier import http_carrier
from yanshu.adapters.carriers.reading import check_secret
from yanshu.adapters.carriers.sgip import settings as sgip
from yanshu.adapters.carriers.sgip.dialect import sgip_carrier
from yanshu.adapters.carriers.smgp import settings as smgp
from yanshu.adapters.carriers.smgp.dialect import smgp_carrier
from yanshu.adapters.carriers.smpp import settings as smpp
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.domain.connectors import Connector
from yanshu.ports.callbacks import CallbackUrls
from yanshu.ports.carrier import Carrier, Intake
from yanshu.ports.clock import Clock


class Making(Struct, frozen=True):
    """What an adapter is made from: link `slot` of a connector, its password opened, and where its carrier may call us."""

    connector: Connector
    password: str
    intake: Intake
    clock: Clock
    slot: int
    urls: CallbackUrls


class Protocol(Struct, frozen=True):
    """One row: how a link is made, and how settings and passwords are judged (`Invalid` names the field)."""

    make: Callable[[Making], Carrier]
    check_settings: Callable[[dict[str, Any]], object]
    check_password: Callable[[str], None]


def _smpp(making: Making) -> Carrier:
    return smpp_carrier(making.connector, making.password, making.intake, making.clock, making.slot)


def _cmpp(making: Making) -> Carrier:
    return cmpp_carrier(making.connector, making.password, making.intake, making.clock, making.slot)


def _sgip(making: Making) -> Carrier:
    return sgip_carrier(making.connector, making.password, making.intake, making.clock, making.slot)


def _smgp(making: Making) -> Carrier:
    return smgp_carrier(making.connector, making.password, making.intake, making.clock, making.slot)


def _http(making: Making) -> Carrier:
    return http_carrier(making.connector, making.password, making.intake, making.clock, making.urls)


PROTOCOLS: dict[str, Protocol] = {
    "smpp": Protocol(_smpp, smpp.read_settings, smpp.check_password),
    "cmpp": Protocol(_cmpp, cmpp.read_settings, check_secret),
    "sgip": Protocol(_sgip, sgip.read_settings, sgip.check_password),
    "smgp": Protocol(_smgp, smgp.read_settings, check_secret),
    "http": Protocol(_http, http.read_settings, http.check_password),
}


def make_carrier(making: Making) -> Carrier:
    """Build one link of a connector. Raises `Invalid` when its settings cannot be used."""
    return PROTOCOLS[making.connector.protocol].make(making)


def check_connector(protocol: str, settings: dict[str, object], password: str | None) -> None:
    """Refuse settings and passwords the protocol's adapter cannot use, naming the field; `password` None: it is not changed."""
    row = PROTOCOLS[protocol]
    row.check_settings(settings)
    if password is not None:
        row.check_password(password)
