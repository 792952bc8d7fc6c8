"""What the dialects share in reading what carriers deliver: states of receipts, numbers, and what a store can keep."""

import re

from yanshu.domain.submissions import ReceiptState

# protocols.md §9.4
STATES: dict[str, ReceiptState] = {
    "DELIVRD": ReceiptState.DELIVERED,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "ENROUTE": ReceiptState.ACCEPTED,
    "EXPIRED": ReceiptState.EXPIRED,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "DELETED": ReceiptState.UNDELIVERABLE,
    "REJECTD": ReceiptState.REJECTED,
    "UNKNOWN": ReceiptState.UNKNOWN,
}
# Families of codes that Chinese gateways write in place of a state, by their first two letters (china-sms.md §5.1): MI to MN are
# states of China Mobile's own centre with the number of their cause.
_FAMILIES: dict[str, ReceiptState] = {
    **dict.fromkeys(("MA", "MB", "MC", "CA", "CB", "IA", "IB", "IC"), ReceiptState.UNDELIVERABLE),
    **dict.fromkeys(("DA", "DB", "SA", "SB"), ReceiptState.REJECTED),
    "MI": ReceiptState.EXPIRED,
    **dict.fromkeys(("MJ", "MK"), ReceiptState.UNDELIVERABLE),
    "MN": ReceiptState.REJECTED,
}
_MAINLAND_LENGTH = 11
_MAINLAND_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# What a carrier writes ends in columns and indexes of the store. Addresses and codes of the specification fit; ids may be of any
# make. U+0000 is the one character that PostgreSQL cannot keep.
LONGEST_ADDRESS = 64
LONGEST_CODE = 64
LONGEST_ID = 255
_NO_CHARACTER = "\ufffd"


def state_of(stat: str, *, acceptd_is_final: bool) -> ReceiptState:
    """Return what a state in a receipt means; one that nobody knows is a final failure (protocols.md §4.5)."""
    if stat == "ACCEPTD" and acceptd_is_final:
        return ReceiptState.DELIVERED
    return STATES.get(stat) or _FAMILIES.get(stat[:2], ReceiptState.UNKNOWN)


def kept(text: str) -> str:
    """Return the text as a store can keep it."""
    return text.replace("\0", _NO_CHARACTER)


def access_number(address: str, own: str) -> str:
    """Return our number as we know it: some carriers put the country code before it."""
    number = address[:LONGEST_ADDRESS].removeprefix("+")
    if own and not number.startswith(own) and number.startswith(f"86{own}"):
        return number[2:]
    return number


def phone_number(address: str) -> str | None:
    """Return a person's number in E.164 as far as it is one; None when the carrier left it out."""
    if not address:
        return None
    address = address[:LONGEST_ADDRESS]
    if not (address.isascii() and address.isdigit()):  # it has its plus already, or is no number
        return address
    if len(address) == _MAINLAND_LENGTH and _MAINLAND_MOBILE.fullmatch(address) is not None:
        return f"+86{address}"
    return f"+{address.removeprefix('00')}"
