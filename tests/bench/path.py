"""The whole path on one machine: HTTP → store → a carrier's protocol over TCP to a separate sink → receipt stored. Prints JSON.

    python -m tests.bench.path [--store sqlite|postgresql] [--only batches,singles,otp,queue,receipts] [--messages N] [--protocol cmpp]

Every figure is end to end: a run ends when the receipt of its last message is stored and the batch counters say so.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.http import Connection, Driver, prepare
from tests.bench.processes import Process, cpu_seconds, family, memory_mb, percentile
from tests.bench.sink import CONNECTORS
from yanshu.testing.postgres import PostgresServer

TEXT = "【雁书】您的订单已发货，预计明天送达，请保持电话畅通。"
OTP_PREFIX = "86139"
CHUNK = 1000
WINDOW = 2000
BASELINE = Path(__file__).with_name("baseline.json")


class Bench:
    """A running platform with a sink as its only carrier."""

    def __init__(self, server: Process, sink: Process, protocol: str, database: PostgresServer | None) -> None:
        self.server, self.sink, self.protocol, self.database = server, sink, protocol, database
        said = server.first_json()
        host, port = said["url"].removeprefix("http://").rsplit(":", 1)
        self.host, self.port = host, int(port)
        self.driver = Driver(self.host, self.port)
        self.key: str = said["admin_key"]
        self.sunk = sink.first_json()

    async def set_up(self) -> None:
        """Make the connector and the default route, and wait for the link."""
        call = self.driver.call
        connector = await call(
            "POST",
            "/v1/connectors",
            self.key,
            connector_body(self),
        )
        await call("POST", "/v1/routes", self.key, {"name": "all", "rank": 1, "connectors": [connector["id"]]})
        await until(lambda: self._link_is_up(connector["id"]))

    async def _link_is_up(self, ident: str) -> bool:
        health = await self.driver.call("GET", f"/v1/connectors/{ident}/health", self.key)
        return bool(health["state"] == "up")

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far by process."""
        seconds = {
            "server": cpu_seconds([self.server.pid]),
            "sink": cpu_seconds([self.sink.pid]),
            "driver": time.process_time(),
        }
        if self.database is not None:
            seconds["postgresql"] = cpu_seconds(family(self.database.process_id))
        return seconds

    async def arrivals(self) -> dict[str, float]:
        """Number → wall time at which the sink first saw a submit to it."""
        return await self.tell_sink("arrivals")

    async def tell_sink(self, line: str) -> dict[str, Any]:
        """Say a line to the sink and return its answer."""
        reader, writer = await asyncio.open_connection(self.sunk["host"], self.sunk["control_port"], limit=1 << 26)
        writer.write(f"{line}\n".encode())
        found: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        return found

    async def delivered(self, batches: list[str]) -> None:
        """Wait until the receipts of these batches are stored."""
        for ident in batches:
            await until(lambda ident=ident: self._is_delivered(ident))

    async def _is_delivered(self, ident: str) -> bool:
        batch = await self.driver.call("GET", f"/v1/batches/{ident}", self.key)
        return bool(batch["counts"].get("delivered", 0) == batch["total"])


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 600.0) -> None:
    """Poll until ready."""
    async with asyncio.timeout(seconds):
        while not await ready():
            await asyncio.sleep(0.05)


def connector_body(bench: Bench, **fields: Any) -> dict[str, Any]:
    """Return a connector to the sink."""
    body = {"name": "sink", "protocol": bench.protocol, "host": bench.sunk["host"], "port": bench.sunk["port"], "password": "bench"}
    return {**body, "settings": CONNECTORS[bench.protocol], "window": WINDOW, "sender": "10690000", **fields}


def batch_body(first: int, count: int, lane: str = "marketing") -> bytes:
    """Return a batch request for `count` numbers from `first` on."""
    recipients = [{"to": f"138{number % 100_000_000:08d}"} for number in range(first, first + count)]
    return json.dumps({"text": TEXT, "lane": lane, "recipients": recipients}, ensure_ascii=False).encode()


def requests_of(bench: Bench, messages: int) -> Iterator[bytes]:
    """Yield prepared batch requests."""
    for first in range(0, messages, CHUNK):
        yield prepare("POST", "/v1/batches", bench.key, batch_body(first, CHUNK))


