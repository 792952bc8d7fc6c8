"""The watch of the store: one line when it goes, one when it is back."""

from typing import cast

import structlog

from yanshu.domain.errors import StoreBusy
from yanshu.pipeline.watch import StoreWatch
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock


class _Store:
    """A store that answers or does not."""

    is_away = False

    async def ping(self) -> None:
        if self.is_away:
            raise StoreBusy("connection refused")


async def test_an_outage_is_told_once_and_its_end_once_with_its_length(clock: FakeClock) -> None:
    store = _Store()
    with structlog.testing.capture_logs() as lines:
        watch = StoreWatch(cast("Store", store), clock)
        await watch.look()
        store.is_away = True
        await watch.look()
        clock.advance(7.5)
        await watch.look()
        store.is_away = False
        await watch.look()
        await watch.look()
    assert [(line["log_level"], line["event"].partition(";")[0]) for line in lines] == [
        ("error", "store does not answer"),
        ("warning", "store answers again"),
    ]
    assert lines[0]["error"] == "connection refused"
    assert lines[1]["away_seconds"] == 7.5
