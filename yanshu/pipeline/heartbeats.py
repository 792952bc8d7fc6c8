"""Heartbeats: which links were seen to live, by our own monotonic clock.

Leases compare wall clocks, and a wall clock may be set, or differ between machines. Who holds a link writes its report anew
every round; a report that changes is a heartbeat, whatever the time says.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from yanshu.domain.connectors import LinkReport

Key = tuple[str, int]
# How a holder says goodbye.
STOPPED = "stopped"


class _Beat(Struct):
    """A report as it was first seen, since when, and whether it was seen to change to that."""

    report: LinkReport
    since: float
    has_moved: bool


class Heartbeats:
    """What this process has seen of all links, round by round."""

    def __init__(self, node_id: str, patience_seconds: float) -> None:
        self._node_id = node_id
        self._patience = patience_seconds
        self._beats: dict[Key, _Beat] = {}

    def look(self, reports: Iterable[LinkReport], now: float) -> None:
        """Take in what all processes report; `now` is monotonic."""
        for report in reports:
            key = (report.connector_id, report.slot)
            known = self._beats.get(key)
            if known is None or known.report != report:
                self._beats[key] = _Beat(report, now, known is not None)

    def is_alive(self, key: Key, now: float) -> bool:
        """Whether somebody else was seen to keep the link a moment ago, and has not said goodbye."""
        beat = self._beats.get(key)
        if beat is None or not beat.has_moved or beat.report.node_id == self._node_id or beat.report.detail == STOPPED:
            return False
        return now - beat.since < self._patience

    def died_at(self, key: Key, now: float) -> datetime | None:
        """When, by its own clock, the holder of the link last reported, if we have waited in vain for the next time."""
        beat = self._beats.get(key)
        return beat.report.changed_at if beat is not None and now - beat.since >= self._patience else None
