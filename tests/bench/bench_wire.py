"""Measures the wire side of the server: CPU a message from `SessionCarrier.submit` to the acknowledgement of its receipt.

Run: ``python -m tests.bench.bench_wire [--messages 50000] [--chunk 500] [--protocols smpp,cmpp,sgip,smgp]``; prints JSON: µs of CPU a
message.
The real carrier runs on an event loop whose connections are memory: no socket, no store. The sink's own formats
answer each chunk. Each figure is the best of several rounds: the machine's noise only ever adds.

Steps: `submit` makes the bodies and opens the window; `write` joins the octets for the socket; `answers` and `receipts` take
octets and give our own structs to the intake; `count` is the metrics of both; `acknowledge` answers the receipts.
Budget: 18 µs for all of them, over any protocol.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.bench.sink import CONNECTORS, SINKS, Counters, Sink
from yanshu.adapters.carriers.cmpp.dialect import cmpp_carrier
from yanshu.adapters.carriers.engine import SessionCarrier
from yanshu.adapters.carriers.sgip.dialect import sgip_carrier
from yanshu.adapters.carriers.smgp.dialect import smgp_carrier
from yanshu.adapters.carriers.smpp.dialect import smpp_carrier
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.ids import make_ids
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.domain.submissions import Answer, Arrival, Receipt
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.garbage import search_seldom
from yanshu.runtime.metrics import Metrics

ROUNDS = 5
SHORT = "【雁书】您的订单已发货，请留意查收，退订回T。"
PERSONAL = "【雁书】尊敬的客户{:06d}，您的订单已发货，退订回T。"
LONG = SHORT * 4  # two segments: figures are a message, not a segment
DATE = b"2601020304"
CARRIERS: dict[str, Callable[..., SessionCarrier]] = {
    "smpp": smpp_carrier,
    "cmpp": cmpp_carrier,
    "sgip": sgip_carrier,
    "smgp": smgp_carrier,
}


class Wire(asyncio.Transport):
    """A connection in memory: keeps what is written until the bench reads it."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self._written: list[bytes] = []

    def write(self, data: Any) -> None:
        """Keep octets."""
        self._written.append(data)

    def read(self) -> bytes:
        """Return what was written, and forget it."""
        data = b"".join(self._written)
        self._written.clear()
        return data

    def is_closing(self) -> bool:
        """Never by itself."""
        return False

    def abort(self) -> None:
        """End the connection, as a peer would."""
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class MemoryLoop(asyncio.SelectorEventLoop):
    """An event loop whose outgoing connections are memory."""

    wire: Wire

    async def create_connection(self, protocol_factory: Callable[[], Any], *_: Any, **__: Any) -> Any:
        """Connect to nobody."""
        self.wire = Wire(protocol_factory())
        self.wire.protocol.connection_made(self.wire)
        return self.wire, self.wire.protocol


class Intake:
    """Takes what the carrier reports, and keeps the last of it."""

    def __init__(self) -> None:
        self.answers: Sequence[Answer] = ()
        self.arrivals: Sequence[Arrival] = ()
        self.done: Callable[[bool], None] = lambda _: None
        self.is_up = False

    def answered(self, answers: Sequence[Answer]) -> None:
        """Submits have ended."""
        self.answers = answers

    def arrived(self, arrivals: Sequence[Arrival], done: Callable[[bool], None]) -> None:
        """Receipts have come."""
        self.arrivals, self.done = arrivals, done

    def link_changed(self, connector_id: str, state: LinkState, detail: str) -> None:
        """The link is up, or not."""
        self.is_up = state is LinkState.UP

    def window_opened(self, connector_id: str) -> None:
        """Permits are free."""


