"""The script: what happens to each test number of API.md §5, as a table."""

from msgspec import Struct

TEST_PREFIX = "86100000000"
TEST_NUMBER_LENGTH = len(TEST_PREFIX) + 2


class Report(Struct, frozen=True):
    """A receipt `after` seconds from the submit; `stat` and `err` as carriers in China word them (china-sms.md §5)."""

    after: float
    stat: str
    err: str

    @property
    def is_delivery(self) -> bool:
        """Whether the handset got it."""
        return self.stat == "DELIVRD"


class Reply(Struct, frozen=True):
    """What the handset says `after` seconds from the submit, `times` times over."""

    after: float
    text: str
    times: int = 1


class Script(Struct, frozen=True, kw_only=True):
    """One row. `answer_after` None: no answer ever. `throttles` first submits of a text are throttled.

    `refused` only concerns accounts marked `refuses_07`; `lost_segments` get neither receipt nor handset.
    """

    reports: tuple[Report, ...]
    answer_after: float | None = 0.0
    throttles: int = 0
    refused: bool = False
    lost_segments: frozenset[int] = frozenset()
    reply: Reply | None = None


DELIVERED = (Report(1, "DELIVRD", "000"),)

SCRIPTS: dict[str, Script] = {
    "01": Script(reports=DELIVERED),
    "02": Script(reports=(Report(1, "UNDELIV", "MK:0001"),)),
    "03": Script(reports=(Report(1, "EXPIRED", "MI:0024"),)),
    "04": Script(reports=(Report(1, "REJECTD", "DB:0141"),)),
    "05": Script(reports=()),
    "06": Script(reports=(Report(20, "DELIVRD", "000"),), answer_after=None),
    "07": Script(reports=DELIVERED, refused=True),
    "08": Script(reports=(Report(1, "UNDELIV", "MK:0024"), Report(3, "DELIVRD", "000"))),
    "09": Script(reports=DELIVERED, lost_segments=frozenset({2})),
    "10": Script(reports=(Report(0, "DELIVRD", "000"),), answer_after=0.5),
    "11": Script(reports=DELIVERED, throttles=2),
    "12": Script(reports=DELIVERED, reply=Reply(2, "TD")),
    "13": Script(reports=DELIVERED, reply=Reply(2, "T")),
    "14": Script(reports=DELIVERED, reply=Reply(2, "1")),
    "15": Script(reports=DELIVERED, reply=Reply(2, "你好")),
    "16": Script(reports=DELIVERED),
    "17": Script(reports=DELIVERED),
    "18": Script(reports=(Report(360, "DELIVRD", "000"),)),
    "19": Script(reports=DELIVERED, reply=Reply(2, "OK", times=2)),
    "20": Script(reports=DELIVERED),
}


def find_script(destination: str) -> Script | None:
    """Return the row of a test number (digits, country code first), or None for every other number."""
    if len(destination) != TEST_NUMBER_LENGTH or not destination.startswith(TEST_PREFIX):
        return None
    return SCRIPTS.get(destination[-2:])
