"""Where the gateway of SGIP connects to us: who may come in, who is kept out, and what they cannot do to those who may."""

import asyncio
import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.test_sgip_carrier import LOGIN, PASSWORD, Smg, bound, report, running, smg, text_of
from tests.integration.test_smpp_carrier import until
from yanshu.domain.connectors import LinkState
from yanshu.protocols.events import BindRefused, Bound
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import LoginType, Result

__all__ = ["smg"]  # a fixture

CALLERS: list[tuple[str, dict[str, Any], str]] = [
    ("another password", {"password": "guess"}, "the password is another"),
    ("another name", {"login": "smg"}, "the login name 'smg' is another"),
    ("a name that fills its field", {"login": "x" * 16}, f"the login name {'x' * 16!r} is another"),
]


def refusals(lines: Any) -> list[tuple[str, str]]:
    return [(line["address"], line["detail"]) for line in lines if line["event"] == "carrier not let in"]


@pytest.mark.parametrize(("name", "call", "reason"), CALLERS, ids=[case[0] for case in CALLERS])
async def test_who_may_not_come_in_is_refused_and_told_of(smg: Smg, name: str, call: dict[str, Any], reason: str) -> None:
    with capture_logs() as lines:
        async with bound(smg) as (_, intake):
            await smg.call(**call)
            await until(lambda: smg.called)
            assert smg.called == [BindRefused(Result.BAD_LOGIN)]
            await smg.calls[0].closed.wait()
    assert refusals(lines) == [("127.0.0.1", reason)]
    assert intake.arrivals == []


async def test_who_comes_from_an_address_that_is_not_on_the_list_is_cut_before_it_says_anything(smg: Smg) -> None:
    with capture_logs() as lines:
        async with bound(smg, listen_allow=["192.0.2.0/24", "2001:db8::1"]):
            await smg.call()
            await smg.calls[0].closed.wait()
    assert smg.called == []
    assert refusals(lines) == [("127.0.0.1", "its address is not in listen_allow")]


async def test_who_submits_is_at_the_wrong_door(smg: Smg) -> None:
    async with bound(smg):
        await smg.call(login_type=LoginType.SP_TO_SMG)
        await until(lambda: smg.called)
    assert smg.called == [BindRefused(Result.LOGIN_TYPE)]


async def test_a_gateway_may_have_a_name_of_its_own_and_come_from_where_it_was_said(smg: Smg) -> None:
    async with bound(smg, listen_login_name="smg", listen_allow=["127.0.0.0/8"]):
        await smg.call(login="smg")
        await until(lambda: smg.called)
    assert smg.called == [Bound("", None)]


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def knock(smg: Smg, times: int) -> list[Streams]:
    return [await asyncio.open_connection("127.0.0.1", smg.listen_port) for _ in range(times)]


async def test_a_thousand_connections_that_never_log_in_do_not_keep_the_gateway_out(smg: Smg) -> None:
    with capture_logs() as lines:
        async with bound(smg) as (_, intake), asyncio.timeout(30.0):
            silent = await knock(smg, 500)
            await smg.call()
            silent += await knock(smg, 500)
            await smg.deliver(report())
            await until(lambda: smg.acknowledged)
            assert [await reader.read() for reader, _ in silent[:937]] == [b""] * 937
            assert not any(reader.at_eof() for reader, _ in silent[937:])
            for _, writer in silent:
                writer.close()
    assert len(intake.arrivals) == 1
    told = [line for line in lines if line["event"] == "carrier not let in"]
    assert told[0]["detail"] == "it had not logged in when connection 65 came"
    assert len(told) < 10


async def test_a_gateway_that_opens_more_and_more_connections_keeps_those_it_has(smg: Smg) -> None:
    async with bound(smg):
        for _ in range(64):
            await smg.call()
        await until(lambda: len(smg.called) == 64)
        await smg.call()
        await smg.calls[64].closed.wait()
        assert all(link.is_connected for link in smg.calls[:64])


BIND = codec.encode(pdus.Bind(login_type=2, login_name=LOGIN, login_password=PASSWORD))
STRANGE: list[tuple[str, bytes]] = [
    ("a login as long as a frame may be", (8192).to_bytes(4, "big") + BIND[4:] + b"x" * (8192 - len(BIND))),
    ("one octet at a time", BIND),
]


