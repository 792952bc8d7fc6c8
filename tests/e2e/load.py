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
# Between two requests of one worker: enough load to be always in the middle of something, not so much that a queue builds up.
_PAUSE_SECONDS = 0.2
_PASSING = frozenset({409, 429, 503})


class Load:
    """Sends batches and single messages, and asks again with the same key when no answer came.

    `refusals` are the answers that asked for patience; a test looks at them to see how clearly that was said.
    """

    def __init__(self, url: str, key: str, workers: int = 3) -> None:
        self.url = url
        self.key = key
        self.answers: dict[tuple[str, str], Any] = {}
        self.batches: list[str] = []
        self.singles: list[str] = []
        self.refusals: list[Refused] = []
        self.failures: list[Exception] = []
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
            thread.join(60)
        assert not self.failures

    @property
    def accepted(self) -> int:
        """How many messages the customer has an answer for."""
        return len(self.singles) + BATCH * len(self.batches)

    @property
    def numbers(self) -> set[str]:
        """Every number the customer has an answer for."""
        bodies = [body for body, _ in self.answers.values()]
        return {row["to"] for body in bodies for row in body.get("recipients", [body])}

    def _run(self, worker: int) -> None:
        try:
            for turn in itertools.count():
                if self._stop.is_set():
                    return
                self._turn(worker, turn)
        except Exception as error:
            self.failures.append(error)
            raise

    def _turn(self, worker: int, turn: int) -> None:
        """Send one request and keep its answer."""
        first = worker * 10_000_000 + turn * BATCH
        single = turn % 3 == 2
        numbers = [f"+86138{first + n:08d}" for n in range(1 if single else BATCH)]
        body: dict[str, Any] = {"text": "您好", "lane": "notice"}
        body |= {"to": numbers[0]} if single else {"recipients": [{"to": number} for number in numbers]}
        path, key = "/v1/messages" if single else "/v1/batches", f"{worker}-{turn}"
        answer = self._insist(path, body, key)
        self.answers[path, key] = (body, answer)
        (self.singles if single else self.batches).append(answer["id"])
        time.sleep(_PAUSE_SECONDS)

    def _insist(self, path: str, body: dict[str, Any], key: str) -> Any:
        """Send until there is an answer; the idempotency key makes that safe."""
        while True:
            try:
                return Api(self.url, self.key).call("POST", path, body, Idempotency_Key=key)
            except Refused as refused:
                if refused.status not in _PASSING:
                    raise
                self.refusals.append(refused)
            except (urllib.error.URLError, HTTPException, OSError):
                pass
            time.sleep(0.1)

    def was_asked_for_patience(self) -> bool:
        """Whether the store's trouble was said clearly: 503 `overloaded`, worth retrying, and when."""
        refusals = [refusal for refusal in self.refusals if refusal.status == 503]
        assert all(r.body["error"]["code"] == "overloaded" and r.body["error"]["retryable"] and r.retry_after for r in refusals)
        return bool(refusals)

    def check_replays(self) -> None:
        """Ask for a sample again: same key, same answer."""
        for path, key in random.sample(sorted(self.answers), min(20, len(self.answers))):
            body, answer = self.answers[path, key]
            assert Api(self.url, self.key).call("POST", path, body, Idempotency_Key=key) == answer


def set_up(node: Node, simulator: Node, **connector: Any) -> Api:
    """One connector, one route, and the link up."""
    admin = Api(node.said["url"], node.said["admin_key"])
    ident = connect(admin, simulator.said["port"], **connector)
    admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": [ident]})
    until("the link", lambda: link_is_up(admin, ident))
    return admin


def messages_of(api: Api) -> list[dict[str, Any]]:
    """Every message that was accepted, by walking the list page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.call("GET", f"/v1/messages?limit=200{cursor}")
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


def check_promises(api: Api, load: Load, ledger: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every accepted message exists once, is final and says the truth; none was submitted twice unless it says so."""
    messages = messages_of(api)
    assert len({m["id"] for m in messages}) == len(messages) == load.accepted
    assert {m["to"] for m in messages} == load.numbers
    assert not [m for m in messages if m["status"] not in FINALS]
    segments = Counter((row["destination"], row["digest"], row["part"]) for row in ledger)
    doubled = {number for (number, *_), count in segments.items() if count > 1}
    assert doubled <= {m["to"].lstrip("+") for m in messages if m["duplicates_possible"]}
    delivered = {m["to"].lstrip("+") for m in messages if m["status"] == "delivered"}
    assert delivered == {number for number, *_ in segments}
    return messages
