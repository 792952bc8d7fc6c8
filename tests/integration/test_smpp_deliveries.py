"""What a carrier may write, hostile or broken, through reader and outcome into either store: one bad octet must not stop the rest."""

import asyncio

from yanshu.adapters.carriers.smpp_inbound import Delivery, Reader
from yanshu.adapters.carriers.smpp_settings import SmppSettings
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.route import Router
from yanshu.ports.store import Page, Store
from yanshu.protocols.smpp import pdus
from yanshu.runtime.metrics import Metrics
from yanshu.testing.clocks import FakeClock

PATIENCE_SECONDS = 20
ENDLESS = 5000
WS = "ws_1"


def deliver(content: bytes, coding: int = 8, esm_class: int = 0, **fields: object) -> pdus.DeliverSm:
    pdu = pdus.DeliverSm(
        source_addr="8613800138000", destination_addr="10690000", data_coding=coding, esm_class=esm_class, short_message=content
    )
    for name, value in fields.items():
        setattr(pdu, name, value)
    return pdu


HOSTILE: list[Delivery] = [
    deliver(b"\0\0\0a"),
    deliver(b"a\0b", coding=3),
    deliver(b"\0a", coding=15),
    deliver(b"\0\xb0\xa1\0", coding=0),
    deliver(b"\xd8\x3d"),
    deliver(b"\x05\x00\x03\x07\x02\x01\0\0", esm_class=0x40),
    deliver(b"\x05\x00\x03\x07\x02\x01\xd8\x3d", esm_class=0x40),
    deliver(b"\xff" * 140, esm_class=0x40),
    deliver(b"\0a", tlvs={0x20C: b"\xff" * 12, 0x20E: b"\xff" * 9, 0x20F: b"\x01"}),
    deliver(b"\0a", tlvs={0x20C: b"\xff" * 12, 0x20E: b"\xff", 0x20F: b"\xff"}),
    deliver(b"\0a", source_addr="x" * ENDLESS, destination_addr="y" * ENDLESS),
    deliver(b"", tlvs={0x424: b"\0" * 60_000}),
    deliver(b"id:ab\0c stat:DELI\0VRD err:0\0 text:\0", esm_class=4),
    deliver(bytes(range(254)), esm_class=4),
    deliver(b"", esm_class=4, source_addr=""),
    deliver(b"", esm_class=4, tlvs={0x1E: b"i" * ENDLESS, 0x427: b"\xff" * 40, 0x423: b"\xff" * ENDLESS}),
    pdus.DataSm(esm_class=4, tlvs={0x424: b"id:" + b"9" * ENDLESS + b" stat:" + b"s" * ENDLESS}),
    pdus.DeliverSm(),
]


async def test_whatever_a_carrier_writes_is_stored_and_stops_nothing(store: Store, clock: FakeClock) -> None:
    async with store.write() as uow:
        await uow.records.set_value("default_workspace", WS)
        await uow.commit()
    outcome = Outcome(store, clock, InboundStage(clock, Router(store)), Metrics(), Waits())
    running = asyncio.create_task(outcome.run())
    reader = Reader("con_1", SmppSettings(system_id="a"), "10690000", clock)
    stored: list[bool] = []
    outcome.arrived(reader.read([*HOSTILE, deliver("退订".encode("utf-16-be"))]), stored.append)
    settled = asyncio.create_task(outcome.settled())
    await asyncio.wait([running, settled], timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done(), running.exception()
    assert stored == [True]
    async with store.read() as uow:
        texts = {inbound.text for inbound in await uow.inbounds.page(WS, sender=None, recipient=None, livemode=None, page=Page())}
    assert "退订" in texts
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
