"""Masks: what may be shown of a phone number or a text in a log line."""

import re
from typing import Any

# E.164 (+, 8 to 15 digits), 00-prefixed, or a bare mainland mobile with or without 86. The look-arounds keep ids, hashes
# and longer digit runs out of it: a number stands alone.
_PHONE = re.compile(r"(?<![0-9A-Za-z_])(?:\+[1-9]\d{7,14}|00[1-9]\d{7,14}|(?:86)?1[3-9]\d{9})(?![0-9A-Za-z_])")
_TAIL = 4
_HIDDEN = "****"


def mask_phone(number: str) -> str:
    """Return the number with the four digits before the last four hidden: ``+8613800138000`` becomes ``+86138****8000``."""
    head = number[: -2 * _TAIL]
    return f"{head}{_HIDDEN}{number[-_TAIL:]}"


def mask_phones(text: str) -> str:
    """Return `text` with every phone number in it masked."""
    return _PHONE.sub(lambda found: mask_phone(found.group()), text)


def mask_value(value: Any) -> Any:
    """Return `value` with the strings in it masked, however deep they are in mappings and lists."""
    if isinstance(value, str):
        return mask_phones(value)
    if isinstance(value, dict):
        return {mask_value(key): mask_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [mask_value(item) for item in value]
    return value


def mask_text(text: object) -> str:
    """Return what may be said of a message's text: how long it is."""
    return f"<{len(text)} characters>" if isinstance(text, (str, bytes)) else "<withheld>"
