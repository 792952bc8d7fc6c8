"""Limits: from which figures on a connector counts as unwell, and how fast its weight falls and returns."""

from typing import NamedTuple

from msgspec import Struct, convert, structs


class Rule(NamedTuple):
    """A share of bad ones among those of the last `seconds`; it takes `sample` of them, and `least` bad ones, to tell anything.

    What is waited for is bad `after` so many seconds.
    """

    seconds: int
    sample: int
    share: float
    least: int = 1
    after: int = 0


class Limits(Struct, frozen=True, kw_only=True):
    """How health is judged.

    The shape, and the figures marked G, are those of GOV.UK Notify (alphagov/notifications-api, `app/celery/scheduled_tasks.py`
    and `app/dao/provider_details_dao.py`): a provider with a burst of errors, or with too many messages delivered too late, loses
    ten points of a hundred, not too often, and gets them back ten at a time when nothing has moved for a while. An absolute number
    of errors means little to a connector that submits a thousand segments a second, so that here it needs a share as well.
    """

    bucket_seconds: int = 10  # how finely time is counted

    step_points: int = 10  # G: what one move takes and gives
    floor_points: int = 10  # moves leave as much, so that there is something to judge by; only the breaker takes all

    burst_seconds: int = 60  # G
    burst_sample: int = 50
    burst_share: float = 0.2
    burst_errors: int = 50  # G: so many errors are a burst already from `burst_least_share` on
    burst_least_share: float = 0.05
    burst_pause_seconds: int = 60  # G: from one move down to the next

    slow_seconds: int = 900  # G: of what was accepted in these last seconds …
    slow_after_seconds: int = 300  # G: … receipts that took longer than this are slow, those still owed after it as well
    slow_share: float = 0.15  # G
    slow_sample: int = 50
    slow_pause_seconds: int = 600  # G: from one move down to the next

    otp_seconds: int = 180  # the same for one-time passwords: nobody waits five minutes for one
    otp_after_seconds: int = 20
    otp_share: float = 0.1
    otp_sample: int = 30

    return_seconds: int = 900  # from one move up to the next, and after the last fault (G: an hour)

    break_seconds: int = 60  # the breaker opens when most of this fails …
    break_sample: int = 20
    break_share: float = 0.5
    trickle_seconds: int = 600  # … or, where there is little traffic, nearly all of this
    trickle_sample: int = 10
    trickle_share: float = 0.9
    open_seconds: int = 30  # how long it stays open; twice as long each time it opens again
    open_most_seconds: int = 300
    probe_seconds: float = 5.0  # from one probe to the next
    probes: int = 3  # so many must succeed before it closes

    @property
    def bursts(self) -> tuple[Rule, ...]:
        """What costs weight."""
        some = Rule(self.burst_seconds, 1, self.burst_least_share, self.burst_errors)
        return (Rule(self.burst_seconds, self.burst_sample, self.burst_share), some)

    @property
    def breaks(self) -> tuple[Rule, ...]:
        """What opens the breaker."""
        return (
            Rule(self.break_seconds, self.break_sample, self.break_share),
            Rule(self.trickle_seconds, self.trickle_sample, self.trickle_share),
        )

    @property
    def slow(self) -> Rule:
        """What is too slow."""
        return Rule(self.slow_seconds, self.slow_sample, self.slow_share, after=self.slow_after_seconds)

    @property
    def slow_otp(self) -> Rule:
        """What is too slow for one-time passwords."""
        return Rule(self.otp_seconds, self.otp_sample, self.otp_share, after=self.otp_after_seconds)

    @property
    def kept_seconds(self) -> int:
        """How far back counts are looked at."""
        return max(self.slow_seconds, self.trickle_seconds, self.otp_seconds, self.burst_seconds, self.break_seconds)


_MOST = 86_400


def read_limits(text: str) -> Limits:
    """Read a comma list such as ``open_seconds=60,probes=5``; what it does not name stays as it is. `ValueError` says what is wrong."""
    values: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in Limits.__struct_fields__:
            raise ValueError(f"{name!r} is no limit; there are {', '.join(Limits.__struct_fields__)}")
        values[name] = value
    try:
        limits: Limits = convert(values, Limits, strict=False)
    except ValueError as error:
        raise ValueError(f"numbers are expected: {error}") from error
    for name, value in structs.asdict(limits).items():
        most = 1 if name.endswith("_share") else 100 if name.endswith("_points") else _MOST
        if not 0 < value <= most:
            raise ValueError(f"{name} is more than 0 and at most {most:,}, not {value}")
    return limits
