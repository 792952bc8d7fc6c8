"""A carrier that costs next to nothing: answers every submit_sm and reports delivery in the same write.

Run as its own process: ``python -m tests.bench.sink --port 0``. One JSON line says where it listens. It reads PDUs by
slicing, keeps no message, and checks nothing, so what the benchmark measures is the platform and not its peer.
Budget: 12 µs CPU a message (submit, answer, receipt, acknowledgement).

The control port speaks lines: ``stats`` and ``arrivals`` answer one JSON line, ``reset`` starts the counters anew.
"""

import argparse
import asyncio
import json
import resource
import signal
import sys
import time
from struct import Struct
from typing import Any

import uvloop

HEADER = Struct(">IIII")
SUBMIT_SM, SUBMIT_SM_RESP, DELIVER_SM, DELIVER_SM_RESP = 4, 0x80000004, 5, 0x80000005
ENQUIRE_LINK, UNBIND = 0x15, 6
BINDS = frozenset({1, 2, 9})
BIND_TRANSMITTER = 2
RESPONSE = 0x80000000
LARGEST_SEQUENCE = 0x7FFFFFFF
LARGEST_PDU = 65_536

# After the addresses of a receipt: esm_class 4 (receipt), no times, data_coding 0, then length and text.
RECEIPT_FIELDS = b"\x04\x00\x00\x00\x00\x00\x00\x00\x00"
LOCAL_OFFSET_SECONDS = 8 * 3600  # carriers in China write their own time
RECEIPT_TEXT = b"id:%012x sub:001 dlvrd:001 submit date:%b done date:%b stat:DELIVRD err:000 text:"


class Counters:
    """What the sink has seen since the last reset; `arrivals` maps watched numbers to wall time of their first submit."""

    def __init__(self, watch: bytes) -> None:
        self.watch = watch
        self.next_id = time.time_ns() >> 14  # twelve hexadecimal digits until the year 2116
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self.submits = self.receipts = self.acknowledged = self.unreported = 0
        self.first_at = self.last_at = 0.0
        self.arrivals: dict[bytes, float] = {}
        self.cpu_before = _cpu_seconds()

    def stats(self) -> dict[str, Any]:
        """The counters as JSON values; `cpu_seconds` is what this process spent since the reset."""
        cpu = _cpu_seconds() - self.cpu_before
        return {
            "submits": self.submits,
            "receipts": self.receipts,
            "acknowledged": self.acknowledged,
            "unreported": self.unreported,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "cpu_seconds": round(cpu, 6),
            "cpu_micros_per_message": round(cpu * 1e6 / self.submits, 2) if self.submits else None,
        }


class Sink(asyncio.Protocol):
    """One link. Receipts go back over the link of the submit, or over any link that can receive when it cannot."""

    receivers: "list[Sink]" = []  # noqa: RUF012 - shared by all links on purpose

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.rest = b""
        self.sequence = 0
        self.receives = True
        self.stamp = (0, b"")

    def connection_made(self, transport: Any) -> None:
        """Keep the transport; asyncio has already switched Nagle's algorithm off."""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the link."""
        if self in self.receivers:
            self.receivers.remove(self)

    def pause_writing(self) -> None:
        """The peer does not read: take no more from it until it does."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Answer every whole PDU, all in one write."""
        if self.rest:
            data = self.rest + data
        size, start, now = len(data), 0, time.time()
        out: list[bytes] = []
        while size - start >= 16:
            length, command, _, sequence = HEADER.unpack_from(data, start)
            if not 16 <= length <= LARGEST_PDU:
                self.transport.abort()
                return
            if size - start < length:
                break
            if command == SUBMIT_SM:
                self._submit(data, start + 16, sequence, now, out)
            elif command == DELIVER_SM_RESP:
                self.counters.acknowledged += 1
            else:
                self._other(command, sequence, out)
            start += length
        self.rest = data[start:]
        if out:
            self.transport.write(b"".join(out))

    def _submit(self, data: bytes, at: int, sequence: int, now: float, out: list[bytes]) -> None:
        """Answer one submit and report it delivered."""
        counters = self.counters
        source = data.index(0, at) + 1
        dest = data.index(0, source + 2) + 1
        end = data.index(0, dest + 2) + 1
        ident = counters.next_id = counters.next_id + 1
        out.append(HEADER.pack(29, SUBMIT_SM_RESP, 0, sequence) + b"%012x\x00" % ident)
        if not counters.submits:
            counters.first_at = now
        counters.submits += 1
        counters.last_at = now
        if counters.watch and data.startswith(counters.watch, dest + 2):
            counters.arrivals.setdefault(data[dest + 2 : end - 1], now)
        if self.receives:
            out.append(self._receipt(data[dest:end], data[source:dest], ident, now))
        elif self.receivers:
            other = self.receivers[0]
            other.transport.write(other._receipt(data[dest:end], data[source:dest], ident, now))
        else:
            counters.unreported += 1

    def _receipt(self, source: bytes, dest: bytes, ident: int, now: float) -> bytes:
        """Return one deliver_sm; the dates are made once a minute."""
        minute = int(now) // 60
        if self.stamp[0] != minute:
            self.stamp = (minute, time.strftime("%y%m%d%H%M", time.gmtime(now + LOCAL_OFFSET_SECONDS)).encode())
        date = self.stamp[1]
        text = RECEIPT_TEXT % (ident, date, date)
        self.sequence = self.sequence % LARGEST_SEQUENCE + 1
        self.counters.receipts += 1
        body = b"\x00%b%b%b%c%b" % (source, dest, RECEIPT_FIELDS, len(text), text)
        return HEADER.pack(16 + len(body), DELIVER_SM, 0, self.sequence) + body

    def _other(self, command: int, sequence: int, out: list[bytes]) -> None:
        """Answer binds, enquire_link and unbind; responses need no answer."""
        if command in BINDS:
            self.receives = command != BIND_TRANSMITTER
            if self.receives:
                self.receivers.append(self)
            out.append(HEADER.pack(21, command | RESPONSE, 0, sequence) + b"SINK\x00")
        elif command in (ENQUIRE_LINK, UNBIND):
            out.append(HEADER.pack(16, command | RESPONSE, 0, sequence))


def _cpu_seconds() -> float:
    """CPU time of this process so far, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def answer_line(counters: Counters, line: bytes) -> dict[str, Any]:
    """Return the answer to one control line."""
    match line.strip():
        case b"stats":
            return counters.stats()
        case b"arrivals":
            return {number.decode(): at for number, at in counters.arrivals.items()}
        case b"reset":
            counters.reset()
            return {"reset": True}
    return {"error": "say stats, arrivals or reset"}


async def serve(host: str, port: int, control_port: int, watch: str) -> None:
    """Listen until SIGTERM or SIGINT; SIGUSR1 prints the counters to standard error."""
    counters = Counters(watch.encode())
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: sys.stderr.write(json.dumps(counters.stats()) + "\n"))

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(answer_line(counters, line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    server = await loop.create_server(lambda: Sink(counters), host, port)
    controls = await asyncio.start_server(control, host, control_port)
    bound, control_bound = (one.sockets[0].getsockname()[1] for one in (server, controls))
    sys.stdout.write(json.dumps({"host": host, "port": bound, "control_port": control_bound}) + "\n")
    sys.stdout.flush()
    await stopping.wait()
    server.close()
    controls.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--watch", default="", help="note when submits to numbers with this prefix arrive")
    args = parser.parse_args()
    uvloop.run(serve(args.host, args.port, args.control_port, args.watch))


if __name__ == "__main__":
    main()
