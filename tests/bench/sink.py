"""A carrier that costs next to nothing: answers every submit and reports delivery in the same write.

Run as its own process: ``python -m tests.bench.sink --port 0 --protocol cmpp``. One JSON line says where it listens. It reads PDUs
by slicing, keeps no message, and checks nothing, so what the benchmark measures is the platform and not its peer.
Budget: 12 µs CPU a message (submit, answer, receipt, acknowledgement).

The control port speaks lines: ``stats`` and ``arrivals`` answer one JSON line, ``reset`` starts the counters anew, ``hold`` keeps
receipts back from now on, ``release`` writes all that were kept.
"""

import argparse
import asyncio
import json
import resource
import signal
import sys
import time
from abc import ABC, abstractmethod
from hashlib import md5
from struct import Struct
from typing import Any, ClassVar

import uvloop

# SMPP and CMPP give these the same numbers.
SUBMIT, SUBMIT_RESP, DELIVER, DELIVER_RESP = 4, 0x80000004, 5, 0x80000005
RESPONSE = 0x80000000
LARGEST_SEQUENCE = 0x7FFFFFFF
LARGEST_PDU = 65_536

SMPP_HEADER = Struct(">IIII")
ENQUIRE_LINK, UNBIND = 0x15, 6
BINDS = frozenset({1, 2, 9})
BIND_TRANSMITTER = 2

# After the addresses of a receipt: esm_class 4 (receipt), no times, data_coding 0, then length and text.
RECEIPT_FIELDS = b"\x04\x00\x00\x00\x00\x00\x00\x00\x00"
LOCAL_OFFSET_SECONDS = 8 * 3600  # carriers in China write their own time
RECEIPT_TEXT = b"id:%012x sub:001 dlvrd:001 submit date:%b done date:%b stat:DELIVRD err:000 text:"

CMPP_HEADER = Struct(">III")
CONNECT, TERMINATE, ACTIVE_TEST = 1, 2, 8
# Octets of a CMPP 3.0 SUBMIT to one number, from the start of its header.
SOURCE, DESTINATION = slice(119, 140), slice(141, 173)
AUTHENTICATOR = slice(18, 34)
BENCH_SECRET = b"bench"
CMPP_REPORT = Struct(">Q7s10s10s32sI")
CMPP_DELIVER = Struct(">Q21s10sBBB32sBBB71s20s")

SMGP_SUBMIT, SMGP_SUBMIT_RESP, SMGP_DELIVER, SMGP_DELIVER_RESP = 2, 0x80000002, 3, 0x80000003
LOGIN, SMGP_ACTIVE_TEST, EXIT = 1, 4, 6
# Octets of an SMGP Submit to one number, and of the digest in a Login, from the start of the header.
SMGP_SOURCE, SMGP_DESTINATION = slice(74, 95), slice(117, 138)
SMGP_AUTHENTICATOR = slice(20, 36)
SMGP_REPORT = b"id:%b sub:001 dlvrd:001 submit date:%b done date:%b stat:DELIVRD err:000 text:" + bytes(20)
SMGP_DELIVERY = Struct(">10sBB14s21s21sB122s8s")


SGIP_HEADER = Struct(">II12s")
SGIP_SUBMIT, SGIP_SUBMIT_RESP, SGIP_REPORT, SGIP_REPORT_RESP = 3, 0x80000003, 5, 0x80000005
SGIP_BIND, SGIP_UNBIND = 1, 2
# Octets of an SGIP SUBMIT to one number, from the start of its header.
SGIP_SEQUENCE, SGIP_DESTINATION = slice(8, 20), slice(63, 84)
SGIP_ANSWER = bytes(9)  # result 0 and the reserve
SGIP_NODE = (101_000).to_bytes(4, "big")
SGIP_REPORTED = Struct(">12sB21sBB8s")

