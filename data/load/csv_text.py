"""CSV as text, in two lanes that agree.

The fast lane (Arrow) takes files whose meaning cannot be in doubt: quotes only around whole values, no blank
lines, no NUL, every row as long as the header. Anything else goes to the strict lane: Python's csv parser in
strict mode, which knows the line of every row and refuses an unclosed quote or text after a closing one. Arrow
alone would swallow both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from data.load.bytes_in import disguise, head, opened, undecodable
from data.load.readers import BATCH_ROWS, NotPlain, Source, TextBatch, blank_to_null
from data.load.report import Problem, Unreadable

LONGEST_VALUE = 8 << 20
_LONGEST_HEADER = 1 << 20
_BLOCK = 4 << 20
_QUOTE, _COMMA, _END, _RETURN = b'",\n\r'


def open_csv(path: Path, *, packed: bool) -> Source:
    """The header, read strictly, and both lanes. Raises Unreadable."""
    start = head(path, packed=packed)
    what = disguise(start)
    if what:
        raise Unreadable(Problem("not_csv", value=f"this is {what}"))
    header = next((row for _, row in _rows(path, packed=packed)), None)
    if header is None:
        raise Unreadable(Problem("empty"))
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise Unreadable(Problem("wrong_delimiter", 1, value=header[0]))
    names = tuple(header)
    return Source(
        names,
        (lambda: _fast(path, len(names), packed=packed), lambda: _strict(path, len(names), packed=packed)),
    )


def _rows(path: Path, *, packed: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line each begins on. Raises Unreadable."""
    csv.field_size_limit(LONGEST_VALUE)
    line = 0
    with opened(path, packed=packed) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="")
        reader = csv.reader(text, strict=True)
        try:
            for row in reader:
                if row:
                    yield line + 1, row
                line = reader.line_num
        except csv.Error as fault:
            raise Unreadable(_csv_problem(str(fault), line + 1)) from fault
        except UnicodeDecodeError as fault:
            raise undecodable(path, packed=packed) from fault


def _csv_problem(fault: str, line: int) -> Problem:
    if "unexpected end" in fault:
        return Problem("unclosed_quote", line, value="the quote opened in this row is never closed")
    if "field limit" in fault:
        return Problem("value_too_long", line)
    return Problem("text_after_quote", line, value=fault)


def _strict(path: Path, width: int, *, packed: bool) -> Iterator[TextBatch]:
    values: list[str] = []  # row after row: keeping the rows' own lists would keep the garbage collector busy
    lines: list[int] = []
    ragged: list[Problem] = []
    rows = _rows(path, packed=packed)
    next(rows)
    for line, row in rows:
        if len(row) == width:
            values += row
            lines.append(line)
        else:
            ragged.append(Problem("ragged_row", line, value=f"{len(row)} fields, {width} column names"))
        if len(lines) + len(ragged) == BATCH_ROWS:
            yield _batch(values, lines, ragged, width)
            values, lines, ragged = [], [], []
    if lines or ragged:
        yield _batch(values, lines, ragged, width)


def _batch(values: list[str], lines: list[int], ragged: list[Problem], width: int) -> TextBatch:
    arrays = tuple(blank_to_null(pa.array(values[i::width], pa.string())) for i in range(width))
    return TextBatch(arrays, np.array(lines, dtype=np.int64), tuple(ragged), len(ragged))


class _Plain(io.RawIOBase):
    """The bytes below the header in whole lines, watched: raises NotPlain at the first doubtful thing."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._tail = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._tail + self._raw.read(size - len(self._tail))
        whole = chunk.rfind(b"\n") + 1
        if whole < len(chunk) and len(chunk) == size:
            chunk, self._tail = chunk[:whole], chunk[whole:]
        else:
            self._tail = b""
        if (not chunk and self._tail) or _doubtful(chunk):
            raise NotPlain
        return chunk


def _doubtful(lines: bytes) -> bool:
    """Whole lines with NUL, a blank line, a lone carriage return, or quotes that do not just wrap a value."""
    if b"\0" in lines or b"\n\n" in lines or b"\n\r" in lines or lines.startswith((b"\n", b"\r")):
        return True
    if lines.count(b"\r") != lines.count(b"\r\n"):
        return True
    return b'"' in lines and not _quotes_wrap(lines)


def _quotes_wrap(lines: bytes) -> bool:
    """Whether quotes come in pairs on one line, with a comma or the line's end at both outer sides."""
    text = np.frombuffer(b"\n" + lines + b"\n", dtype=np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if quotes.size % 2:
        return False
    before, after = text[quotes[::2] - 1], text[quotes[1::2] + 1]
    if not np.all((before == _COMMA) | (before == _END)):
        return False
    if not np.all((after == _COMMA) | (after == _END) | (after == _RETURN)):
        return False
    ends = np.flatnonzero(text == _END)
    return not np.any(np.searchsorted(quotes, ends) % 2)


def _fast(path: Path, width: int, *, packed: bool) -> Iterator[TextBatch]:
    names = [str(i) for i in range(width)]
    with opened(path, packed=packed) as raw:
        first = raw.readline(_LONGEST_HEADER)
        if not first.endswith(b"\n") or not first.strip() or b"\r" in first[:-2] or first.count(b'"') % 2:
            raise NotPlain
        yield from _arrow_batches(pa.PythonFile(_Plain(raw), mode="r"), names)


def _arrow_batches(source: pa.NativeFile, names: list[str]) -> Iterator[TextBatch]:
    line = 2
    try:
        reader = pv.open_csv(
            source,
            read_options=pv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pv.ParseOptions(quote_char='"', double_quote=False, escape_char=False),
            convert_options=pv.ConvertOptions(
                column_types={n: pa.string() for n in names}, null_values=[""], strings_can_be_null=True
            ),
        )
        for batch in reader:
            lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
            line += batch.num_rows
            yield TextBatch(tuple(batch.columns), lines)
    except pa.ArrowException as fault:
        raise NotPlain from fault
