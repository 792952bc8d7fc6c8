"""Text formats of mainland protocols: the same numbers in all of them, whatever they call the field (protocols.md §7)."""

UCS2 = 8
GBK = 15


def read_text(octets: bytes, form: int) -> str:
    """Return a text. Whatever cannot be read becomes U+FFFD; it is never an error.

    Some phones call GBK what is not: format 0 with octets beyond ASCII is GBK (protocols.md §7).
    """
    if form == UCS2:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("gb18030", "replace")