async def measure_batches(bench: Bench, messages: int) -> dict[str, Any]:
    """Batches of 1,000 from four connections."""
    requests = list(requests_of(bench, messages))
    driver, before, started = Driver(bench.host, bench.port), bench.cpu(), time.perf_counter()
    accept = await driver.run(requests, 4, keep=lambda _: True)
    await bench.delivered([json.loads(answer)["id"] for answer in driver.answers])
    wall = time.perf_counter() - started
    return {
        "messages": messages,
        "accepted_per_second": round(messages / accept),
        **rates(bench, before, messages, wall),
        **latencies(driver),
    }


async def measure_singles(bench: Bench, messages: int) -> dict[str, Any]:
    """One message a request, 64 connections; ends when the sink's receipts of all are stored."""
    bodies = (json.dumps({"to": f"137{n:08d}", "text": TEXT, "lane": "notice"}, ensure_ascii=False).encode() for n in range(messages))
    requests = [prepare("POST", "/v1/messages", bench.key, body) for body in bodies]
    driver, before, started = Driver(bench.host, bench.port), bench.cpu(), time.perf_counter()
    accept = await driver.run(requests, 64)
    await until(lambda: _none_is(bench, "queued", "submitting", "submitted"))
    wall = time.perf_counter() - started
    return {
        "messages": messages,
        "accepted_per_second": round(messages / accept),
        **rates(bench, before, messages, wall),
        **latencies(driver),
    }


async def _none_is(bench: Bench, *statuses: str) -> bool:
    for status in statuses:
        page = await bench.driver.call("GET", f"/v1/messages?status={status}&limit=1", bench.key)
        if page["data"]:
            return False
    return True


async def measure_otp(bench: Bench, marketing: int) -> dict[str, Any]:
    """OTPs, 20 a second, while a marketing batch saturates the same connector: accepted to wire, and request to wire."""
    driver = Driver(bench.host, bench.port)
    connection = await Connection.open(bench.host, bench.port)
    load = asyncio.create_task(driver.run(list(requests_of(bench, marketing)), 4, keep=lambda _: True))
    sent: dict[str, tuple[float, float]] = {}
    finished = asyncio.create_task(_load_done(load, bench, driver))
    while not finished.done():
        number = f"139{len(sent):08d}"
        body = json.dumps({"to": number, "text": TEXT, "lane": "otp"}, ensure_ascii=False).encode()
        began = time.time()
        status, answer = await connection.send(prepare("POST", "/v1/messages", bench.key, body))
        if status != 202:
            raise RuntimeError(answer[:300].decode())
        sent[number] = (began, time.time())
        await asyncio.sleep(0.05)
    await finished
    arrived = await bench.arrivals()
    pairs = [(arrived["86" + number], times) for number, times in sent.items() if "86" + number in arrived]
    to_wire = [at - accepted for at, (_, accepted) in pairs]
    whole = [at - began for at, (began, _) in pairs]
    return {
        "marketing": marketing,
        "otps": len(sent),
        "on_the_wire": len(pairs),
        "accept_to_wire_ms": {"p50": ms(percentile(to_wire, 0.5)), "p99": ms(percentile(to_wire, 0.99))},
        "request_to_wire_ms": {"p50": ms(percentile(whole, 0.5)), "p99": ms(percentile(whole, 0.99))},
    }


async def measure_queue(bench: Bench, messages: int) -> dict[str, Any]:
    """Memory with a deep queue and the time of list pages over it: the connector is drained first, so nothing leaves."""
    connectors = await bench.driver.call("GET", "/v1/connectors", bench.key)
    spare = await bench.driver.call("POST", "/v1/connectors", bench.key, connector_body(bench, name="away", port=9))
    body = {"name": "away", "rank": 0, "connectors": [spare["id"]]}
    await bench.driver.call("POST", "/v1/routes", bench.key, body)
    await bench.driver.call("POST", f"/v1/connectors/{connectors['data'][0]['id']}/drain", bench.key, {})
    driver = Driver(bench.host, bench.port)
    accept = await driver.run(requests_of(bench, messages), 4)
    pages = Driver(bench.host, bench.port)
    paths = ("/v1/messages?limit=50", "/v1/messages?limit=50&status=queued", "/v1/messages?limit=50&to=13800000001")
    await pages.run([prepare("GET", path, bench.key) for path in paths for _ in range(30)], 1)
    return {
        "queued": messages,
        "accepted_per_second": round(messages / accept),
        "rss_mb": {"now": round(memory_mb(bench.server.pid, "VmRSS")), "anonymous": round(memory_mb(bench.server.pid, "RssAnon"))},
        "page_of_50_ms": {"p50": ms(percentile(pages.seconds, 0.5)), "p99": ms(percentile(pages.seconds, 0.99))},
    }