class Steps:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Add what the block costs."""
        started = time.thread_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - started


def make_messages(texts: Sequence[str], clock: SystemClock) -> list[Message]:
    """Return one claimed message a text, each to a number of its own."""
    now = clock.now()
    return [
        Message(
            id=ident,
            workspace_id="ws_01JDB0C0000000000000000000",
            livemode=True,
            lane=Lane.MARKETING,
            recipient=f"+86138{number:08d}",
            sender="",
            text=text,
            encoding=Encoding.UCS2,
            units=len(text),
            segments=-(-len(text) // 67) if len(text) > 70 else 1,
            status=Status.SUBMITTING,
            created_at=now,
            updated_at=now,
            expires_at=now + timedelta(hours=4),
            due_at=now + timedelta(seconds=30),
            connector_id="con_1",
            attempts=1,
        )
        for number, (ident, text) in enumerate(zip(make_ids("msg", len(texts), now, clock.entropy(10)), texts, strict=True))
    ]


def replies_to(sink: Sink, data: bytes, first_id: int) -> tuple[list[bytes], list[bytes]]:
    """Return an answer and a receipt for each submit in `data`, as the sink writes them."""
    answers: list[bytes] = []
    receipts: list[bytes] = []
    at = 0
    while at < len(data):
        length, command, *_, sequence = sink.header.unpack_from(data, at)
        if command == sink.submit:
            source, dest, _ = sink.addresses(data, at)
            ident = first_id + len(answers)
            answers.append(sink.answer(sequence, ident))
            sink.sequence = sequence
            receipts.append(sink.receipt(source, dest, ident, DATE))
        at += length
    return answers, receipts


class Bench:
    """A bound carrier and its peer."""

    def __init__(self, protocol: str, chunk: int, settings: dict[str, Any]) -> None:
        self._sink = SINKS[protocol](Counters(b""))
        self._clock = SystemClock()
        self._intake = Intake()
        self._metrics = Metrics()
        self._next_id = time.time_ns() >> 14
        self._chunk = chunk
        connector = Connector(
            id="con_1",
            name="memory",
            protocol=protocol,
            host="127.0.0.1",
            port=1,
            secret="",
            sender="10690000",
            window=2 * chunk,
            settings={**CONNECTORS[protocol], **settings},
            created_at=self._clock.now(),
            updated_at=self._clock.now(),
        )
        self._carrier = CARRIERS[protocol](connector, "bench", self._intake, self._clock)

    async def run(self, texts: Sequence[str]) -> dict[str, float]:
        """Return µs a message by step, the best of the rounds."""
        task = asyncio.create_task(self._carrier.run())
        wire = await self._bound()
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            steps = Steps()
            for first in range(0, len(texts), self._chunk):
                await self._one(wire, texts[first : first + self._chunk], steps)
            for name, seconds in steps.seconds.items():
                best[name] = min(best.get(name, seconds), seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        micros = {name: round(seconds / len(texts) * 1e6, 2) for name, seconds in best.items()}
        return {**micros, "total": round(sum(micros.values()), 2)}

    async def _bound(self) -> Wire:
        """Let the carrier bind."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MemoryLoop)
        while not hasattr(loop, "wire"):
            await asyncio.sleep(0)
        asked, answer = loop.wire.read(), []
        _, command, *_, sequence = self._sink.header.unpack_from(asked)
        self._sink.other(command, sequence, asked, answer)
        loop.wire.protocol.data_received(b"".join(answer))
        assert self._intake.is_up
        return loop.wire

    async def _one(self, wire: Wire, texts: Sequence[str], steps: Steps) -> None:
        """Take one chunk through all steps."""
        messages = make_messages(texts, self._clock)
        with steps.measured("submit"):
            self._carrier.submit(messages)
        with steps.measured("write"):
            await asyncio.sleep(0)
        answers, receipts = replies_to(self._sink, wire.read(), self._next_id)
        self._next_id += len(answers)
        stream, reports = b"".join(answers), b"".join(receipts)
        with steps.measured("answers"):
            wire.protocol.data_received(stream)
        with steps.measured("receipts"):
            wire.protocol.data_received(reports)
        self._check(messages, len(answers))
        with steps.measured("count"):
            self._metrics.answered(self._intake.answers)
            self._metrics.arrived(self._intake.arrivals)
        with steps.measured("acknowledge"):
            self._intake.done(True)
            await asyncio.sleep(0)
        wire.read()

    def _check(self, messages: Sequence[Message], segments: int) -> None:
        """What is fast must also be right."""
        assert len(self._intake.answers) == len(self._intake.arrivals) == segments
        last, receipt = self._intake.answers[-1], self._intake.arrivals[-1]
        assert last.message_id == messages[-1].id
        assert isinstance(receipt, Receipt)
        assert last.carrier_message_id.lstrip("0") in receipt.keys
        assert receipt.recipient == messages[-1].recipient


def cases(protocol: str, count: int) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """Return texts and connector settings by name."""
    found: dict[str, tuple[list[str], dict[str, Any]]] = {
        "one text": ([SHORT] * count, {}),
        "a text for everybody": ([PERSONAL.format(n) for n in range(count)], {}),
        "two segments": ([LONG] * count, {}),
    }
    return found if protocol != "smpp" else {**found, "with validity": ([SHORT] * count, {"validity": True})}


async def measure(protocol: str, chunk: int, settings: dict[str, Any], texts: Sequence[str]) -> dict[str, float]:
    """Return µs a message by step, of one case."""
    return await Bench(protocol, chunk, settings).run(texts)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--chunk", type=int, default=500, help="messages a claim; the window is twice that")
    parser.add_argument("--protocols", default=",".join(CARRIERS))
    options = parser.parse_args()
    search_seldom()  # as the server does
    found: dict[str, dict[str, dict[str, float]]] = {}
    for protocol in options.protocols.split(","):
        for name, (texts, settings) in cases(protocol, options.messages).items():
            with asyncio.Runner(loop_factory=MemoryLoop) as runner:
                found.setdefault(protocol, {})[name] = runner.run(measure(protocol, options.chunk, settings, texts))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
