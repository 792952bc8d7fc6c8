"""SMPP over TLS: whom the carrier adapter believes, and what it says of those it does not."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.certificates import server_context
from tests.integration.test_smpp_carrier import Recorder, Smsc, bound, connector, message, until
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.domain.connectors import LinkState
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.link import Address, Link, connect

CARRIER = "smpp.carrier.example"

BELIEVED: list[tuple[str, str, dict[str, Any]]] = [
    ("a certificate for the host, trusted by file", "127.0.0.1", {"ca_file": "the carrier's"}),
    ("a certificate for another name that was agreed", CARRIER, {"ca_file": "the carrier's", "tls_server_name": CARRIER}),
    ("any certificate when none is to be checked", CARRIER, {"tls_verify": False}),
]


def settings_of(values: dict[str, Any], cert_file: str) -> dict[str, Any]:
    """Settings with the file that trusts the carrier put in its place."""
    return {"tls": True, **values, **({"ca_file": cert_file} if values.get("ca_file") == "the carrier's" else {})}


@pytest.mark.parametrize(("name", "server_name", "values"), BELIEVED, ids=[case[0] for case in BELIEVED])
async def test_a_carrier_is_believed(tmp_path: Path, name: str, server_name: str, values: dict[str, Any]) -> None:
    tls, cert_file = server_context(tmp_path, server_name)
    smsc = Smsc()
    await smsc.start(tls)
    async with bound(smsc, settings_of(values, cert_file)) as (carrier, intake):
        carrier.submit([message()])
        await until(lambda: intake.results == [AnswerResult.ACCEPTED])
    await smsc.stop()


REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a certificate nobody vouches for", {}, {}, "certificate is not accepted: self"),
    ("a certificate for another name", {"name": CARRIER}, {"ca_file": "the carrier's"}, "certificate is not accepted: IP address mismatch"),
    (
        "a certificate for the host where another name was agreed",
        {},
        {"ca_file": "the carrier's", "tls_server_name": CARRIER},
        "certificate is not accepted: Hostname mismatch",
    ),
    (
        "a certificate that has ended",
        {"ended": timedelta(hours=1)},
        {"ca_file": "the carrier's"},
        "certificate is not accepted: certificate has expired",
    ),
    ("a file that is not there", {}, {"ca_file": "/nowhere/ca.pem"}, "the ca_file /nowhere/ca.pem cannot be used: No such file"),
]


async def detail_of(port: int, settings: dict[str, Any]) -> tuple[LinkState, str]:
    """State and detail after the first attempt to connect."""
    intake = Recorder()
    carrier = smpp_carrier(connector(port, settings), "secret", intake, SystemClock())
    task = asyncio.create_task(carrier.run())
    await until(lambda: len(intake.states) >= 2)
    await carrier.stop(1.0)
    await task
    return intake.states[1], intake.details[1]


@pytest.mark.parametrize(("name", "server", "values", "detail"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_a_carrier_is_not_believed_and_the_link_says_why(
    tmp_path: Path, name: str, server: dict[str, Any], values: dict[str, Any], detail: str
) -> None:
    tls, cert_file = server_context(tmp_path, **server)
    smsc = Smsc()
    await smsc.start(tls)
    state, said = await detail_of(smsc.port, settings_of(values, cert_file))
    assert state is LinkState.DOWN
    assert f"cannot connect to 127.0.0.1:{smsc.port}: " in said
    assert detail in said
    assert not smsc.binds  # the password did not leave
    await smsc.stop()


async def test_a_carrier_that_speaks_no_tls_is_told_apart(smsc_plain: Smsc) -> None:
    state, said = await detail_of(smsc_plain.port, {"tls": True})
    assert state is LinkState.DOWN
    assert said.endswith(("does it speak TLS?", "TLS is not spoken as expected: WRONG_VERSION_NUMBER")), said


@pytest.mark.parametrize("tls", [None, ssl.create_default_context()], ids=["plain", "TLS"])
async def test_a_host_that_is_no_name_is_an_os_error_in_words(tls: ssl.SSLContext | None) -> None:
    with pytest.raises(OSError, match=r"a\.\.b is no host name"):
        await connect(Address("a..b", 1, tls), lambda: Link(EsmeSession(pdus.BindTransceiver(), 1, Timers()), print))


class Deaf(asyncio.Protocol):
    """Takes connections and says nothing."""


async def test_a_carrier_that_never_shakes_hands_is_given_up_in_words() -> None:
    server = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
    _, said = await detail_of(server.sockets[0].getsockname()[1], {"tls": True, "bind_timeout_seconds": 0.2})
    assert said.endswith("no connection within 0.2 s")
    server.close()


async def test_a_stop_does_not_wait_for_a_connection_that_is_only_being_made() -> None:
    server = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
    intake = Recorder()
    settings = {"tls": True, "bind_timeout_seconds": 60}
    carrier = smpp_carrier(connector(server.sockets[0].getsockname()[1], settings), "secret", intake, SystemClock())
    task = asyncio.create_task(carrier.run())
    await until(lambda: intake.states == [LinkState.CONNECTING])
    async with asyncio.timeout(3):
        await carrier.stop(30.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()


@pytest.fixture
async def smsc_plain() -> Any:
    server = Smsc()
    await server.start()
    yield server
    await server.stop()
