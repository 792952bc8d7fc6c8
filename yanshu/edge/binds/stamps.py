"""Message numbers as CMPP has them: 64 bits of time, gateway and serial (protocols.md §4.4)."""

from datetime import datetime, timedelta, timezone
from hashlib import blake2b

from yanshu.domain.binds import BindDelivery
from yanshu.ports.clock import Clock
from yanshu.protocols.cmpp.reports import MessageId, put_together

BEIJING = timezone(timedelta(hours=8))
_GATEWAY_BITS, _SERIAL_BITS = 22, 16
_SERIALS = 1 << _SERIAL_BITS


class Stamps:
    """Gives out the numbers of one process. Which gateway it is in them is drawn by lot: customers see numbers of several processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gateway = int.from_bytes(clock.entropy(3), "big") & ((1 << _GATEWAY_BITS) - 1)
        self._serial = 0

    def take(self, count: int) -> list[int]:
        """Return numbers that follow each other, as a submit to `count` numbers needs them."""
        if self._serial + count > _SERIALS:
            self._serial = 0
        first = _stamp(self._clock.now(), self._gateway, self._serial)
        self._serial += count
        return list(range(first, first + count))


def stamp_of(delivery: BindDelivery) -> int:
    """Return the number of a delivery: the same whenever and by whichever process it is made."""
    lot = int.from_bytes(blake2b(delivery.id.encode(), digest_size=5).digest(), "big")
    return _stamp(delivery.created_at, lot >> _SERIAL_BITS & ((1 << _GATEWAY_BITS) - 1), lot & (_SERIALS - 1))


def _stamp(at: datetime, gateway: int, serial: int) -> int:
    local = at.astimezone(BEIJING)
    return put_together(MessageId(local.month, local.day, local.hour, local.minute, local.second, gateway, serial))
