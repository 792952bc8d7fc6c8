"""What the wire protocols share: splitting a byte stream whose PDUs begin with their own length."""

from struct import Struct as Packed

_LENGTH = Packed(">I")


class Framer:
    """Cuts a stream into PDUs. All our protocols begin a PDU with its length in 4 octets, itself included.

    A length below the header or above the limit cannot be recovered from: `fault` then says so, and nothing more comes.
    """

    def __init__(self, header: int, limit: int) -> None:
        self._header = header
        self._limit = limit
        self._rest = b""
        self.fault: str | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Return the PDUs completed by `data`, in order."""
        if self.fault is not None:
            return []
        if self._rest:
            data = self._rest + data
        shortest, longest, unpack = self._header, self._limit, _LENGTH.unpack_from
        frames: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= 4:
            (length,) = unpack(data, at)
            if not shortest <= length <= longest:
                self.fault = f"length {length} is not between {shortest} and {longest}"
                break
            following = at + length
            if following > end:
                break
            frames.append(data[at:following])
            at = following
        self._rest = data[at:] if at < end else b""
        return frames
