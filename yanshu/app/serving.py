"""Serve until a signal says stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from yanshu import __version__
from yanshu.app.platform import Platform
from yanshu.edge.api.services import Sandbox
from yanshu.runtime.garbage import search_seldom
from yanshu.runtime.logs import configure_logs
from yanshu.settings import Settings

# The store's threads need the interpreter for microseconds between two statements; at Python's own 5 ms they would wait for a
# busy event loop longer than they work.
_SWITCH_SECONDS = 0.0005


async def serve_until_signal(settings: Settings, announce: Callable[[Platform], None], sandbox: Sandbox | None = None) -> None:
    """Run a platform process until SIGTERM or SIGINT, then drain; `announce` is called once it is ready.

    A signal while it is still starting ends that; a second signal ends the process at once, as `kill -9` would.
    """
    configure_logs(settings.log_level, settings.log_format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    platform = Platform(settings, sandbox)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _ask_to_stop, stop, platform)
    try:
        if await _unless(stop, platform.start()):
            search_seldom()
            announce(platform)
            platform.log.info("ready", url=platform.url or None, roles=sorted(platform.roles), version=__version__)
            await stop.wait()
    finally:
        await platform.stop()
        platform.log.info("stopped")


def _ask_to_stop(stop: asyncio.Event, platform: Platform) -> None:
    """Ask once; whoever asks again does not want to wait."""
    if stop.is_set():
        platform.log.warning("ended at once; what was on the wire will be unknown")
        os._exit(1)
    platform.log.info("stopping", budget_seconds=platform.settings.drain_seconds)
    stop.set()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work`; whether it came to its end before `stop` was set."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False
    await working
    return True
