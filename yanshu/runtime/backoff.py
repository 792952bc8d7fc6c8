"""How long to wait before connecting again (protocols.md §8)."""

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_AUTH_FIRST_SECONDS = 60.0
_AUTH_LONGEST_SECONDS = 900.0
_STEADY_SECONDS = 60.0
_JITTER = 0.2


class Backoff:
    """Delays of one link: 1 s doubling to 60 s; after a refused login 60 s doubling to 15 min; each ±20 %.

    A connection resets them only when it was up for 60 s: a login that succeeds and drops at once is a failure too.
    Randomness is given with every question, as 1 octet or more.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._refusals = 0

    def was_up(self, seconds: float) -> None:
        """A connection was usable for so long."""
        self._refusals = 0
        if seconds >= _STEADY_SECONDS:
            self._failures = 0

    def after_failure(self, entropy: bytes) -> float:
        """Return the seconds to wait after a connection failed or ended."""
        seconds = min(_FIRST_SECONDS * 2**self._failures, _LONGEST_SECONDS)
        self._failures = min(self._failures + 1, 16)
        return jitter(seconds, entropy)

    def after_refusal(self, entropy: bytes) -> float:
        """Return the seconds to wait after the peer refused our credentials."""
        seconds = min(_AUTH_FIRST_SECONDS * 2**self._refusals, _AUTH_LONGEST_SECONDS)
        self._refusals = min(self._refusals + 1, 16)
        return jitter(seconds, entropy)


def jitter(seconds: float, entropy: bytes) -> float:
    """Return `seconds` moved by up to 20 % either way, so that many clients do not come back in step."""
    share = int.from_bytes(entropy, "big") / ((1 << 8 * len(entropy)) - 1)
    return seconds * (1 - _JITTER + 2 * _JITTER * share)
