"""Times as carriers write them: ``YYMMDDhhmmsstnnp`` in submits (SMPP 3.4 §7.1.1; CMPP takes it from SMPP 3.3), short in receipts."""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from yanshu.protocols.errors import RemoteProtocolError

_FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+R])", re.ASCII)
_CENTURY = 2000
_QUARTER = timedelta(minutes=15)
# Years and months of a span have no length of their own; these are what gateways take them for.
_YEAR, _MONTH = timedelta(days=365), timedelta(days=30)
_LONGEST_OFFSET = 48


def read_time(text: str, now: datetime) -> datetime | None:
    """Return the time that is written, or None for an empty field; a span (``R``) counts from `now`.

    Raises RemoteProtocolError for what is no time.
    """
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise RemoteProtocolError(f"{text!r} is no time")
    year, month, day, hour, minute, second, tenths, quarters = (int(found[group]) for group in range(1, 9))
    if found[9] == "R":
        return now + year * _YEAR + month * _MONTH + timedelta(days=day, hours=hour, minutes=minute, seconds=second)
    if quarters > _LONGEST_OFFSET:
        raise RemoteProtocolError(f"{text!r} is no time: its offset is too large")
    offset = timezone(quarters * _QUARTER * (-1 if found[9] == "-" else 1))
    try:
        return datetime(_CENTURY + year, month, day, hour, minute, second, tenths * 100_000, tzinfo=offset)
    except ValueError as error:
        raise RemoteProtocolError(f"{text!r} is no time: {error}") from error


@lru_cache(maxsize=4096)  # the receipts of one minute have the same
def read_stamp(text: str, offset_minutes: int) -> datetime | None:
    """Read ``YYMMDDhhmm`` or ``YYMMDDhhmmss`` of a clock that is `offset_minutes` ahead of UTC; None for nonsense, or one cut short."""
    if not text.isascii() or not text.isdigit() or len(text) not in {10, 12}:
        return None
    year, month, day, hour, minute, second = (int(text[at : at + 2] or 0) for at in range(0, 12, 2))
    zone = timezone(timedelta(minutes=offset_minutes))
    try:
        return datetime(_CENTURY + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
