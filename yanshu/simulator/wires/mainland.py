"""What the mainland protocols have in common as a simulated carrier speaks them: formats of texts, numbers, and states with codes."""

from yanshu.simulator.script import Report
from yanshu.simulator.traffic import Encoding
from yanshu.text.formats import GBK, UCS2

ASCII = 0
ENCODINGS: dict[int, Encoding] = {ASCII: "latin1", UCS2: "ucs2", GBK: "gbk"}
FORMATS: dict[Encoding, int] = {"latin1": ASCII, "ucs2": UCS2}
WITH_HEADER = 1  # TP_udhi
STAT_SIZE = 7
COUNTRY = "86"


def stat_of(report: Report) -> str:
    """Return the state as gateways write it: the code in place of a state of failure, where there is one (china-sms.md §5)."""
    return report.err if len(report.err) == STAT_SIZE else report.stat


def in_full(number: str) -> str:
    """Return a number with its country code, as the test numbers and handsets are kept."""
    digits = number.removeprefix("+").removeprefix("00")
    return digits if digits.startswith(COUNTRY) else f"{COUNTRY}{digits}"


def at_home(number: str) -> str:
    """Return a number as gateways write it: without its country code."""
    return number.removeprefix(COUNTRY)
