"""Files to rows of cells, in the child process only. Every reader counts what it reads and stops at its limits."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from app.govern.baselines.dialect import Dialect

Cell = str | int | float | bool | dt.date | dt.datetime | None
Rows = Iterator[tuple[int, list[Cell]]]

LONGEST_CELL, MOST_COLUMNS = 10_000, 200
MOST_RATIO, RATIO_FROM = 200, 4 << 20  # what text packs to at best, and the size from which it is asked
_MAGIC = (
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"PAR1", "parquet"), (b"PARE", "parquet"), (b"\x1f\x8b", "gzip"),
    (b"%PDF", "other"), (b"\xd0\xcf\x11\xe0", "ole"), (b"SQLite format 3", "other"), (b"ARROW1", "other"),
    (b"\x89PNG", "other"), (b"7z\xbc\xaf", "other"), (b"\x28\xb5\x2f\xfd", "other"), (b"BZh", "other"),
)  # fmt: skip
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


class Refused(ValueError):  # noqa: N818 (a file that is not taken; not an error of ours)
    """A file of which nothing is taken; `code` names the repair, `detail` what was met."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Limits:
    """The largest a file may unpack to, in bytes."""

    unpacked: int = 100 << 20


def kind_of(name: str) -> str:
    """csv, gz, xlsx or parquet, by the file's ending. Raises Refused."""
    lower = name.lower()
    for ending, kind in ((".csv.gz", "gz"), (".csv", "csv"), (".xlsx", "xlsx"), (".parquet", "parquet")):
        if lower.endswith(ending):
            return kind
    code = {"xls": "old_excel", "xlsm": "macros", "xlsb": "old_excel"}.get(
        lower.rpartition(".")[2], "unknown_kind"
    )
    raise Refused(code, name[-60:])


def rows_of(path: Path, kind: str, dialect: Dialect, limits: Limits) -> Rows:
    """Rows of a file, the header first, with the number of each as a reader counts. Raises Refused."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise Refused("empty")
    if kind == "xlsx":
        from app.govern.baselines.workbook import workbook_rows

        return workbook_rows(path, dialect, limits)
    if kind == "parquet":
        from app.govern.baselines.columns import parquet_rows

        return parquet_rows(path)
    return csv_rows(path, dialect, limits, packed=kind == "gz")


def looks(start: bytes) -> str:
    """What bytes are by their beginning; empty where they may well be text."""
    for magic, what in _MAGIC:
        if start.startswith(magic):
            return what
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "markup" if bare.startswith(_MARKUP) else ""


class _Counted(io.RawIOBase):
    """Unpacked bytes, counted: raises Refused where a file unpacks to more than it may."""

    def __init__(self, raw: IO[bytes], most: int, packed: int) -> None:
        self._raw, self._most, self._packed, self._seen = raw, most, max(packed, 1), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = cast("memoryview", buffer)
        try:
            chunk = self._raw.read(len(view))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Refused("not_gzip", str(error)) from error
        self._seen += len(chunk)
        if self._seen > self._most:
            raise Refused(
                "too_large" if self._packed * 20 > self._seen else "expands", f"over {self._most:,} bytes"
            )
        if self._seen > RATIO_FROM and self._seen > self._packed * MOST_RATIO:
            raise Refused("expands", f"{self._packed:,} bytes unpack to more than {self._seen:,}")
        view[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def _bytes(path: Path, limits: Limits, *, packed: bool) -> Iterator[io.BufferedReader]:
    size = path.stat().st_size
    with gzip.open(path, "rb") if packed else path.open("rb") as raw:
        yield io.BufferedReader(_Counted(cast("IO[bytes]", raw), limits.unpacked, size), 1 << 18)


def csv_rows(path: Path, dialect: Dialect, limits: Limits, *, packed: bool) -> Rows:
    """Text rows. A blank line is no row; a NUL, broken quoting or other bytes than declared are refused."""
    csv.field_size_limit(LONGEST_CELL)
    with _bytes(path, limits, packed=packed) as raw:
        _plausible(raw.peek(4096)[:4096], dialect)
        encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
        text = io.TextIOWrapper(raw, encoding, errors="strict", newline="")
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        line = 0
        try:
            for row in reader:
                if row:
                    _sound_row(row, line + 1, dialect)
                    yield line + 1, cast("list[Cell]", row)
                line = reader.line_num
        except csv.Error as error:
            raise Refused(
                "cell_too_long" if "field limit" in str(error) else "quote", f"line {line + 1}"
            ) from error
        except UnicodeError as error:
            raise Refused("not_text", f"after line {line}: {error}") from error


def _plausible(start: bytes, dialect: Dialect) -> None:
    if not start:
        raise Refused("empty")
    what = looks(start)
    if what:
        raise Refused("disguised", {"ole": "an old Office or encrypted file"}.get(what, what))
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if dialect.encoding == "utf-16":
        if not marked:
            raise Refused("not_text", "UTF-16 is declared, but the file does not begin so")
        return
    if marked:
        raise Refused("not_text", "the file is UTF-16; declare it or save as UTF-8")
    if b"\0" in start:
        raise Refused("nul", "in the first lines")
    if start.lower().removeprefix(b"\xef\xbb\xbf").startswith(b"sep="):
        raise Refused("separator_line", "line 1")


def _sound_row(row: list[str], line: int, dialect: Dialect) -> None:
    if len(row) > MOST_COLUMNS:
        raise Refused("too_many_columns", f"line {line}: {len(row):,}")
    if "\0" in "".join(row):
        raise Refused("nul", f"line {line}")
    if line == 1 and len(row) == 1:
        other = next((d for d in ",;\t|" if d != dialect.delimiter and d in row[0]), None)
        if other:
            raise Refused("delimiter", f"the header holds {other!r}, declared is {dialect.delimiter!r}")
