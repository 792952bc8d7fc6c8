"""A customer who keeps sending while things break, and the promises checked afterwards."""

import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.client import HTTPException
from typing import Any

from tests.e2e.harness import FINALS, Api, Node, Refused, connect, link_is_up, until

BATCH = 200
# More than one chunk of the batch runner, so that a kill can fall between two.
UPLOAD = 1100
_PASSING = frozenset({409, 429, 503})


class Load:
    """Sends single messages, batches and (when asked to) uploads, and asks again with the same key when no answer came.

    `refusals` are the answers that asked for patience; a test looks at them to see how clearly that was said. `interrupted`
    are the requests of which at least one try had no answer at all. `pause_seconds` lie between two requests of one worker:
    enough load to be always in the middle of something, not so much that a queue builds up.
    """

    def __init__(self, url: str, key: str, workers: int = 3, pause_seconds: float = 0.2, *, uploads: bool = False) -> None:
        self.url = url
        self.key = key
        self.answers: dict[tuple[str, str], Any] = {}
        self.numbers: set[str] = set()
        self.refusals: list[Refused] = []
        self.interrupted: set[tuple[str, str]] = set()
        self.failures: list[Exception] = []
        self._kinds = ("batch", "single", "upload", "single") if uploads else ("batch", "batch", "single")
        self._pause_seconds = pause_seconds
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(worker,)) for worker in range(workers)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the requests under way have been answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
        assert self.failures == []
        assert not any(thread.is_alive() for thread in self._threads)

    @property
    def accepted(self) -> int:
        """How many messages the customer has an answer for; no number is used twice."""
        return len(self.numbers)

    def _run(self, worker: int) -> None:
        try:
            for turn in itertools.count():
                if self._stop.is_set():
                    return
                self._turn(worker, turn)
                time.sleep(self._pause_seconds)
        except Exception as error:
            self.failures.append(error)
            raise

    def _turn(self, worker: int, turn: int) -> None:
        """Send one request and keep its answer."""
        kind = self._kinds[turn % len(self._kinds)]
        first = worker * 10_000_000 + turn * UPLOAD
        numbers = [f"+86138{first + n:08d}" for n in range({"single": 1, "batch": BATCH, "upload": UPLOAD}[kind])]
        key = f"{worker}-{turn}"
        if kind == "single":
            # A code that would rather come twice than not at all.
            self._insist("/v1/messages", {"text": "您好", "to": numbers[0], "lane": "otp", "routing": {"risk": "best_effort"}}, key)
        elif kind == "batch":
            self._insist("/v1/batches", {"text": "您好", "lane": "notice", "recipients": [{"to": number} for number in numbers]}, key)
        else:
            self._upload(numbers, key)
        self.numbers.update(numbers)

    def _upload(self, numbers: list[str], key: str) -> None:
        """Make a batch, send it a file until that is taken as a whole, start it."""
        path = "/v1/batches/" + self._insist("/v1/batches", {"text": "您好", "lane": "notice", "start": False}, key)["id"]
        rows = b"\n".join(json.dumps({"to": number}).encode() for number in numbers)
        self._until_answered("PUT", f"{path}/recipients", rows, {"Content_Type": "application/x-ndjson"})
        self._insist(f"{path}/start", {}, key)

    def _insist(self, path: str, body: dict[str, Any], key: str) -> Any:
        """Post until there is an answer, and keep it; the idempotency key makes that safe."""
        answer = self._until_answered("POST", path, body, {"Idempotency_Key": key})
        self.answers[path, key] = (body, answer)
        return answer

    def _until_answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        while True:
            try:
                return Api(self.url, self.key).call(method, path, body, **headers)
            except Refused as refused:
                if refused.status not in _PASSING or refused.body["error"]["code"] == "state_conflict":
                    raise
                self.refusals.append(refused)
            except (urllib.error.URLError, HTTPException, OSError):
                self.interrupted.add((path, headers.get("Idempotency_Key", "")))
            time.sleep(0.1)

    def was_asked_for_patience(self) -> bool:
        """Whether the store's trouble was said clearly: 503 `overloaded`, worth retrying, and when."""
        refusals = [refusal for refusal in self.refusals if refusal.status == 503]
        assert all(r.body["error"]["code"] == "overloaded" and r.body["error"]["retryable"] and r.retry_after for r in refusals)
        return bool(refusals)

    def check_replays(self) -> None:
        """Ask again for what was interrupted, and for a sample of the rest: same key, same answer."""
        sample = random.sample(sorted(self.answers), min(20, len(self.answers)))
        for path, key in {*sample, *(self.interrupted & self.answers.keys())}:
            body, answer = self.answers[path, key]
            assert Api(self.url, self.key).call("POST", path, body, Idempotency_Key=key) == answer


def set_up(node: Node, port: int, **connector: Any) -> Api:
    """One connector to the carrier at `port`, one route, and the link up."""
    admin = Api(node.said["url"], node.said["admin_key"])
    ident = connect(admin, port, **connector)
    admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": [ident]})
    until("the link", lambda: link_is_up(admin, ident))
    return admin


def everything(api: Api, path: str) -> list[dict[str, Any]]:
    """A whole list, by walking it page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.call("GET", f"{path}{'&' if '?' in path else '?'}limit=200{cursor}")
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def unfinished(api: Api) -> bool:
    """Whether any message is still open."""
    statuses = ("accepted", "held", "scheduled", "queued", "submitting", "submitted", "unknown", "partially_delivered")
    return any(api.call("GET", f"/v1/messages?status={status}&limit=1")["data"] for status in statuses)


def read_ledger(control_port: int) -> list[dict[str, Any]]:
    """Every submit the carrier took, refused ones left out."""
    with urllib.request.urlopen(f"http://127.0.0.1:{control_port}/ledger", timeout=60) as answer:
        rows = [json.loads(line) for line in answer.read().splitlines()]
    return [row for row in rows if row["status"] == 0]


def accepted_messages(api: Api, load: Load) -> list[dict[str, Any]]:
    """Every message: one for each the customer has an answer for, no other, and all of them final."""
    messages = everything(api, "/v1/messages")
    assert len({m["id"] for m in messages}) == len(messages) == load.accepted
    assert {m["to"] for m in messages} == load.numbers
    assert not [m for m in messages if m["status"] not in FINALS]
    return messages


def check_promises(api: Api, load: Load, ledger: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every accepted message exists once, is final and says the truth; none was submitted twice unless it says so."""
    messages = accepted_messages(api, load)
    segments = Counter((row["destination"], row["digest"], row["part"]) for row in ledger)
    doubled = {number for (number, *_), count in segments.items() if count > 1}
    assert doubled <= {m["to"].lstrip("+") for m in messages if m["duplicates_possible"]}
    delivered = {m["to"].lstrip("+") for m in messages if m["status"] == "delivered"}
    assert delivered == {number for number, *_ in segments}
    return messages
