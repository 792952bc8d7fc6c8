"""Message ids in the forms carriers use: hexadecimal, decimal, UUID, zero padded."""

from datetime import datetime
from uuid import UUID

from yanshu.simulator.behaviour import Behaviour

# Far from small numbers, and further on after every restart: an id is never given twice to a client that remembers.
MICROSECOND = 1_000_000


def first_number(now: datetime) -> int:
    """Return the number the ids of a simulator started at `now` begin with."""
    return int(now.timestamp() * MICROSECOND)


def id_text(number: int, form: str) -> str:
    """Return the id of message `number` in `form`."""
    if form == "hex":
        return f"{number:x}"
    if form == "decimal":
        return str(number)
    # Spread over all digits, so that the ids look like random ones and still differ for different numbers.
    return str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def receipt_id_text(number: int, behaviour: Behaviour) -> str:
    """Return the id as the receipt spells it. An account that answers UUIDs reports UUIDs: they have no other form."""
    form = behaviour.receipt_id_form
    if form == "same" or behaviour.id_form == "uuid":
        form = behaviour.id_form
    return id_text(number, form).zfill(behaviour.receipt_id_width)
