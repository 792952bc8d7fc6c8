"""A customer's program that binds over SMPP and comes back whenever it is thrown out: what it was promised, and what it got."""

import asyncio
import contextlib
from collections import Counter
from typing import Any, Self

from tests.e2e.tap import Thread
from yanshu.protocols.events import Answered, Bound, Requested
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, pdus, receipts
from yanshu.protocols.smpp.esme import EsmeSession
from yanshu.runtime.link import Address, Link, connect

_PAUSE_SECONDS = 0.1


class Customer:
    """Submits while `is_submitting`. `promised` are the ids of positive answers, `receipts` counts final receipts by id."""

    def __init__(self, ports: list[int], system_id: str, password: str, window: int = 20, text: str = "【雁书】您好") -> None:
        self.promised: set[str] = set()
        self.receipts: Counter[str] = Counter()
        self.binds = 0
        self.refused: Counter[int] = Counter()
        self.is_submitting = True
        self._ports = ports
        self._bind = {"system_id": system_id, "password": password}
        self._window = window
        self._text = text.encode("utf-16-be")
        self._number = 0
        self._is_open = True
        self._links: set[Link] = set()
        self._thread = Thread()

    def __enter__(self) -> Self:
        self._thread.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._hang_up())
        self._thread.stop()

    async def _hang_up(self) -> None:
        self._is_open = False
        for link in list(self._links):
            link.abort()
            await link.closed.wait()

    async def _start(self) -> None:
        for place in range(len(self._ports)):
            asyncio.get_running_loop().create_task(self._live(place))

    async def _live(self, place: int) -> None:
        """Be bound to one of the ports, and after that to the next."""
        while self._is_open:
            port = self._ports[place % len(self._ports)]
            session: EsmeSession[int] = EsmeSession(pdus.BindTransceiver(**self._bind), self._window, Timers())
            link = Link(session, lambda events, session=session: self._take(session, events))
            with contextlib.suppress(OSError):
                await connect(Address("127.0.0.1", port), lambda link=link: link)
                self._links.add(link)
                while not link.closed.is_set():
                    self._submit(session, link)
                    await asyncio.sleep(0.005)
                self._links.discard(link)
            place += 1
            await asyncio.sleep(_PAUSE_SECONDS)

    def _submit(self, session: EsmeSession[int], link: Link) -> None:
        if not self.is_submitting or not session.free:
            return
        bodies = []
        for _ in range(session.free):
            self._number += 1
            to = f"138{self._number % 100_000_000:08}"
            pdu = pdus.SubmitSm(source_addr="1069", destination_addr=to, data_coding=8, short_message=self._text, registered_delivery=1)
            bodies.append((codec.body(pdu), self._number))
        session.submit(bodies, link.now())
        link.flush_soon()

    def _take(self, session: EsmeSession[int], events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Bound):
                self.binds += 1
            elif isinstance(event, Answered):
                if event.status:
                    self.refused[event.status] += 1
                else:
                    self.promised.add(event.message_id)
            elif isinstance(event, Requested):
                found = receipts.parse(str(event.pdu.short_message, "latin-1"))
                if found is not None:
                    self.receipts[found.id] += 1
                session.acknowledge([event.pdu])
