"""Layouts of PDUs made of fixed fields, as the Chinese protocols have them: a table of fields becomes octets and back.

Fixed fields that stand together are packed and unpacked in one call. Texts are padded with NULs, and read up to the first one and
without the blanks that some peers pad with (protocols.md §2). Whatever octets come in, only RemoteProtocolError comes out.
"""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError

# Length, command, sequence number: the header of CMPP and SMGP.
THREE_WORDS = struct.Struct(">III")


class Numbers(NamedTuple):
    """A form: an octet that counts, and so many numbers of `size` octets, at most `most`."""

    size: int
    most: int


class Content(NamedTuple):
    """A form: a length in so many octets, and the octets of a text."""

    length_octets: int


# How a field travels: an integer is text of so many octets, "B", "I", "Q" are numbers, "16s" raw octets.
Form = int | str | Numbers | Content
Field = tuple[str, Form]


class Run(NamedTuple):
    """Fixed fields that stand together; `texts` and `raws` are the places and sizes of those that are text, or raw octets."""

    names: tuple[str, ...]
    packed: struct.Struct
    texts: tuple[tuple[int, int], ...]
    raws: tuple[tuple[int, int], ...]


class Counted(NamedTuple):
    """A field of its own length."""

    name: str
    form: Numbers | Content


class Layout(NamedTuple):
    """The body of a PDU of struct `kind`."""

    command_id: int
    kind: Any
    pieces: tuple[Run | Counted, ...]


def layout(command_id: int, kind: Any, fields: Iterable[Field]) -> Layout:
    """Compile the fields of a PDU."""
    pieces: list[Run | Counted] = []
    fixed: list[tuple[str, int | str]] = []
    for name, form in fields:
        if isinstance(form, int | str):
            fixed.append((name, form))
            continue
        if fixed:
            pieces.append(_run(fixed))
            fixed = []
        pieces.append(Counted(name, form))
    if fixed:
        pieces.append(_run(fixed))
    return Layout(int(command_id), kind, tuple(pieces))


def _run(fields: list[tuple[str, int | str]]) -> Run:
    form = "".join(f"{size}s" if isinstance(size, int) else size for _, size in fields)
    texts = tuple((place, size) for place, (_, size) in enumerate(fields) if isinstance(size, int))
    raws = tuple((place, int(size[:-1])) for place, (_, size) in enumerate(fields) if isinstance(size, str) and size.endswith("s"))
    return Run(tuple(name for name, _ in fields), struct.Struct(f">{form}"), texts, raws)


def framed(header: struct.Struct, words: tuple[int, ...], octets: bytes, limit: int) -> bytes:
    """Return a frame: its length, the other words of its header, its body. Raises LocalProtocolError when a word does not fit."""
    length = header.size + len(octets)
    if length > limit:
        raise LocalProtocolError(f"a PDU would have {length} octets; at most {limit} are allowed")
    try:
        return header.pack(length, *words) + octets
    except struct.error as error:
        raise LocalProtocolError(f"a word of the header does not fit: {error}") from error


def opened(header: struct.Struct, frame: bytes, status: int) -> tuple[int, ...]:
    """Return the words of a whole frame's header behind the length. Raises RemoteProtocolError with `status` when it lies."""
    if len(frame) < header.size:
        raise RemoteProtocolError(f"{len(frame)} octets are no header", status)
    length, *words = header.unpack_from(frame)
    if length != len(frame):
        raise RemoteProtocolError(f"length {length} of a frame of {len(frame)} octets", status)
    return tuple(words)


def offset_of(made: Layout, name: str) -> int:
    """Return where in a body a counted field begins that stands behind fixed ones only."""
    place = next(place for place, piece in enumerate(made.pieces) if isinstance(piece, Counted) and piece.name == name)
    return sum(piece.packed.size for piece in made.pieces[:place] if isinstance(piece, Run))


