"""A customer's program that binds over SMPP: what it submits, is answered and gets delivered; driven from the tests' thread."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.integration.serving import Served, until
from yanshu.protocols.events import Answered, BindRefused, Bound, PeerFault, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Status
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.link import Address, Link, connect

WINDOW = 500


class Program:
    """One session. `acknowledge` says with which status a delivery is answered; None: not at all."""

    def __init__(self, served: Served, kind: type[pdus.Bind] = pdus.BindTransceiver) -> None:
        self._served = served
        self._kind = kind
        self.link: Link | None = None
        self.session: EsmeSession[Any] | None = None
        self.bound: Bound | BindRefused | None = None
        self.answers: dict[Any, Answered[Any]] = {}
        self.delivered: list[pdus.DeliverSm] = []
        self.faults: list[str] = []
        self.acknowledge: Callable[[pdus.DeliverSm], int | None] = lambda _: Status.ESME_ROK

    def open(self, system_id: str, password: str) -> "Program":
        """Connect and ask to bind; returns once that is answered."""
        self._served.run(self._open(system_id, password))
        until("the answer to the bind", lambda: self.bound is not None or self.is_closed)
        return self

    async def _open(self, system_id: str, password: str) -> None:
        host, _, port = self._served.platform.reception.addresses["smpp"].rpartition(":")
        bind = self._kind(system_id=system_id, password=password)
        self.session = EsmeSession(bind, WINDOW, Timers(response_timeout_seconds=30))
        link = self.link = Link(self.session, self._take)
        await connect(Address(host, int(port)), lambda: link)

    def _take(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Bound | BindRefused):
                self.bound = event
            elif isinstance(event, Answered):
                self.answers[event.item] = event
            elif isinstance(event, Requested):
                self.delivered.append(event.pdu)
                status = self.acknowledge(event.pdu)
                if status is not None and self.session is not None:
                    self.session.acknowledge([event.pdu], status)
            elif isinstance(event, PeerFault):
                self.faults.append(event.detail)

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self.link is not None and self.link.closed.is_set()

    def submit(self, *requests: pdus.SubmitSm) -> list[Answered[Any]]:
        """Submit in one write and return the answers, in order."""
        items = [len(self.answers) + place for place in range(len(requests))]

        async def write() -> None:
            assert self.session is not None
            assert self.link is not None
            pairs = zip(requests, items, strict=True)
            self.session.submit([(codec.body(request), item) for request, item in pairs], self.link.now())
            self.link.flush_soon()

        self._served.run(write())
        until("the answers", lambda: all(item in self.answers for item in items))
        return [self.answers[item] for item in items]

    def write(self, octets: bytes) -> None:
        """Write octets as they are."""

        async def step() -> None:
            assert self.session is not None
            assert self.link is not None
            self.session.send_octets(octets)
            self.link.flush_soon()

        self._served.run(step())

    def unbind(self) -> None:
        """Say goodbye and wait until the connection is closed."""

        async def step() -> None:
            assert self.session is not None
            assert self.link is not None
            self.session.unbind(self.link.now())
            self.link.flush_soon()

        self._served.run(step())
        until("the goodbye", lambda: self.is_closed)

    def cut(self) -> None:
        """Hang up without a word."""

        async def step() -> None:
            assert self.link is not None
            self.link.abort()
            await asyncio.sleep(0)

        self._served.run(step())
        until("the end", lambda: self.is_closed)


def submit_sm(to: str, text: str = "【雁书】您好", **fields: Any) -> pdus.SubmitSm:
    """A submit in UCS-2 that asks for a receipt."""
    values: dict[str, Any] = {
        "source_addr": "10690001",
        "destination_addr": to,
        "data_coding": 8,
        "short_message": text.encode("utf-16-be"),
        "registered_delivery": 1,
    }
    return pdus.SubmitSm(**(values | fields))
