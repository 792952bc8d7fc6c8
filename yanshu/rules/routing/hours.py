"""Hours: whether a time lies within the hours of the people it concerns."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from yanshu.domain.connectors import MAINLAND_ZONE, Hours

# The mainland has had one zone without summer time since 1991, so the usual hours need no database of zones.
_MAINLAND = timezone(timedelta(hours=8), MAINLAND_ZONE)
_SUNDAY = 7


def find_zone(name: str) -> tzinfo | None:
    """Return a time zone by its name (``Asia/Shanghai``), or None when this machine knows none of that name."""
    if name == MAINLAND_ZONE:
        return _MAINLAND
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


class Clock:
    """Reads the hours of one route; a zone that this machine does not know has none."""

    def __init__(self, hours: Sequence[Hours]) -> None:
        self._hours = [(each, zone) for each in hours if (zone := find_zone(each.zone)) is not None]

    def is_within(self, at: datetime) -> bool:
        """Whether a time lies within any of them."""
        return any(_holds(hours, at.astimezone(zone)) for hours, zone in self._hours)

    def tell(self, at: datetime) -> str:
        """Return the time as the people see it."""
        zone = self._hours[0][1] if self._hours else _MAINLAND
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _holds(hours: Hours, local: datetime) -> bool:
    """Hours that end before they begin last over midnight, and belong to the day they begin on."""
    minute, today = local.hour * 60 + local.minute, local.isoweekday()
    if hours.start < hours.end:
        return hours.start <= minute < hours.end and _on(hours, today)
    return (minute >= hours.start and _on(hours, today)) or (minute < hours.end and _on(hours, today - 1 or _SUNDAY))


def _on(hours: Hours, day: int) -> bool:
    return not hours.days or day in hours.days
