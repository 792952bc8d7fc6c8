"""Rows and structs: the one conversion of times, JSON, enums and booleans between the tables and the domain."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import EnumMeta
from functools import lru_cache
from types import UnionType
from typing import Any, Generic, Protocol, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

S = TypeVar("S", bound=Struct)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = (str, int, bytes)


# Rows of a chunk share their few moments: remembering them halves the cost of a row.
@lru_cache(maxsize=8192)
def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time; exact."""
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


@lru_cache(maxsize=8192)
def moment(value: int) -> datetime:
    """The aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def to_json(value: Any) -> str:
    """JSON text of a value."""
    return msgspec.json.encode(value).decode()


@lru_cache(maxsize=4096)
def words_to_json(words: tuple[str, ...]) -> str:
    """JSON text of a tuple of words; the same few tuples come again and again."""
    return to_json(words)


@lru_cache(maxsize=4096)
def words_from_json(text: str) -> tuple[str, ...]:
    """The tuple that `words_to_json` wrote."""
    return tuple(msgspec.json.decode(text))


class Named(Protocol):
    """A row whose values have names."""

    def __getitem__(self, name: str, /) -> Any: ...


class RowCodec(Generic[S]):
    """Turns structs of one kind into rows (column → value) and back, by the types of their fields."""

    def __init__(self, struct: type[S], skip: Sequence[str] = ()) -> None:
        self._struct = struct
        kinds = {field.name: _core(field.type) for field in msgspec.structs.fields(struct) if field.name not in skip}
        self.columns = tuple(kinds)
        self._writers = [(name, writer) for name, kind in kinds.items() if (writer := _writer(kind)) is not None]
        self._readers = [(name, reader) for name, kind in kinds.items() if (reader := _reader(kind)) is not None]

    def row(self, item: S) -> dict[str, Any]:
        """Column → value."""
        row = {name: getattr(item, name) for name in self.columns}
        for name, write in self._writers:
            if row[name] is not None:
                row[name] = write(row[name])
        return row

    def item(self, row: Named, **more: Any) -> S:
        """The struct of a row; columns it has no field for are ignored."""
        values = {name: row[name] for name in self.columns}
        for name, read in self._readers:
            if values[name] is not None:
                values[name] = read(values[name])
        return self._struct(**values, **more)


def _core(kind: Any) -> Any:
    """The type without `| None`."""
    if get_origin(kind) in (Union, UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _writer(kind: Any) -> Callable[[Any], Any] | None:
    """How to write a field of this type; None when it goes as it is."""
    if kind is datetime:
        return micros
    if isinstance(kind, EnumMeta):
        return str
    return None if kind in _PLAIN or kind is bool else to_json


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """How to read a field of this type; None when it comes as it is."""
    if kind is datetime:
        return moment
    if isinstance(kind, EnumMeta) or kind is bool:
        return kind
    if kind in _PLAIN:
        return None
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
    return decoder.decode
