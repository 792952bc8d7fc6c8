"""Uploads: recipients as NDJSON or CSV, read as they arrive, a chunk of rows at a time; a bad row never stops the good."""

import codecs
import csv
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from yanshu.domain.batches import BatchRow
from yanshu.domain.errors import CallerError, Invalid, InvalidRequest
from yanshu.edge.api.decoding import decode_body, explain_validation
from yanshu.edge.api.schemas.messages import RecipientIn
from yanshu.edge.exchange import Request

ROWS_A_CHUNK = 1000
LINE_BYTES = 65_536
_TOO_LONG = f"a line has at most {LINE_BYTES:,} bytes"
_SHOWN = 40
ReadLine = Callable[[int, str], BatchRow | None]
_TYPES = ("application/x-ndjson", "application/jsonl", "text/csv")


async def read_rows(request: Request, batch_id: str) -> AsyncIterator[list[BatchRow]]:
    """Yield the rows of the request's body in chunks; line numbers count from 1, a CSV's heading included."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise InvalidRequest("invalid_content_type", param="Content-Type", fix=" or ".join(_TYPES))
    reader: Any = CsvRows(batch_id) if kind == "text/csv" else NdjsonRows(batch_id)
    lines = Lines()
    rows: list[BatchRow] = []
    async for octets in request.stream():
        rows += (row for line in lines.feed(octets) if (row := reader.read(*line)) is not None)
        while len(rows) >= ROWS_A_CHUNK:
            yield rows[:ROWS_A_CHUNK]
            rows = rows[ROWS_A_CHUNK:]
    rows += (row for line in lines.end() if (row := reader.read(*line)) is not None)
    if rows:
        yield rows


class Lines:
    """Cuts a byte stream into numbered lines; of a line that is too long only the beginning is kept."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._number = 0
        self._skipping = False

    def feed(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (number, line) for every line that is complete."""
        *whole, last = octets.split(b"\n")
        for line in whole:
            self._rest += line
            yield from self._line()
        self._rest += last
        if len(self._rest) > LINE_BYTES + 1:  # the one more may be the carriage return of a line that is just short enough
            yield from self._line()
            self._skipping = True

    def end(self) -> Iterator[tuple[int, bytes]]:
        """Yield the last line, if it had no line end."""
        if self._rest:
            yield from self._line()

    def _line(self) -> Iterator[tuple[int, bytes]]:
        """Give out what was gathered as the next line; the tail of an overlong one was counted with its head."""
        line = bytes(self._rest)
        self._rest.clear()
        if self._skipping:
            self._skipping = False
            return
        self._number += 1
        yield self._number, line if len(line) > LINE_BYTES + 1 else line.removesuffix(b"\r")


class NdjsonRows:
    """One JSON object a line: `to`, and perhaps `params` and `client_reference`."""

    def __init__(self, batch_id: str) -> None:
        self._batch_id = batch_id

    def read(self, number: int, line: bytes) -> BatchRow | None:
        """Return the row of a line, bad or good; None for an empty line."""
        if len(line) > LINE_BYTES:
            return bad_row(self._batch_id, number, line, "parameter_invalid", _TOO_LONG)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            return None
        try:
            found: RecipientIn = decode_body(line, RecipientIn)
        except CallerError as error:
            return refused_row(self._batch_id, number, line, error)
        return BatchRow(batch_id=self._batch_id, line=number, to=found.to, params=found.params, client_reference=found.client_reference)


class CsvRows:
    """A heading with `to` (and perhaps `client_reference`); all other columns are params. A field stays on its line."""

    def __init__(self, batch_id: str) -> None:
        self._batch_id = batch_id
        self._heading: list[str] | None = None

    def read(self, number: int, line: bytes) -> BatchRow | None:
        """Return the row of a line; None for the heading and for empty lines. A heading without `to` refuses the upload."""
        try:
            fields = _fields(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
        except UnicodeDecodeError:
            return self._unreadable(number, line, "malformed_json", "not UTF-8")
        except csv.Error:
            problem = "quote a field as a whole, double the quotes within it, and end it on its line"
            return self._unreadable(number, line, "parameter_invalid", problem)
        except ValueError as error:
            return self._unreadable(number, line, "parameter_invalid", str(error))
        if fields is None:
            return None
        if self._heading is None:
            self._heading = _heading(fields)
            return None
        return self._row(number, line, fields, self._heading)

    def _unreadable(self, number: int, line: bytes, code: str, problem: str) -> BatchRow:
        """Return the bad row of a line; without the heading no other line can be read, so that refuses the upload."""
        if self._heading is None:
            raise Invalid("parameter_invalid", param="recipients", fix="write the file in UTF-8, its first line names the columns")
        return bad_row(self._batch_id, number, line, code, problem)

    def _row(self, number: int, line: bytes, fields: list[str], heading: list[str]) -> BatchRow:
        if len(fields) != len(heading):
            return bad_row(self._batch_id, number, line, "parameter_invalid", f"{len(fields)} fields, the heading has {len(heading)}")
        values = dict(zip(heading, fields, strict=True))
        reference = values.pop("client_reference", None) or None
        to = values.pop("to")
        try:
            msgspec.convert({"to": to, "params": values, "client_reference": reference}, RecipientIn)
        except msgspec.ValidationError as error:
            return refused_row(self._batch_id, number, line, explain_validation(str(error), RecipientIn))
        return BatchRow(batch_id=self._batch_id, line=number, to=to, params=values or None, client_reference=reference)


def _fields(line: bytes) -> list[str] | None:
    """Return the fields of a line, None for an empty one. Raises `UnicodeDecodeError`, `csv.Error` or `ValueError`."""
    if len(line) > LINE_BYTES:
        raise ValueError(_TOO_LONG)
    text = line.decode()
    if not text.strip():
        return None
    if "\r" in text or "\x00" in text:
        raise ValueError("a carriage return or NUL within a line")
    return next(csv.reader([text], strict=True))


def _heading(fields: list[str]) -> list[str]:
    """Return the names of the columns; a heading without one column of numbers refuses the upload."""
    heading = [field.strip() for field in fields]
    if "to" not in heading or len(set(heading)) < len(heading):
        raise Invalid("parameter_invalid", param="recipients", fix="the first line names each column once, one of them `to`")
    return heading


def bad_row(batch_id: str, number: int, line: bytes, code: str, problem: str) -> BatchRow:
    """Return a row that says what is wrong with a line."""
    shown = line[:_SHOWN].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return BatchRow(batch_id=batch_id, line=number, to=shown, code=code, problem=problem)


def refused_row(batch_id: str, number: int, line: bytes, error: CallerError) -> BatchRow:
    """Return the row of a line that was read and refused: the field, and what to do about it."""
    told = ": ".join(str(part) for part in (error.param, error.values.get("fix")) if part)
    return bad_row(batch_id, number, line, error.code, told)
