"""`yanshu send`: send one text, or upload a file of recipients, through the HTTP API of a running server."""

import asyncio
import json
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
_PASSING = frozenset({429, 503})
_PATIENCE_SECONDS = 60.0
_CHUNK = 1 << 16
_TYPES = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}


@click.command()
@click.option("--url", envvar="YANSHU_URL", default="http://127.0.0.1:8080", show_default=True, help="Where the server is (YANSHU_URL).")
@click.option("--key", envvar="YANSHU_KEY", help="API key (YANSHU_KEY, where other users of this machine do not see it).")
@click.option("--to", help="Recipient of a single message.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV or NDJSON of recipients.")
@click.option("--text", required=True, help="Text, with ${name} places for a file's columns.")
@click.option("--lane", type=click.Choice(["otp", "notice", "marketing"]), default="notice", show_default=True, help="Class of traffic.")
@click.option("--signature", help="Signature put in front as 【…】.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow until the end.")
def send(url: str, key: str | None, *, to: str | None, path: Path | None, text: str, lane: str, signature: str | None, wait: bool) -> None:
    """Send a text to one number (--to) or to everybody in a file (--file), and follow what becomes of it.

    A CSV file has a header line with the column `to`; its other columns fill the places of the text. Exit status 0: the message
    was delivered, or the batch came to its end; with --no-wait: it was accepted.
    """
    if (to is None) == (path is None):
        raise click.UsageError("give either --to or --file")
    if not key:
        raise click.UsageError("give an API key: YANSHU_KEY=ys_… yanshu send … (or --key); POST /v1/api_keys makes one")
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"{url!r} is no URL; write it like http://127.0.0.1:8080", param_hint="--url")
    body: dict[str, Any] = {"text": text, "lane": lane}
    if signature:
        body["signature"] = signature
    work = _send_one(url, key, {**body, "to": to}, wait=wait) if to else _send_file(url, key, body, path or Path(), wait=wait)
    try:
        sys.exit(asyncio.run(work))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise click.ClickException(f"no answer from {url} ({error}); is the server running there? --url names another") from error


class _Client:
    """The few calls the command makes."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Call and return the JSON; a refusal becomes a message for the person."""
        async with self._session.request(method, self._url + path, **options) as answer:
            octets = await answer.read()
        try:
            body: dict[str, Any] = json.loads(octets)
            error = body.get("error") or {}
        except (ValueError, AttributeError):
            raise click.ClickException(f"{self._url} answered {answer.status}, but not like Yanshu; check --url") from None
        if answer.status >= 400:
            raise _Refused(f"{error.get('code')}: {error.get('message')}", answer.status, answer.headers.get("Retry-After"))
        return body

    async def watch(self, path: str) -> dict[str, Any]:
        """Read again and again what is followed: a server that restarts, or is busy, gets a minute to come back."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            try:
                return await self.call("GET", path)
            except (aiohttp.ClientConnectionError, _Refused) as error:
                if asyncio.get_running_loop().time() > deadline or (isinstance(error, _Refused) and error.status not in _PASSING):
                    raise
                await asyncio.sleep(float(getattr(error, "retry_after", None) or 1))


class _Refused(click.ClickException):
    """The server said no."""

    def __init__(self, message: str, status: int, retry_after: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


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
            message = await client.watch(f"/v1/messages/{message['id']}")
            if message["status"] != shown:
                shown = message["status"]
                click.echo(f"{message['id']}  {shown}")
        if reason := message.get("reason"):
            click.echo(f"{reason['code']}: {reason['advice']}")
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
        if batch["invalid"]:
            await _show_unreadable(client, batch["id"])
        await client.call("POST", f"/v1/batches/{batch['id']}/start", json={})
        return await _follow(client, batch["id"], batch["total"] - batch["invalid"]) if wait else 0


async def _show_unreadable(client: _Client, batch_id: str) -> None:
    """Name the first rows that cannot be read, and why; they do not stop the others."""
    preview = await client.call("POST", f"/v1/batches/{batch_id}/preview", json={})
    for row in preview["errors"]:
        click.echo(f"  line {row['line']}: {row['code']}: {row['problem']}", err=True)


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
            batch = await client.watch(f"/v1/batches/{batch_id}")
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
