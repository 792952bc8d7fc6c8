"""Layouts of PDUs made of fixed fields, as the Chinese protocols have them: a table of fields becomes octets and back.

Fixed fields that stand together are packed and unpacked in one call. Texts are padded with NULs, and read up to the first one and
without the blanks that some peers pad with (protocols.md §2). Whatever octets come in, only RemoteProtocolError comes out.
"""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError


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
    """Fixed fields that stand together; `texts` are the places and sizes of those that are text."""

    names: tuple[str, ...]
    packed: struct.Struct
    texts: tuple[tuple[int, int], ...]


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
    return Run(tuple(name for name, _ in fields), struct.Struct(f">{form}"), texts)


def fixed_size(made: Layout) -> int:
    """Return the octets of a body without its counted fields."""
    return sum(piece.packed.size for piece in made.pieces if isinstance(piece, Run))


def write(made: Layout, pdu: Any) -> bytes:
    """Return the octets of a body. Raises LocalProtocolError when a value does not fit its field."""
    return b"".join(_pack(piece, pdu) if isinstance(piece, Run) else _count(piece, pdu) for piece in made.pieces)


def read(made: Layout, frame: bytes, at: int, *, may_be_cut: bool) -> tuple[dict[str, Any], int]:
    """Return the fields of the body that begins `at`, and where it ended; the last fixed fields may be missing when it `may_be_cut`.

    Raises RemoteProtocolError, without a status, when it ends too early.
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
    return octets.split(b"\0", 1)[0].decode("latin-1").strip(" ")


def _pack(run: Run, pdu: Any) -> bytes:
    values: list[Any] = [getattr(pdu, name) for name in run.names]
    for place, size in run.texts:
        values[place] = text(run.names[place], values[place], size)
    try:
        return run.packed.pack(*values)
    except struct.error as error:
        raise LocalProtocolError(f"a value of {type(pdu).__name__} does not fit its field: {error}") from error


def _count(piece: Counted, pdu: Any) -> bytes:
    value, form = getattr(pdu, piece.name), piece.form
    if isinstance(form, Content):
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