def fixed_size(made: Layout) -> int:
    """Return the octets of a body without its counted fields."""
    return sum(piece.packed.size for piece in made.pieces if isinstance(piece, Run))


def write(made: Layout, pdu: Any) -> bytes:
    """Return the octets of a body. Raises LocalProtocolError when a value does not fit its field."""
    return b"".join(_pack(piece, pdu) if isinstance(piece, Run) else _count(piece, pdu) for piece in made.pieces)


def read(made: Layout, frame: bytes, at: int, *, may_be_cut: bool) -> tuple[dict[str, Any], int]:
    """Return the fields of the body that begins `at`, and where it ends; the last fixed fields may be missing when it `may_be_cut`.

    The end is beyond the frame when they are, and before its end when octets are left over. Raises RemoteProtocolError, without a
    status, when it ends too early.
    """
    values: dict[str, Any] = {}
    end, last = len(frame), made.pieces[-1] if made.pieces else None
    for piece in made.pieces:
        if isinstance(piece, Run):
            following = at + piece.packed.size
            if following > end:
                if not (may_be_cut and piece is last):
                    raise RemoteProtocolError("the body ends too early")
                frame = frame.ljust(following, b"\0")
            _unpack(piece, frame, at, values)
            at = following
        else:
            values[piece.name], at = _counted(piece.form, frame, at, end)
    return values, at


def text(name: str, value: str, size: int) -> bytes:
    """Return text as it fills a field of `size` octets; `name` is for the error."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{name} must be plain ASCII, not {value!r}") from error
    if len(octets) > size or 0 in octets:
        raise LocalProtocolError(f"{name} may have at most {size} characters and no NUL")
    return octets.ljust(size, b"\0")


def plain(octets: bytes) -> str:
    """Return the text of a fixed field."""
    if not octets or not octets[0]:  # most are empty
        return ""
    return octets.split(b"\0", 1)[0].decode("latin-1").strip(" ")


def _pack(run: Run, pdu: Any) -> bytes:
    values: list[Any] = [getattr(pdu, name) for name in run.names]
    for place, size in run.texts:
        values[place] = text(run.names[place], values[place], size)
    for place, size in run.raws:
        if len(values[place]) != size:
            raise LocalProtocolError(f"{run.names[place]} has {size} octets, not {len(values[place])}")
    try:
        return run.packed.pack(*values)
    except struct.error as error:
        raise LocalProtocolError(f"a value of {type(pdu).__name__} does not fit its field: {error}") from error


def _count(piece: Counted, pdu: Any) -> bytes:
    value, form = getattr(pdu, piece.name), piece.form
    if isinstance(form, Content):
        if len(value) >= 1 << 8 * form.length_octets:
            raise LocalProtocolError(f"{piece.name} has {len(value)} octets, more than its length can say")
        return len(value).to_bytes(form.length_octets, "big") + bytes(value)
    if not 1 <= len(value) <= form.most:
        raise LocalProtocolError(f"{piece.name} are 1 to {form.most}, not {len(value)}")
    return bytes((len(value),)) + b"".join(text(piece.name, number, form.size) for number in value)


def _unpack(run: Run, frame: bytes, at: int, values: dict[str, Any]) -> None:
    found = list(run.packed.unpack_from(frame, at))
    for place, _ in run.texts:
        found[place] = plain(found[place])
    values.update(zip(run.names, found, strict=True))


def _counted(form: Numbers | Content, frame: bytes, at: int, end: int) -> tuple[Any, int]:
    """Return the value of a counted field, and where the next one begins."""
    start = at + (form.length_octets if isinstance(form, Content) else 1)
    size = 1 if isinstance(form, Content) else form.size
    stop = start + int.from_bytes(frame[at:start], "big") * size
    if start > end or stop > end:
        raise RemoteProtocolError("a counted field goes beyond the PDU")
    octets = frame[start:stop]
    if isinstance(form, Content):
        return octets, stop
    return tuple(plain(octets[place : place + size]) for place in range(0, len(octets), size)), stop