@pytest.mark.parametrize(("name", "octets"), STRANGE, ids=[case[0] for case in STRANGE])
async def test_a_login_may_be_padded_and_slow(smg: Smg, name: str, octets: bytes) -> None:
    async with bound(smg), asyncio.timeout(10.0):
        ((reader, writer),) = await knock(smg, 1)
        step = 1 if len(octets) < 100 else len(octets)
        for at in range(0, len(octets), step):
            writer.write(octets[at : at + step])
            await writer.drain()
            await asyncio.sleep(0)
        assert codec.decode(await reader.readexactly(29)) == pdus.BindResp()
        writer.close()


NOISE: list[tuple[str, bytes]] = [
    ("a frame of gigabytes", b"\x7f\xff\xff\xff" + bytes(16)),
    ("a login name beyond its field", b"\0\0\0\x15\0\0\0\x01" + bytes(12) + b"x"),
    ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("TLS", bytes.fromhex("16030100c2010000be0303") + bytes(180)),
    ("a delivery before the login", codec.encode(text_of(b"T", 0))),
]


@pytest.mark.parametrize(("name", "octets"), NOISE, ids=[case[0] for case in NOISE])
async def test_noise_at_the_listener_hurts_nobody_and_is_told_of_in_one_line(smg: Smg, name: str, octets: bytes) -> None:
    with capture_logs() as lines:
        async with bound(smg) as (carrier, intake), asyncio.timeout(10.0):
            ((_, writer),) = await knock(smg, 1)
            writer.write(octets)
            await until(lambda: any(line["event"] == "peer fault" for line in lines))
            writer.close()
            await smg.call()
            await smg.deliver(report())
            await until(lambda: smg.acknowledged)
            assert carrier.state is LinkState.UP
    assert len(intake.arrivals) == 1
    assert len([line for line in lines if line["event"] == "peer fault"]) == 1


async def test_several_links_that_fight_for_a_port_have_one_winner_and_one_heir(smg: Smg) -> None:
    async with bound(smg) as (winner, _), running(smg) as (heir, intake):
        await until(lambda: heir.state is LinkState.BLOCKED)
        await smg.call()
        await until(lambda: smg.called == [Bound("", None)])
        await winner.stop(1.0)
        await until(lambda: heir.state is LinkState.UP)
        await smg.call()
        await smg.deliver(report())
        await until(lambda: smg.acknowledged)
    assert len(intake.arrivals) == 1


async def test_a_port_in_use_is_an_incident_and_the_link_comes_up_when_it_is_free(smg: Smg) -> None:
    taken = socket.create_server(("127.0.0.1", smg.listen_port))
    try:
        async with running(smg) as (carrier, intake):
            await until(lambda: len(smg.binds) == 1 and carrier.state is LinkState.BLOCKED)
            assert carrier.free() == 0
            assert f"cannot listen on 127.0.0.1 port {smg.listen_port}: another program" in intake.details[-1]
            taken.close()
            await until(lambda: carrier.state is LinkState.UP)
            await smg.call()
            await until(lambda: smg.called)
    finally:
        taken.close()
    assert len(smg.binds) == 1


async def test_an_address_of_another_machine_is_an_incident(smg: Smg) -> None:
    async with running(smg, listen_host="192.0.2.1") as (carrier, intake):
        await until(lambda: carrier.state is LinkState.BLOCKED)
    assert "this machine has no such address" in next(detail for detail in intake.details if "listen" in detail)


async def test_only_the_first_link_of_a_connector_listens(smg: Smg) -> None:
    async with running(smg, slot=1) as (carrier, _):
        await until(lambda: carrier.state is LinkState.UP)
        with pytest.raises(OSError, match=r"refused|failed"):
            await smg.call()


async def test_a_port_is_free_again_after_a_stop_though_the_gateway_stayed(smg: Smg) -> None:
    for round_ in (1, 2):
        async with bound(smg):
            await smg.call()
            await until(lambda: len([event for event in smg.called if isinstance(event, Bound)]) == round_)  # noqa: B023
    assert [link.is_connected for link in smg.calls] == [False, False]
