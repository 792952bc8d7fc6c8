"""What a carrier may write, hostile or broken, through reader and outcome into either store: one bad octet must not stop the rest."""

import asyncio
from dataclasses import dataclass, field

import pytest

from yanshu.adapters.carriers.smpp.inbound import Delivery, Reader
from yanshu.adapters.carriers.smpp.settings import SmppSettings
from yanshu.pipeline.inbound import PART_WAIT, InboundStage
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.route import Router
from yanshu.ports.store import Page, Store
from yanshu.protocols.smpp import pdus
from yanshu.runtime.metrics import Metrics
from yanshu.testing.causes import shipped_causes
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


@dataclass
class Desk:
    """Reader, outcome and inbound stage over a store; `stored` is what was said of each burst."""

    store: Store
    clock: FakeClock
    stored: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        router = Router(self.store)
        self.inbound = InboundStage(self.clock, router)
        self.outcome = Outcome(self.store, self.clock, self.inbound, Metrics(), Waits(), shipped_causes(router))
        self.reader = Reader("con_1", SmppSettings(system_id="a"), "10690000", self.clock)

    async def take(self, *deliveries: Delivery) -> None:
        """One burst of deliveries, until it is stored."""
        running = asyncio.create_task(self.outcome.run())
        self.outcome.arrived(self.reader.read(deliveries), self.stored.append)
        settled = asyncio.create_task(self.outcome.settled())
        await asyncio.wait([running, settled], timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def give_up(self) -> None:
        """What the sweep does about parts that waited too long."""
        async with self.store.write() as uow:
            await self.inbound.give_up(uow, self.clock.now(), 100)
            await uow.commit()

    async def texts(self) -> list[tuple[str, bool]]:
        """Text and completeness of every inbound."""
        async with self.store.read() as uow:
            found = await uow.inbounds.page(WS, sender=None, recipient=None, livemode=None, page=Page())
        return [(inbound.text, inbound.complete) for inbound in found]


@pytest.fixture
async def desk(store: Store, clock: FakeClock) -> Desk:
    async with store.write() as uow:
        await uow.records.set_value("default_workspace", WS)
        await uow.commit()
    return Desk(store, clock)


async def test_whatever_a_carrier_writes_is_stored_and_stops_nothing(desk: Desk) -> None:
    await desk.take(*HOSTILE, deliver("退订".encode("utf-16-be")))
    assert desk.stored == [True]
    assert ("退订", True) in await desk.texts()


def part(number: int, text: str, reference: int = 9) -> pdus.DeliverSm:
    return deliver(bytes((5, 0, 3, reference, 2, number)) + text.encode("utf-16-be"), esm_class=0x40)


LONG_REPLIES: list[tuple[str, list[list[pdus.DeliverSm]], list[tuple[str, bool]]]] = [
    ("in order", [[part(1, "一")], [part(2, "二")]], [("一二", True)]),
    ("last part first", [[part(2, "二"), part(1, "一")]], [("一二", True)]),
    ("a part twice before the other", [[part(1, "一")], [part(1, "一")], [part(2, "二")]], [("一二", True)]),
    ("the last part again after the text was complete", [[part(1, "一"), part(2, "二")], [part(2, "二")]], [("一二", True)]),
    ("all of it again", [[part(1, "一"), part(2, "二")], [part(1, "一"), part(2, "二")]], [("一二", True)]),
    ("a part that never comes", [[part(2, "二")]], [("二", False)]),
    ("two texts at once", [[part(1, "一"), part(1, "三", 8), part(2, "四", 8), part(2, "二")]], [("一二", True), ("三四", True)]),
]


@pytest.mark.parametrize(("name", "bursts", "expected"), LONG_REPLIES, ids=[case[0] for case in LONG_REPLIES])
async def test_a_long_reply_is_put_together_once(
    desk: Desk, name: str, bursts: list[list[pdus.DeliverSm]], expected: list[tuple[str, bool]]
) -> None:
    for burst in bursts:
        await desk.take(*burst)
        desk.clock.advance(30)
    desk.clock.advance(PART_WAIT.total_seconds())
    await desk.give_up()
    assert sorted(await desk.texts()) == sorted(expected)
    assert all(desk.stored)
