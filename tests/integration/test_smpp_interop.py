"""Our SMPP sessions against an independent implementation (smpp34), as client and as server, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import smpp34

from yanshu.protocols.events import Answered, BindRequested, Bound, Requested, Unbound
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Tag
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.protocols.smpp.smsc import SmscSession
from yanshu.runtime.link import Address, Link, connect, listen

TIMERS = Timers(response_timeout_seconds=5)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def bound_client(port: int, events: list[Any]) -> AsyncIterator[tuple[EsmeSession[Any], Link]]:
    """Our client, bound to whoever listens on `port`."""
    bind = pdus.BindTransceiver(system_id="yanshu", password="secret")
    session: EsmeSession[Any] = EsmeSession(bind, 100, TIMERS)
    link = Link(session, events.extend)
    await connect(Address("127.0.0.1", port), lambda: link)
    await until(lambda: session.is_bound)
    yield session, link
    session.unbind(link.now())
    link.flush_soon()
    await asyncio.wait_for(link.closed.wait(), 5)


@asynccontextmanager
async def peer_server() -> AsyncIterator[tuple[Any, int]]:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="PEER")
    await server.start()
    yield server, port
    await server.stop()


async def test_our_client_submits_to_their_server() -> None:
    events: list[Any] = []
    async with peer_server() as (server, port), bound_client(port, events) as (session, link):
        assert isinstance(await server.next(), smpp34.Esme)
        assert events == [Bound("PEER", events[0].version)]
        text = "您的验证码是123456".encode("utf-16-be")
        sar = {int(Tag.SAR_MSG_REF_NUM): b"\x12\x34", int(Tag.SAR_TOTAL_SEGMENTS): b"\x02", int(Tag.SAR_SEGMENT_SEQNUM): b"\x01"}
        submits = [
            pdus.SubmitSm(source_addr="106", destination_addr=f"861380013{number:04}", data_coding=8, short_message=text, tlvs=sar)
            for number in range(50)
        ]
        session.submit([(codec.body(pdu), number) for number, pdu in enumerate(submits)], link.now())
        link.flush_soon()
        for _ in range(50):
            submit = await server.next()  # in any order: their server takes PDUs concurrently
            number = int(submit.destination_addr[-4:])
            assert (submit.source_addr, submit.data_coding, bytes(submit.short_message)) == ("106", 8, text)
            assert [(tlv.tag, tlv.as_int()) for tlv in submit.tlvs] == [(0x20C, 0x1234), (0x20E, 2), (0x20F, 1)]
            if number % 2:
                submit.reject(smpp34.ESME_RTHROTTLED)
            else:
                submit.accept(f"id{number}")
        await until(lambda: len(events) == 51)
        answered = sorted((event.item, event.status, event.message_id) for event in events[1:])
        assert answered == [(number, 0x58, "") if number % 2 else (number, 0, f"id{number}") for number in range(50)]


async def test_our_client_takes_what_their_server_delivers() -> None:
    events: list[Any] = []
    async with peer_server() as (server, port), bound_client(port, events) as (session, link):
        esme = await server.next()
        tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"1001\0"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02")]
        delivering = asyncio.ensure_future(
            esme.deliver_sm("106", b"id:4097 stat:DELIVRD", source_addr="8613800138000", esm_class=4, tlvs=tlvs)
        )
        await until(lambda: len(events) == 2)
        requested = events[1]
        assert isinstance(requested, Requested)
        assert isinstance(requested.pdu, pdus.DeliverSm)
        assert (requested.pdu.esm_class, codec.tlv_text(requested.pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID)) == (4, "1001")
        assert not delivering.done()
        session.acknowledge([requested.pdu])
        link.flush_soon()
        assert (await delivering).is_success


@pytest.mark.parametrize("bind_type", ["TRX", "TX"])
async def test_their_client_submits_to_our_server(bind_type: str) -> None:
    seen: list[Any] = []
    links: list[Link] = []

    def take(session: SmscSession[Any], events: list[Any]) -> None:
        seen.extend(events)
        for event in events:
            if isinstance(event, BindRequested):
                session.accept_bind("OURS")
            elif isinstance(event, Requested):
                session.answer(event.pdu, message_id="a1")

    def make_link() -> Link:
        session: SmscSession[Any] = SmscSession(10, TIMERS)
        links.append(Link(session, lambda events: take(session, events)))
        return links[-1]

    server = await listen(Address("127.0.0.1", 0), make_link)
    client = smpp34.Client("127.0.0.1", server.sockets[0].getsockname()[1], "them", "pw", bind_type=bind_type)
    peer = await client.connect()
    response = await peer.submit_sm("8613800138000", b"hello", source_addr="106", registered_delivery=1)
    assert (response.is_success, response.message_id) == (True, "a1")
    if bind_type == "TRX":
        session = links[0].session
        assert isinstance(session, SmscSession)
        session.deliver(
            [(codec.body(pdus.DeliverSm(source_addr="86138", destination_addr="106", short_message=b"T")), "mo")], links[0].now()
        )
        links[0].flush_soon()
        delivered = await peer.next()
        assert bytes(delivered.short_message) == b"T"
        await until(lambda: any(isinstance(event, Answered) and event.item == "mo" for event in seen))
    await peer.unbind()
    await until(lambda: any(isinstance(event, Unbound) for event in seen))
    await client.stop()
    server.close()
    await asyncio.wait_for(links[0].closed.wait(), 5)
    await server.wait_closed()
