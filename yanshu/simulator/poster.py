"""The lines of an account that speaks HTTP: a request that waits for its answer, and what posts receipts and texts of phones.

Nothing is posted to another machine.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Meta, Struct

from yanshu.simulator.accounts import AccountDesk
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.handsets import decode_text
from yanshu.simulator.identifiers import id_text, receipt_id_text
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.traffic import Delivery, Inbound, Receipt, Segment

ACCEPTED, BUSY, THROTTLED = 202, 409, 429
TRIES = 10
STATUSES = {"DELIVRD": "delivered", "EXPIRED": "expired", "REJECTD": "rejected"}


class Submit(Struct):
    """The body of a request."""

    to: Annotated[str, Meta(pattern=r"^\+?[0-9]{1,20}$")]
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    sender: Annotated[str, Meta(max_length=21)] = msgspec.field(name="from", default="")
    callback_url: str = ""
    reply_url: str = ""


class Exchange:
    """One request; the carrier's line to the client as long as it lasts (see `accounts.Line`)."""

    receives = False
    busy, throttled = BUSY, THROTTLED

    def __init__(self, poster: "Poster", transport: asyncio.Transport | None) -> None:
        self.poster = poster
        self.account = poster.account
        self.answered: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._transport = transport

    def has_room(self) -> bool:
        """See `Line`: what is delivered goes over the account's poster."""
        return False

    def answer(self, request: object, status: int, carrier_message_id: str) -> None:  # noqa: ARG002 - there is one request
        """See `Line`."""
        if not self.answered.done():
            self.answered.set_result((status or ACCEPTED, carrier_message_id))

    def id_text(self, segment: Segment, number: int) -> str:  # noqa: ARG002 - the carrier gives it
        """See `Line`."""
        return id_text(number, self.account.behaviour.id_form)

    def deliver(self, delivery: Delivery) -> None:
        """See `Line`: never called, there is no room."""

    def cut(self) -> None:
        """See `Line`."""
        if self._transport is not None:
            self._transport.abort()
        self.answer(None, ACCEPTED, "")

    def write_garbage(self, data: bytes) -> None:
        """See `Line`."""
        if self._transport is not None:
            self._transport.write(data)

    def behaviour_changed(self) -> None:
        """See `Line`: the poster looks after requests that were slept through."""


class Poster:
    """The account's line for what is delivered: posts to where the last request said (see `accounts.Line`)."""

    receives = True
    busy, throttled = BUSY, THROTTLED

    def __init__(self, account: AccountDesk, smsc: Smsc, settle: Callable[[], None]) -> None:
        self.account = account
        self._smsc = smsc
        self._settle = settle
        self._callback_url = self._reply_url = ""
        self._present: set[Exchange] = set()
        self._slept: set[Exchange] = set()
        self._posts: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the account plays dead."""
        return self.account.behaviour.silent

    def start(self) -> None:
        """Be there for what is delivered."""
        if self not in self.account.lines:
            self.account.join(self)

    async def stop(self) -> None:
        """Cut what is under way; what was not taken waits for the next start."""
        self.cut()
        self.account.leave(self, ())
        posts = list(self._posts)
        for post in posts:
            post.cancel()
        await asyncio.gather(*posts, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def learn(self, submit: Submit) -> None:
        """Keep where receipts and replies shall go, if that is on this machine; the last request decides."""
        self._callback_url = submit.callback_url if _is_here(submit.callback_url) else ""
        self._reply_url = submit.reply_url if _is_here(submit.reply_url) else ""

    @contextmanager
    def exchange(self, transport: asyncio.Transport | None) -> Iterator[Exchange]:
        """Keep a request as long as it lasts; one that comes while the account plays dead is never read."""
        exchange = Exchange(self, transport)
        kept = self._slept if self.is_silent else self._present
        kept.add(exchange)
        try:
            yield exchange
        finally:
            kept.discard(exchange)

    def has_room(self) -> bool:
        """See `Line`."""
        return not self.is_silent and len(self._posts) < self._smsc.settings.deliver_window

    def answer(self, request: object, status: int, carrier_message_id: str) -> None:
        """See `Line`: requests have lines of their own."""

    def id_text(self, segment: Segment, number: int) -> str:  # noqa: ARG002 - the carrier gives it
        """See `Line`."""
        return id_text(number, self.account.behaviour.id_form)

    def deliver(self, delivery: Delivery) -> None:
        """See `Line`; nobody has said where to: it is lost."""
        url = self._callback_url if isinstance(delivery, Receipt) else self._reply_url
        if not url:
            self.account.tally.lost_receipts += 1
            return
        delivery.tries += 1
        post = asyncio.get_running_loop().create_task(self._post(url, delivery))
        self._posts.add(post)
        post.add_done_callback(partial(self._posted, delivery))

    def cut(self) -> None:
        """See `Line`."""
        for exchange in (*self._present, *self._slept):
            exchange.cut()

    def write_garbage(self, data: bytes) -> None:
        """See `Line`: requests have lines of their own."""

    def behaviour_changed(self) -> None:
        """See `Line`."""
        if not self.is_silent:
            for exchange in self._slept:
                exchange.cut()

    async def _post(self, url: str, delivery: Delivery) -> None:
        """Post once. Raises when the client did not take it."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        content = _receipt(delivery, self.account.behaviour) if isinstance(delivery, Receipt) else _inbound(delivery)
        timeout = aiohttp.ClientTimeout(total=self._smsc.settings.resend_seconds)
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=msgspec.json.encode(content), headers=headers, timeout=timeout) as answer:
            answer.raise_for_status()

    def _posted(self, delivery: Delivery, post: asyncio.Task[None]) -> None:
        """It was taken, or comes again later, or never."""
        self._posts.discard(post)
        if post.cancelled():
            self.account.waiting.appendleft(delivery)
            return
        if post.exception() is None:
            self.account.tally.acknowledged += 1
        elif delivery.tries < TRIES:
            self.account.tally.resent += 1
            due = self._smsc.clock.monotonic() + self._smsc.settings.resend_seconds
            self._smsc.schedule.add(due, partial(self.account.hand_over, delivery))
        else:
            self.account.tally.lost_receipts += 1
        self.account.pump()
        self._settle()


def _receipt(receipt: Receipt, behaviour: Behaviour) -> dict[str, Any]:
    """Return what is posted about a message."""
    return {
        "id": receipt_id_text(receipt.number, behaviour),
        "to": f"+{receipt.segment.destination}",
        "status": STATUSES.get(receipt.report.stat, "undelivered"),
        "code": receipt.report.err,
        "at": datetime.fromtimestamp(receipt.at, UTC).isoformat(),
    }


def _inbound(inbound: Inbound) -> dict[str, Any]:
    """Return what is posted about a phone's text."""
    parts = {"reference": inbound.reference, "part": inbound.part, "parts": inbound.parts} if inbound.parts > 1 else {}
    return {"from": f"+{inbound.source}", "to": inbound.destination, "text": decode_text(inbound.encoding, inbound.octets), **parts}


def _is_here(url: str) -> bool:
    """Whether a URL leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
