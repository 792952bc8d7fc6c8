"""Dates in receipts: YYMMDDhhmm, made once a minute and not once a receipt."""

from datetime import UTC, datetime

_KEPT = 64


class Stamps:
    """Dates of the minutes last asked for."""

    def __init__(self) -> None:
        self._dates: dict[int, str] = {}

    def text(self, at: float) -> str:
        """Return YYMMDDhhmm of epoch seconds that are local already."""
        minute = int(at) // 60
        date = self._dates.get(minute)
        if date is None:
            if len(self._dates) > _KEPT:
                self._dates.clear()
            date = self._dates[minute] = datetime.fromtimestamp(minute * 60, UTC).strftime("%y%m%d%H%M")
        return date
