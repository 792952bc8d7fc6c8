"""Measures the store: CPU and wall time a message for its whole life, on SQLite and on PostgreSQL, and pages of a big table.

Run: ``python tests/bench/bench_store.py [--messages 50000] [--chunk 1000] [--rows 0] [--busy]``; prints JSON.
A life is: add (with an event); claim; outcome (submission, move, event); receipt (find the submission, read and move the
message, write the submission, event). CPU includes the conversion of structs; the server's is read from /proc (10 ms ticks).
"""

import argparse
import asyncio
import json
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from yanshu.adapters.stores import open_store
from yanshu.domain.events import Event
from yanshu.domain.ids import make_ids
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Change, Encoding, Message, Status
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.runtime.clock import SystemClock
from yanshu.settings import Settings
from yanshu.testing.postgres import PostgresServer

_CLOCK = SystemClock()
_TICKS = 100


class Life:
    """Takes chunks of messages through the store, and keeps the CPU seconds of every step."""

    def __init__(self, store: Store, server_cpu: Any) -> None:
        self._store = store
        self._server_cpu = server_cpu
        self.steps: dict[str, list[float]] = {}

    async def run(self, messages: int, chunk: int) -> None:
        for _ in range(messages // chunk):
            fresh = make_messages(chunk)
            events = make_events(fresh, "message.queued")
            with self._measured("add"):
                async with self._store.write() as uow:
                    await uow.messages.add(fresh)
                    await uow.events.add(events)
                    await uow.commit()
            now = _CLOCK.now()
            with self._measured("claim"):
                async with self._store.write() as uow:
                    claimed = await uow.claim("con_1", list(Lane), chunk, now, now + timedelta(seconds=30))
            assert len(claimed) == chunk
            changes = [make_change(message, Status.SUBMITTED) for message in claimed]
            submissions, events = [make_submission(message) for message in claimed], make_events(claimed, "message.submitted")
            with self._measured("outcome"):
                async with self._store.write() as uow:
                    await uow.submissions.add(submissions)
                    assert len(await uow.messages.move(changes)) == chunk
                    await uow.events.add(events)
                    await uow.commit()
            events = make_events(claimed, "message.delivered")
            keys = [message.id[-16:].lower() for message in claimed]
            with self._measured("receipt"):
                async with self._store.write() as uow:
                    found = await uow.submissions.by_carrier_keys("con_1", keys)
                    stored = await uow.messages.get([submission.message_id for submission in found])
                    await uow.submissions.add(found)
                    await uow.messages.move([make_change(message, Status.DELIVERED) for message in stored])
                    await uow.events.add(events)
                    await uow.commit()
            assert len(stored) == chunk

    @contextmanager
    def _measured(self, step: str) -> Iterator[None]:
        wall, own, server = time.perf_counter(), time.process_time(), self._server_cpu()
        yield
        spent = (time.perf_counter() - wall, time.process_time() - own, self._server_cpu() - server)
        self.steps[step] = [a + b for a, b in zip(self.steps.get(step, [0.0, 0.0, 0.0]), spent, strict=True)]


def make_messages(count: int, *, status: Status = Status.QUEUED, workspace: str = "ws_01JDB0C0000000000000000000") -> list[Message]:
    now = _CLOCK.now()
    return [
        Message(
            id=ident,
            workspace_id=workspace,
            livemode=True,
            lane=Lane.MARKETING,
            recipient=f"+86138{crc32(ident.encode()) % 100_000_000:08d}",
            sender="10690001",
            text="【言书】您的订单已发货，请留意查收，退订回T。",
            encoding=Encoding.UCS2,
            units=24,
            segments=1,
            status=status,
            created_at=now,
            updated_at=now,
            expires_at=now + timedelta(hours=4),
            due_at=now + timedelta(hours=4),
            batch_id="bat_01JDB0C0000000000000000000",
            connector_id="con_1",
            candidates=("con_1", "con_2"),
        )
        for ident in make_ids("msg", count, now, _CLOCK.entropy(10))
    ]


def make_events(messages: list[Message], kind: str) -> list[Event]:
    now = _CLOCK.now()
    return [
        Event(
            workspace_id=message.workspace_id,
            livemode=True,
            type=kind,
            object_id=message.id,
            seq=message.version,
            created_at=now,
            data={"status": "queued", "previous": "accepted", "connector": "con_1"},
        )
        for message in messages
    ]


def make_change(message: Message, status: Status) -> Change:
    now = _CLOCK.now()
    done = status is Status.DELIVERED
    return Change(
        message_id=message.id,
        expected=message.version,
        version=message.version + 1,
        batch_id=message.batch_id,
        previous=message.status,
        status=status,
        updated_at=now,
        due_at=None if done else now + timedelta(hours=72),
        expires_at=message.expires_at,
        send_at=None,
        submitted_at=now,
        done_at=now if done else None,
        connector_id=message.connector_id,
        attempts=message.attempts,
        reason_code=None,
        reason_raw=None,
        duplicates_possible=False,
    )


def make_submission(message: Message) -> Submission:
    return Submission(
        message_id=message.id,
        attempt=1,
        segment=1,
        total=1,
        connector_id="con_1",
        recipient=message.recipient,
        status=SubmissionStatus.ACCEPTED,
        answered_at=_CLOCK.now(),
        carrier_message_id=message.id[-16:],
        carrier_key=message.id[-16:].lower(),
    )


async def measure_pages(store: Store, rows: int) -> dict[str, float]:
    """Milliseconds of a page of 50, worst of five, in a table of `rows` messages, most of them delivered."""
    kept = [Status.DELIVERED] * 197 + [Status.FAILED, Status.UNDELIVERED, Status.SUBMITTED]
    written = 0
    while written < rows:
        fresh = make_messages(2000, status=Status.DELIVERED)
        done = [
            msgspec.structs.replace(
                message, status=kept[n % 200], due_at=None, done_at=None if kept[n % 200] is Status.SUBMITTED else message.updated_at
            )
            for n, message in enumerate(fresh)
        ]
        async with store.write() as uow:
            await uow.messages.add(done)
            await uow.commit()
        written += 2000
    workspace = fresh[0].workspace_id
    cases = {
        "newest": MessageFilter(),
        "delivered": MessageFilter(status=Status.DELIVERED),
        "failed": MessageFilter(status=Status.FAILED),
        "submitted": MessageFilter(status=Status.SUBMITTED),
        "queued, none": MessageFilter(status=Status.QUEUED),
        "recipient": MessageFilter(recipient=fresh[7].recipient),
        "batch": MessageFilter(batch_id=fresh[0].batch_id),
        "lane, all": MessageFilter(lane=Lane.MARKETING),
        "lane, none": MessageFilter(lane=Lane.OTP),
        "connector, all": MessageFilter(connector_id="con_1"),
        "connector, none": MessageFilter(connector_id="con_9"),
        "reference, none": MessageFilter(client_reference="nobody"),
    }
    return {name: await _page_ms(store, workspace, filters) for name, filters in cases.items()}


async def _page_ms(store: Store, workspace: str, filters: MessageFilter) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        async with store.read() as uow:
            await uow.messages.page(workspace, filters, Page(limit=50))
        times.append(time.perf_counter() - started)
    return round(max(times[1:]) * 1000, 2)


async def measure(store: Store, server_cpu: Any, options: argparse.Namespace) -> dict[str, Any]:
    await store.migrate()
    life = Life(store, server_cpu)
    await life.run(options.chunk * 2, options.chunk)
    life.steps.clear()
    await life.run(options.messages, options.chunk)
    made = options.messages // options.chunk * options.chunk
    report: dict[str, Any] = {
        step: {"wall_us": round(wall / made * 1e6, 1), "cpu_us": round(own / made * 1e6, 1), "server_us": round(server / made * 1e6, 1)}
        for step, (wall, own, server) in life.steps.items()
    }
    report["total_cpu_us"] = round(sum(own + server for _, own, server in life.steps.values()) / made * 1e6, 1)
    if options.rows:
        report["page_ms"] = await measure_pages(store, options.rows)
    await store.close()
    return report


def _cpu_of_group(parent: int) -> float:
    """CPU seconds of a server: the postmaster and its children, ended ones included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if stat.parent.name == str(parent):
            ticks += sum(int(value) for value in fields[11:15])
        elif int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--chunk", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=0, help="rows of the table that pages are read from")
    parser.add_argument("--busy", action="store_true", help="keep another Python thread busy meanwhile (CPU figures then include it)")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    options = parser.parse_args()
    if options.busy:
        threading.Thread(target=_spin, daemon=True).start()
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "postgres":
            report["sqlite"] = asyncio.run(_measure_sqlite(folder, options))
        if options.only != "sqlite":
            server = PostgresServer()
            try:
                server.start()
                settings = Settings(database_url=server.create_database("bench"))
                report["postgres"] = asyncio.run(_measure_postgres(settings, server, options))
            finally:
                server.remove()
    report["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(report, indent=2, ensure_ascii=False))


async def _measure_sqlite(folder: str, options: argparse.Namespace) -> dict[str, Any]:
    return await measure(open_store(Settings(data_dir=folder), _CLOCK), lambda: 0.0, options)


async def _measure_postgres(settings: Settings, server: PostgresServer, options: argparse.Namespace) -> dict[str, Any]:
    process = server.process_id
    return await measure(open_store(settings, _CLOCK), lambda: _cpu_of_group(process), options)


def _spin() -> None:
    while True:
        sum(range(1000))


if __name__ == "__main__":
    main()