async def measure_receipts(bench: Bench, messages: int) -> dict[str, Any]:
    """Receipts alone: all messages are submitted before the first comes, then all come at once; ends when they are stored."""
    await bench.tell_sink("hold")
    driver = Driver(bench.host, bench.port)
    await driver.run(list(requests_of(bench, messages)), 4, keep=lambda _: True)
    await until(lambda: _none_is(bench, "queued", "submitting"))
    before, started = bench.cpu(), time.perf_counter()
    await bench.tell_sink("release")
    await bench.delivered([json.loads(answer)["id"] for answer in driver.answers])
    return {"receipts": messages, **rates(bench, before, messages, time.perf_counter() - started)}


async def _load_done(load: "asyncio.Task[float]", bench: Bench, driver: Driver) -> None:
    await load
    await bench.delivered([json.loads(answer)["id"] for answer in driver.answers])


def rates(bench: Bench, before: dict[str, float], messages: int, wall: float) -> dict[str, Any]:
    """Return messages a second end to end and CPU microseconds a message by process."""
    after = bench.cpu()
    micros = {name: round((after[name] - before[name]) / messages * 1e6, 1) for name in after}
    return {
        "messages_per_second": round(messages / wall),
        "cpu_micros_per_message": {**micros, "total": round(sum(micros.values()), 1)},
        "server_peak_rss_mb": round(memory_mb(bench.server.pid)),
    }


def latencies(driver: Driver) -> dict[str, Any]:
    """Return accept latencies."""
    return {"accept_ms": {"p50": ms(percentile(driver.seconds, 0.5)), "p99": ms(percentile(driver.seconds, 0.99))}}


def ms(seconds: float) -> float:
    """Milliseconds, one decimal."""
    return round(seconds * 1000, 1)


@contextmanager
def running(store: str, protocol: str) -> Iterator[Bench]:
    """Run sink, server and, if asked for, a PostgreSQL; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="yanshu-bench-") as folder:
        database = PostgresServer() if store == "postgresql" else None
        if database is not None:
            database.start()
        environment = {"YANSHU_DATA_DIR": str(Path(folder)), "YANSHU_LOG_LEVEL": "WARNING", "YANSHU_REQUESTS_PER_SECOND": "1000000"}
        environment["YANSHU_MESSAGES_PER_SECOND"] = "10000000"
        if database is not None:
            environment["YANSHU_DATABASE_URL"] = database.create_database("bench")
        sink = Process("sink", [sys.executable, "-m", "tests.bench.sink", "--port", "0", "--watch", OTP_PREFIX, "--protocol", protocol])
        server = Process("server", [sys.executable, "-m", "yanshu", "serve", "--port", "0"], environment)
        try:
            yield Bench(server, sink, protocol, database)
        finally:
            server.stop()
            sink.stop()
            if database is not None:
                database.remove()


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the chosen parts, each on a fresh store."""
    parts: dict[str, Callable[[Bench], Awaitable[dict[str, Any]]]] = {
        "batches": lambda bench: measure_batches(bench, options.messages),
        "singles": lambda bench: measure_singles(bench, options.messages // 10),
        "otp": lambda bench: measure_otp(bench, options.messages * 2),
        "queue": lambda bench: measure_queue(bench, options.messages * 10),
        "receipts": lambda bench: measure_receipts(bench, options.messages),
    }
    found: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, Python {platform.python_version()}"}
    for store in options.store.split(","):
        for name in options.only.split(","):
            with running(store, options.protocol) as bench:
                await bench.set_up()
                found.setdefault(store, {})[name] = await parts[name](bench)
    return found


def compared(found: dict[str, Any]) -> dict[str, float]:
    """Return messages a second as a ratio to the stored baseline; below 0.7 is more than this kind of machine's noise."""
    stored = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    ratios = {}
    for store in ("sqlite", "postgresql"):
        for part, figures in found.get(store, {}).items():
            before = stored.get(store, {}).get(part, {}).get("messages_per_second")
            if before and "messages_per_second" in figures:
                ratios[f"{store}.{part}"] = round(figures["messages_per_second"] / before, 2)
    return ratios


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite,postgresql")
    parser.add_argument("--only", default="batches,singles,otp,queue,receipts")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--protocol", default="smpp", choices=CONNECTORS)
    parser.add_argument("--keep", action="store_true", help="store the result as the new baseline")
    options = parser.parse_args()
    found = asyncio.run(run(options))
    print(json.dumps({**found, "ratio_to_baseline": compared(found)}, indent=2))
    if options.keep:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
