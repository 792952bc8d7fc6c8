"""Customers' programs that bind: what they submit, are answered and get delivered; driven from the tests' thread."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.integration.serving import Served, until
from yanshu.protocols.cmpp import codec as cmpp_codec
from yanshu.protocols.cmpp import digests
from yanshu.protocols.cmpp import pdus as cmpp
from yanshu.protocols.cmpp.constants import Version
from yanshu.protocols.cmpp.sp import SpSession
from yanshu.protocols.events import Answered, BindRefused, Bound, PeerFault, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import Status
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.link import Address, Link, connect

WINDOW = 500


class RecordingLink(Link):
    """A link that keeps what the platform wrote."""

    heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data
        super().data_received(data)


class Program:
    """One session. `acknowledge` says with which status a delivery is answered; None: not at all."""

    def __init__(self, served: Served, kind: type[pdus.Bind] = pdus.BindTransceiver) -> None:
        self._served = served
        self._kind = kind
        self.link: RecordingLink | None = None
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
        link = self.link = RecordingLink(self.session, self._take)
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


class _Body:
    """A submit in whichever version."""

    def __init__(self, pdu: cmpp.Submit) -> None:
        self._pdu = pdu

    def octets(self, version: Version) -> bytes:
        return cmpp_codec.body(self._pdu, version)


class CmppProgram:
    """One session over CMPP. `acknowledge` says with which result a delivery is answered; None: not at all."""

    def __init__(self, served: Served, version: Version = Version.V30) -> None:
        self._served = served
        self._version = version
        self.link: RecordingLink | None = None
        self.session: SpSession[Any] | None = None
        self.bound: Bound | BindRefused | None = None
        self.answers: dict[Any, Answered[Any]] = {}
        self.delivered: list[cmpp.Deliver] = []
        self.faults: list[str] = []
        self.acknowledge: Callable[[cmpp.Deliver], int | None] = lambda _: 0

    def open(self, system_id: str, secret: str) -> "CmppProgram":
        """Connect and log in; returns once that is answered."""
        self._served.run(self._open(system_id, secret))
        until("the answer to the login", lambda: self.bound is not None or self.is_closed)
        return self

    async def _open(self, system_id: str, secret: str) -> None:
        host, _, port = self._served.platform.reception.addresses["cmpp"].rpartition(":")
        digest = digests.authenticator_source(system_id, secret, 102030405)
        login = cmpp.Connect(source_addr=system_id, authenticator_source=digest, version=int(self._version), timestamp=102030405)
        self.session = SpSession(login, secret, WINDOW, Timers(response_timeout_seconds=30))
        link = self.link = RecordingLink(self.session, self._take)
        await connect(Address(host, int(port)), lambda: link)

    def _take(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Bound | BindRefused):
                self.bound = event
            elif isinstance(event, Answered):
                self.answers[event.item] = event
            elif isinstance(event, Requested):
                self.delivered.append(event.pdu)
                result = self.acknowledge(event.pdu)
                if result is not None and self.session is not None:
                    self.session.acknowledge([event.pdu], result)
            elif isinstance(event, PeerFault):
                self.faults.append(event.detail)

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self.link is not None and self.link.closed.is_set()

    def submit(self, *requests: cmpp.Submit) -> list[Answered[Any]]:
        """Submit in one write and return the answers, in order."""
        items = [len(self.answers) + place for place in range(len(requests))]

        async def write() -> None:
            assert self.session is not None
            assert self.link is not None
            pairs = [(_Body(request), item) for request, item in zip(requests, items, strict=True)]
            self.session.submit(pairs, self.link.now())
            self.link.flush_soon()

        self._served.run(write())
        until("the answers", lambda: all(item in self.answers for item in items))
        return [self.answers[item] for item in items]

    def ask(self, pdu: cmpp.Pdu) -> None:
        """Write a PDU as it is."""

        async def step() -> None:
            assert self.session is not None
            assert self.link is not None
            self.session.send(pdu)
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


def submit_of(to: str | tuple[str, ...], text: str = "【雁书】您好", **fields: Any) -> cmpp.Submit:
    """A CMPP submit in UCS-2 that asks for a report."""
    values: dict[str, Any] = {
        "service_id": "SHOP",
        "msg_src": "900001",
        "src_id": "10690001",
        "dest_terminal_ids": (to,) if isinstance(to, str) else to,
        "msg_fmt": 8,
        "msg_content": text.encode("utf-16-be"),
    }
    return cmpp.Submit(**(values | fields))