# What the settings of a connector to the sink are; a gateway that reports over our own connection has to keep it.
CONNECTORS: dict[str, dict[str, Any]] = {
    "smpp": {"system_id": "bench"},
    "cmpp": {"sp_id": "bench"},
    "sgip": {"login_name": "bench", "corp_id": "01234", "area_code": "010", "listen_port": 0, "idle_seconds": 0},
    "smgp": {"client_id": "bench"},
}


class Counters:
    """What the sink has seen since the last reset; `arrivals` maps watched numbers to wall time of their first submit."""

    def __init__(self, watch: bytes) -> None:
        self.watch = watch
        self.is_holding = False
        self.held: list[tuple[Any, bytes]] = []
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


class Sink(asyncio.Protocol, ABC):
    """One link. Receipts go back over the link of the submit, or over any link that can receive when it cannot."""

    header: ClassVar[Struct]
    submit: ClassVar[int] = SUBMIT
    deliver_resp: ClassVar[int] = DELIVER_RESP
    receivers: "ClassVar[list[Sink]]" = []  # noqa: RUF012 - shared by all links on purpose

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
        size, start, now, least = len(data), 0, time.time(), self.header.size
        submit, deliver_resp = self.submit, self.deliver_resp
        out: list[bytes] = []
        while size - start >= least:
            length, command, *_, sequence = self.header.unpack_from(data, start)
            if not least <= length <= LARGEST_PDU:
                self.transport.abort()
                return
            if size - start < length:
                break
            if command == submit:
                self._submit(data, start, sequence, now, out)
            elif command == deliver_resp:
                self.counters.acknowledged += 1
            else:
                self.other(command, sequence, data[start : start + length], out)
            start += length
        self.rest = data[start:]
        if out:
            self.transport.write(b"".join(out))

    def _submit(self, data: bytes, start: int, sequence: int, now: float, out: list[bytes]) -> None:
        """Answer one submit and report it delivered."""
        counters = self.counters
        ident = counters.next_id = counters.next_id + 1
        out.append(self.answer(sequence, ident))
        if not counters.submits:
            counters.first_at = now
        counters.submits += 1
        counters.last_at = now
        source, dest, number = self.addresses(data, start)
        if counters.watch and number.startswith(counters.watch):
            counters.arrivals.setdefault(number, now)
        if counters.is_holding:
            counters.held.append((self.transport, self._receipt(source, dest, ident, now)))
        elif self.receives:
            out.append(self._receipt(source, dest, ident, now))
        elif self.receivers:
            other = self.receivers[0]
            other.transport.write(other._receipt(source, dest, ident, now))
        else:
            counters.unreported += 1

    def _receipt(self, source: bytes, dest: bytes, ident: int, now: float) -> bytes:
        """Return one receipt; the dates are made once a minute."""
        minute = int(now) // 60
        if self.stamp[0] != minute:
            self.stamp = (minute, time.strftime("%y%m%d%H%M", time.gmtime(now + LOCAL_OFFSET_SECONDS)).encode())
        self.sequence = self.sequence % LARGEST_SEQUENCE + 1
        self.counters.receipts += 1
        return self.receipt(source, dest, ident, self.stamp[1])

    @abstractmethod
    def addresses(self, data: bytes, start: int) -> tuple[bytes, bytes, bytes]:
        """Return the sender and the recipient of the submit at `start` as a receipt has them, and the recipient's number alone."""

    @abstractmethod
    def answer(self, sequence: int, ident: int) -> bytes:
        """Return the answer to a submit."""

    @abstractmethod
    def receipt(self, source: bytes, dest: bytes, ident: int, date: bytes) -> bytes:
        """Return the delivery of a receipt."""

    @abstractmethod
    def other(self, command: int, sequence: int, frame: bytes, out: list[bytes]) -> None:
        """Answer logins, questions and goodbyes; responses need no answer."""


