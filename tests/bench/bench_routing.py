"""Measures routing: µs of CPU a message over a chunk, with many connectors and many routes of every kind of condition.

Run: ``python -m tests.bench.bench_routing [--connectors 50] [--routes 200] [--chunk 1000]``; prints JSON.
A `cold` chunk is the first one of a table, which remembers nothing; a `warm` one follows others. Each figure is the best of
several rounds: the machine's noise only ever adds. Budget: 5 µs a message for a cold chunk.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from yanshu.domain.commands import Send
from yanshu.domain.connectors import Connector, Match, Member, Prefer, Price, Route
from yanshu.domain.ids import make_ids
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.pipeline.route import Router
from yanshu.pipeline.ways import Ways
from yanshu.ports.store import Store
from yanshu.rules.compliance.verdicts import Draft
from yanshu.rules.contacts.prefixes import shipped_prefixes

ROUNDS = 20
NOW = datetime(2026, 11, 23, tzinfo=UTC)
TEXT = "【雁书】您的订单已发货，请留意查收，退订回T。"


class Definitions:
    """A store of definitions that never change."""

    def __init__(self, connectors: list[Connector], routes: list[Route]) -> None:
        self.definitions = self
        self._connectors = connectors
        self._routes = routes

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """Return itself."""
        yield self

    async def revision(self) -> int:
        """The only one."""
        return 1

    async def connectors(self) -> list[Connector]:
        """All of them."""
        return self._connectors

    async def routes(self) -> list[Route]:
        """All of them."""
        return self._routes


def make_definitions(connectors: int, routes: int, chance: random.Random) -> Definitions:
    """Return connectors with prices, and routes of which each names one or two conditions; the last one takes everything.

    Two connectors of each route share its messages by weight; every fourth route takes the cheapest.
    """
    common: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}

    def prices() -> tuple[Price, ...]:
        return tuple(Price(per_segment=Money("CNY", chance.randrange(20_000, 50_000)), operator=operator) for operator in Operator)

    accounts = [
        Connector(id=f"con_{n}", name=f"c{n}", protocol="smpp", host="h", port=1, settings={}, secret="", prices=prices(), **common)
        for n in range(connectors)
    ]
    conditions = [
        lambda: {"operators": (chance.choice(list(Operator)),)},
        lambda: {"prefixes": tuple(f"+861{chance.randrange(300, 1000)}" for _ in range(3))},
        lambda: {"signatures": tuple(f"客户{chance.randrange(1000)}" for _ in range(3))},
        lambda: {"lanes": (chance.choice(list(Lane)),), "countries": ("CN",)},
        lambda: {"workspaces": (f"ws_{chance.randrange(100)}",)},
    ]
    rules = [
        Route(
            id=f"rte_{n}",
            name=f"r{n}",
            rank=n,
            pool=tuple(
                Member(account.id, 1 + place // 2, chance.randrange(1, 100))
                for place, account in enumerate(chance.sample(accounts, min(3, connectors)))
            ),
            prefer=Prefer.WEIGHT if n % 4 else Prefer.COST,
            match=Match(**conditions[n % len(conditions)]()) if n < routes - 1 else Match(),
            **common,
        )
        for n in range(routes)
    ]
    return Definitions(accounts, rules)


def make_drafts(count: int, chance: random.Random) -> list[Draft]:
    """Return drafts to mainland numbers of every range."""
    return [
        Draft("ws_1", f"+861{chance.randrange(3_000_000_000, 10_000_000_000)}", TEXT, "雁书", Lane.NOTICE, Encoding.UCS2, 23, 1)
        for _ in range(count)
    ]


def measure(router: Router, drafts: list[Draft]) -> float:
    """Return µs of CPU a message for one chunk."""
    ways = Ways(Send(workspace_id="ws_1", livemode=True, text=TEXT, recipients=()), router, NOW)
    idents = make_ids("msg", len(drafts), NOW, random.Random(1).randbytes(10))
    begun = time.process_time()
    for draft, ident in zip(drafts, idents, strict=True):
        ways.to(draft, ident)
    return (time.process_time() - begun) / len(drafts) * 1e6


async def run(connectors: int, routes: int, chunk: int) -> dict[str, float]:
    """Return the figures."""
    chance = random.Random(1)
    store, prefixes = cast(Store, make_definitions(connectors, routes, chance)), shipped_prefixes()
    cold, warm = [], []
    for _ in range(ROUNDS):
        router = Router(store, prefixes)
        await router.refresh()
        cold.append(measure(router, make_drafts(chunk, chance)))
        warm.append(measure(router, make_drafts(chunk, chance)))
    return {"cold": round(min(cold), 2), "warm": round(min(warm), 2)}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connectors", type=int, default=50)
    parser.add_argument("--routes", type=int, default=200)
    parser.add_argument("--chunk", type=int, default=1000)
    asked = vars(parser.parse_args())
    print(json.dumps(asked | asyncio.run(run(**asked))))


if __name__ == "__main__":
    main()
