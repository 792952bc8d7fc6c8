"""Receive webhooks: verify each call, take its events once, answer at once. Standard library only.

Run it with ``WEBHOOK_SECRET=whsec_… python examples/webhook_receiver.py``; it listens on 127.0.0.1:9000.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOLERANCE_SECONDS = 300


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether `body`, exactly as received, was signed with `secret` within the last five minutes."""
    ident = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{ident}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # While a secret is rotated there are several signatures, one for each secret.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature.encode()) for signature in given)


def events_of(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the events of a call, one or many."""
    content = json.loads(body)
    yield from content["data"] if content.get("object") == "list" else [content]


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to genuine calls, 401 to others."""

    secret = ""
    # A real receiver keeps the ids in its database, in the transaction that acts on the event.
    seen: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        """Take one call."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_genuine(self.secret, headers, body, time.time()):
            self.send_response(401)
            self.end_headers()
            return
        for event in events_of(body):
            if event["id"] not in self.seen:
                self.seen.add(event["id"])
                print(event["created_at"], event["type"], event["data"]["object"]["id"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing about requests; the events are the output."""


def main() -> None:
    """Listen until Ctrl-C."""
    Receiver.secret = os.environ.get("WEBHOOK_SECRET", "")
    if not Receiver.secret:
        sys.exit("set WEBHOOK_SECRET to the secret that POST /v1/webhook_endpoints answered with")
    with ThreadingHTTPServer(("127.0.0.1", 9000), Receiver) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
