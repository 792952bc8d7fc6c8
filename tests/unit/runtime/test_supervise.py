"""Tasks come back after a crash; services stop in reverse, each within its budget."""

import asyncio

import pytest
from structlog.testing import capture_logs

from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Backoff, Service, Supervisor

AT_ONCE = Backoff(first_seconds=0.0)


@pytest.mark.parametrize(
    ("crashes", "chance", "seconds"),
    [(1, 0.5, 0.5), (2, 0.5, 1.0), (3, 0.0, 1.6), (3, 1.0, 2.4), (7, 0.5, 30.0), (10_000, 0.5, 30.0)],
)
def test_pauses_double_up_to_the_longest(crashes: int, chance: float, seconds: float) -> None:
    assert Backoff().pause(crashes, chance) == pytest.approx(seconds)


async def test_a_task_that_crashes_is_run_again_and_counted_and_its_traceback_is_told_once() -> None:
    metrics = Metrics()
    runs = 0

    async def fragile() -> None:
        nonlocal runs
        runs += 1
        if runs <= 3:
            raise ValueError("not yet")

    with capture_logs() as lines:
        await Supervisor(metrics, AT_ONCE).spawn("link:con_1:0", fragile)
    assert runs == 4
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("error", "task crashed and will be restarted"),
        ("warning", "task crashed again"),
        ("warning", "task crashed again"),
    ]
    assert b'yanshu_task_restarts_total{task="link"} 3.0' in metrics.render()


async def test_a_cancelled_task_is_not_run_again() -> None:
    runs = 0

    async def patient() -> None:
        nonlocal runs
        runs += 1
        await asyncio.Event().wait()

    task = Supervisor(Metrics(), AT_ONCE).spawn("patient", patient)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (runs, task.cancelled()) == (1, True)


async def test_services_start_in_order_and_stop_in_reverse() -> None:
    told: list[str] = []

    def service(name: str) -> Service:
        async def start() -> None:
            told.append(f"start {name}")

        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                told.append(f"end {name}")

        async def stop() -> None:
            told.append(f"stop {name}")

        return Service(name=name, start=start, run=run, stop=stop)

    supervisor = Supervisor(Metrics())
    for name in ("store", "links", "api"):
        await supervisor.start(service(name))
        await asyncio.sleep(0)
    await supervisor.stop()
    assert told[:3] == ["start store", "start links", "start api"]
    assert told[3:] == ["stop api", "end api", "stop links", "end links", "stop store", "end store"]


async def test_a_service_that_does_not_stop_or_fails_to_holds_up_nobody() -> None:
    stopped: list[str] = []

    async def never() -> None:
        await asyncio.Event().wait()

    async def broken() -> None:
        raise OSError("gone already")

    async def good() -> None:
        stopped.append("good")

    supervisor = Supervisor(Metrics())
    await supervisor.start(Service(name="good", stop=good))
    await supervisor.start(Service(name="broken", stop=broken))
    await supervisor.start(Service(name="never", stop=never, budget_seconds=0.01))
    with capture_logs() as lines:
        await supervisor.stop()
    assert stopped == ["good"]
    assert [(line["service"], line["log_level"]) for line in lines] == [("never", "warning"), ("broken", "error")]


async def test_a_service_that_does_not_start_is_the_callers_error_and_is_not_stopped() -> None:
    async def refuse() -> None:
        raise OSError("port taken")

    async def stop() -> None:
        raise AssertionError("was never started")

    supervisor = Supervisor(Metrics())
    with pytest.raises(OSError, match="port taken"):
        await supervisor.start(Service(name="api", start=refuse, stop=stop))
    await supervisor.stop()


async def test_what_was_spawned_ends_with_the_supervisor() -> None:
    supervisor = Supervisor(Metrics())
    task = supervisor.spawn("lag", supervisor.watch_loop)
    await asyncio.sleep(0)
    await supervisor.stop()
    assert task.done()


async def test_a_task_that_lost_its_cancellation_ends_all_the_same() -> None:
    supervisor = Supervisor(Metrics())
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = supervisor.spawn("deaf", deaf)
    await asyncio.sleep(0)
    await asyncio.wait_for(supervisor.stop(), 20)
    assert (task.cancelled(), lost) == (True, 2)
