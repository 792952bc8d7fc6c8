"""`yanshu send`: send one text, or upload a file of recipients, through the HTTP API of a running server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_FINAL = frozenset({"delivered", "undelivered", "failed", "expired", "rejected", "canceled"})
_CHUNK = 1 << 16
_TYPES = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}


@click.command()
@click.option("--url", envvar="YANSHU_URL", default="http://127.0.0.1:8080", show_default=True, help="Where the server is.")
@click.option("--key", envvar="YANSHU_KEY", required=True, help="API key.")
@click.option("--to", help="Recipient of a single message.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV or NDJSON of recipients.")
@click.option("--text", required=True, help="Text, with ${name} places for a file's columns.")
@click.option("--lane", type=click.Choice(["otp", "notice", "marketing"]), default="notice", show_default=True)
@click.option("--signature", help="Signature put in front as 【…】.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow until the end.")
def send(url: str, key: str, *, to: str | None, path: Path | None, text: str, lane: str, signature: str | None, wait: bool) -> None:
    """Send TEXT to one number (--to) or to everybody in a file (--file), and follow what becomes of it."""
    if (to is None) == (path is None):
        raise click.UsageError("give either --to or --file")
    body: dict[str, Any] = {"text": text, "lane": lane}
    if signature:
        body["signature"] = signature
    work = _send_one(url, key, {**body, "to": to}, wait=wait) if to else _send_file(url, key, body, path or Path(), wait=wait)
    sys.exit(asyncio.run(work))


class _Client:
    """The few calls the command makes."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Call and return the JSON; a refusal becomes a message for the person."""
        async with self._session.request(method, self._url + path, **options) as answer:
            body: dict[str, Any] = await answer.json()
        if answer.status >= 400:
            error = body.get("error", {})
            raise click.ClickException(f"{error.get('code')}: {error.get('message')}")
        return body


def _session(key: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=aiohttp.ClientTimeout(total=None, sock_connect=10))


async def _send_one(url: str, key: str, body: dict[str, Any], *, wait: bool) -> int:
    """Send, then print every new status until the last; exit status 0 if delivered (or not waited for)."""
    async with _session(key) as session:
        client = _Client(session, url)
        message = await client.call("POST", "/v1/messages", json=body)
        click.echo(f"{message['id']}  {message['status']}")
        shown = message["status"]
        while wait and message["status"] not in _FINAL:
            await asyncio.sleep(0.5)
            message = await client.call("GET", f"/v1/messages/{message['id']}")
            if message["status"] != shown:
                shown = message["status"]
                click.echo(f"{message['id']}  {shown}")
    return 0 if not wait or message["status"] == "delivered" else 1


async def _send_file(url: str, key: str, body: dict[str, Any], path: Path, *, wait: bool) -> int:
    """Upload, show what it would be, start, follow with a progress bar."""
    kind = _TYPES.get(path.suffix.lower())
    if kind is None:
        raise click.ClickException(f"{path.name}: the name must end in .csv, .ndjson or .jsonl")
    async with _session(key) as session:
        client = _Client(session, url)
        batch = await client.call("POST", "/v1/batches", json={**body, "start": False})
        batch = await _upload(client, batch["id"], path, kind)
        click.echo(f"{batch['id']}  {batch['total']:,} rows, {batch['invalid']:,} unreadable")
        await client.call("POST", f"/v1/batches/{batch['id']}/start")
        return await _follow(client, batch["id"], batch["total"] - batch["invalid"]) if wait else 0


async def _upload(client: _Client, batch_id: str, path: Path, kind: str) -> dict[str, Any]:
    """Stream the file."""
    with _bar() as progress, path.open("rb") as file:
        task = progress.add_task("upload", total=os.fstat(file.fileno()).st_size)

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                progress.advance(task, len(chunk))
                yield chunk

        return await client.call("PUT", f"/v1/batches/{batch_id}/recipients", data=chunks(), headers={"Content-Type": kind})


async def _follow(client: _Client, batch_id: str, total: int) -> int:
    """Show how many messages have reached their end."""
    with _bar() as progress:
        task = progress.add_task("final", total=total)
        while True:
            batch = await client.call("GET", f"/v1/batches/{batch_id}")
            progress.update(task, completed=sum(count for status, count in batch["counts"].items() if status in _FINAL))
            if batch["status"] in ("completed", "canceled", "failed"):
                break
            await asyncio.sleep(1.0)
    click.echo("  ".join(f"{status}: {count:,}" for status, count in sorted(batch["counts"].items())))
    return 0 if batch["status"] == "completed" else 1


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )
