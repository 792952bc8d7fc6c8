"""A tap on the wire to a carrier: an independent witness of what was submitted, acknowledged and bound."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Self

from yanshu.protocols.fields import Framer
from yanshu.protocols.smpp import codec, pdus

_LIMIT = 1 << 20


class Thread:
    """An event loop in a thread of its own, for servers beside a test that blocks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` there to its end; its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        """End every task, then the loop."""
        self.run(_end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Tap:
    """Listens on `port` and passes everything on to the carrier at `target`, which may come and go.

    `submits` counts every submit_sm that was written, less those the carrier refused: (number, octets) → times. `reported`
    are the numbers whose positive receipt, `texts` the MO that the platform has acknowledged. `links` are the
    binds there are, `most_links` how many there were at once.
    """

    def __init__(self, target: int) -> None:
        self.submits: Counter[tuple[str, bytes]] = Counter()
        self.reported: set[str] = set()
        self.texts: Counter[bytes] = Counter()
        self.most_links = 0
        self._target = target
        self.links = 0
        self._thread = Thread()
        self._server: asyncio.Server = self._thread.run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.stop()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes both ways until either side ends; then end the other."""
        witness = _Witness(self)
        try:
            carrier_reader, carrier_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(_pass(reader, carrier_writer, witness.written)),
            asyncio.create_task(_pass(carrier_reader, writer, witness.delivered)),
        ]
        with contextlib.suppress(asyncio.CancelledError):  # the test is over
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self.links -= witness.is_bound
        writer.close()
        carrier_writer.close()

    def bound(self) -> None:
        """One more bind."""
        self.links += 1
        self.most_links = max(self.most_links, self.links)


class _Witness:
    """What is known of one connection."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._up, self._down = Framer(codec.HEADER_LENGTH, _LIMIT), Framer(codec.HEADER_LENGTH, _LIMIT)
        self._submits: dict[int, tuple[str, bytes]] = {}
        self._deliveries: dict[int, pdus.DeliverSm] = {}
        self.is_bound = False

    def written(self, data: bytes) -> None:
        """The platform has written."""
        for pdu in map(codec.decode, self._up.feed(data)):
            if isinstance(pdu, pdus.SubmitSm):
                key = (pdu.destination_addr, pdu.short_message)
                self._submits[pdu.sequence_number] = key
                self._tap.submits[key] += 1
            elif isinstance(pdu, pdus.DeliverSmResp) and pdu.command_status == 0:
                self._acknowledged(self._deliveries.pop(pdu.sequence_number))

    def delivered(self, data: bytes) -> None:
        """The carrier has written."""
        for pdu in map(codec.decode, self._down.feed(data)):
            if isinstance(pdu, pdus.DeliverSm):
                self._deliveries[pdu.sequence_number] = pdu
            elif isinstance(pdu, pdus.SubmitSmResp):
                key = self._submits.pop(pdu.sequence_number)
                self._tap.submits[key] -= pdu.command_status != 0
            elif isinstance(pdu, pdus.BindResp) and pdu.command_status == 0:
                self.is_bound = True
                self._tap.bound()

    def _acknowledged(self, pdu: pdus.DeliverSm) -> None:
        if b"stat:DELIVRD" in pdu.short_message:
            self._tap.reported.add(pdu.source_addr)
        elif b"stat:" not in pdu.short_message:
            self._tap.texts[pdu.short_message] += 1


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            seen(data)
            writer.write(data)
            await writer.drain()