class SmppSink(Sink):
    """Speaks SMPP 3.4."""

    header = SMPP_HEADER

    def addresses(self, data: bytes, start: int) -> tuple[bytes, bytes, bytes]:
        """See `Sink`; with ton and npi."""
        source = data.index(0, start + 16) + 1
        dest = data.index(0, source + 2) + 1
        end = data.index(0, dest + 2) + 1
        return data[source:dest], data[dest:end], data[dest + 2 : end - 1]

    def answer(self, sequence: int, ident: int) -> bytes:
        """See `Sink`."""
        return SMPP_HEADER.pack(29, SUBMIT_RESP, 0, sequence) + b"%012x\x00" % ident

    def receipt(self, source: bytes, dest: bytes, ident: int, date: bytes) -> bytes:
        """See `Sink`."""
        text = RECEIPT_TEXT % (ident, date, date)
        body = b"\x00%b%b%b%c%b" % (dest, source, RECEIPT_FIELDS, len(text), text)
        return SMPP_HEADER.pack(16 + len(body), DELIVER, 0, self.sequence) + body

    def other(self, command: int, sequence: int, frame: bytes, out: list[bytes]) -> None:
        if command in BINDS:
            self.receives = command != BIND_TRANSMITTER
            if self.receives:
                self.receivers.append(self)
            out.append(SMPP_HEADER.pack(21, command | RESPONSE, 0, sequence) + b"SINK\x00")
        elif command in (ENQUIRE_LINK, UNBIND):
            out.append(SMPP_HEADER.pack(16, command | RESPONSE, 0, sequence))


class CmppSink(Sink):
    """Speaks CMPP 3.0."""

    header = CMPP_HEADER

    def addresses(self, data: bytes, start: int) -> tuple[bytes, bytes, bytes]:
        """See `Sink`."""
        source = data[start + SOURCE.start : start + SOURCE.stop]
        dest = data[start + DESTINATION.start : start + DESTINATION.stop]
        return source, dest, b"86" + dest.rstrip(b"\x00")

    def answer(self, sequence: int, ident: int) -> bytes:
        """See `Sink`."""
        return CMPP_HEADER.pack(24, SUBMIT_RESP, sequence) + ident.to_bytes(8, "big") + bytes(4)

    def receipt(self, source: bytes, dest: bytes, ident: int, date: bytes) -> bytes:
        """See `Sink`."""
        report = CMPP_REPORT.pack(ident, b"DELIVRD", date, date, dest, ident & 0xFFFFFFFF)
        body = CMPP_DELIVER.pack(ident, source, b"", 0, 0, 0, dest, 0, 1, len(report), report, b"")
        return CMPP_HEADER.pack(12 + len(body), DELIVER, self.sequence) + body

    def other(self, command: int, sequence: int, frame: bytes, out: list[bytes]) -> None:
        if command == CONNECT:
            proof = md5(bytes(4) + frame[AUTHENTICATOR] + BENCH_SECRET, usedforsecurity=False).digest()
            out.append(CMPP_HEADER.pack(33, command | RESPONSE, sequence) + bytes(4) + proof + b"\x30")
            self.receivers.append(self)
        elif command == ACTIVE_TEST:
            out.append(CMPP_HEADER.pack(13, command | RESPONSE, sequence) + b"\x00")
        elif command == TERMINATE:
            out.append(CMPP_HEADER.pack(12, command | RESPONSE, sequence))


class SmgpSink(Sink):
    """Speaks SMGP 3.0."""

    header = CMPP_HEADER
    submit, deliver_resp = SMGP_SUBMIT, SMGP_DELIVER_RESP

    def addresses(self, data: bytes, start: int) -> tuple[bytes, bytes, bytes]:
        """See `Sink`."""
        source = data[start + SMGP_SOURCE.start : start + SMGP_SOURCE.stop]
        dest = data[start + SMGP_DESTINATION.start : start + SMGP_DESTINATION.stop]
        return source, dest, b"86" + dest.rstrip(b"\x00")

    def answer(self, sequence: int, ident: int) -> bytes:
        """See `Sink`."""
        return CMPP_HEADER.pack(26, SMGP_SUBMIT_RESP, sequence) + ident.to_bytes(10, "big") + bytes(4)

    def receipt(self, source: bytes, dest: bytes, ident: int, date: bytes) -> bytes:
        """See `Sink`."""
        octets = ident.to_bytes(10, "big")
        report = SMGP_REPORT % (octets, date, date)
        body = SMGP_DELIVERY.pack(octets, 1, 0, b"20" + date + b"00", dest, source, len(report), report, b"")
        return CMPP_HEADER.pack(12 + len(body), SMGP_DELIVER, self.sequence) + body

    def other(self, command: int, sequence: int, frame: bytes, out: list[bytes]) -> None:
        if command == LOGIN:
            proof = md5(bytes(4) + frame[SMGP_AUTHENTICATOR] + BENCH_SECRET, usedforsecurity=False).digest()
            out.append(CMPP_HEADER.pack(33, command | RESPONSE, sequence) + bytes(4) + proof + b"\x30")
            self.receivers.append(self)
        elif command in (SMGP_ACTIVE_TEST, EXIT):
            out.append(CMPP_HEADER.pack(12, command | RESPONSE, sequence))


class SgipSink(Sink):
    """Speaks SGIP 1.2, and reports over the connection of the client."""

    header = SGIP_HEADER
    submit, deliver_resp = SGIP_SUBMIT, SGIP_REPORT_RESP

    def addresses(self, data: bytes, start: int) -> tuple[bytes, bytes, bytes]:
        """See `Sink`; a report names the sequence of the submit and not its sender."""
        sequence = data[start + SGIP_SEQUENCE.start : start + SGIP_SEQUENCE.stop]
        dest = data[start + SGIP_DESTINATION.start : start + SGIP_DESTINATION.stop]
        return sequence, dest, dest.rstrip(b"\x00")

    def answer(self, sequence: Any, ident: int) -> bytes:
        """See `Sink`."""
        return SGIP_HEADER.pack(29, SGIP_SUBMIT_RESP, sequence) + SGIP_ANSWER

    def receipt(self, source: bytes, dest: bytes, ident: int, date: bytes) -> bytes:
        """See `Sink`."""
        body = SGIP_REPORTED.pack(source, 0, dest, 0, 0, b"")
        return SGIP_HEADER.pack(64, SGIP_REPORT, SGIP_NODE + ident.to_bytes(8, "big")) + body

    def other(self, command: int, sequence: Any, frame: bytes, out: list[bytes]) -> None:
        if command == SGIP_BIND:
            out.append(SGIP_HEADER.pack(29, command | RESPONSE, sequence) + SGIP_ANSWER)
            self.receivers.append(self)
        elif command == SGIP_UNBIND:
            out.append(SGIP_HEADER.pack(20, command | RESPONSE, sequence))


SINKS: dict[str, type[Sink]] = {"smpp": SmppSink, "cmpp": CmppSink, "sgip": SgipSink, "smgp": SmgpSink}


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
        case b"hold":
            counters.is_holding = True
            return {"holding": True}
        case b"release":
            return {"released": release(counters)}
    return {"error": "say stats, arrivals, reset, hold or release"}


def release(counters: Counters) -> int:
    """Write the receipts that were kept back, as fast as the peer reads; return how many."""
    held, counters.held, counters.is_holding = counters.held, [], False
    for transport in dict.fromkeys(transport for transport, _ in held):
        transport.write(b"".join(octets for owner, octets in held if owner is transport))
    return len(held)


async def serve(host: str, port: int, control_port: int, watch: str, protocol: str) -> None:
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

    server = await loop.create_server(lambda: SINKS[protocol](counters), host, port)
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
    parser.add_argument("--protocol", default="smpp", choices=SINKS)
    args = parser.parse_args()
    uvloop.run(serve(args.host, args.port, args.control_port, args.watch, args.protocol))


if __name__ == "__main__":
    main()
