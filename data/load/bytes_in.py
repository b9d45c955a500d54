"""Opening files as bytes: plain or gzip, what they really are, and which lines are not UTF-8."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from data.load.report import Problem, Unreadable

_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"ARROW1", "an Arrow file"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")
_SHOWN_LINES = 1000


@contextmanager
def opened(path: Path, *, packed: bool) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked. Raises Unreadable where it cannot be opened or unpacked."""
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as handle:
            yield cast(BinaryIO, handle)
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise Unreadable(Problem("not_gzip", value=str(fault))) from fault
    except OSError as fault:
        raise Unreadable(Problem("unreadable", value=fault.strerror or str(fault))) from fault


def head(path: Path, *, packed: bool, size: int = 4096) -> bytes:
    with opened(path, packed=packed) as handle:
        return handle.read(size)


def disguise(start: bytes) -> str | None:
    """What a file that calls itself text really is, or None where it may well be text."""
    for magic, what in _MAGIC:
        if start.startswith(magic):
            return what
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if bare.startswith(_MARKUP):
        return "an HTML or XML page"
    zeros = start.count(b"\0")
    return "UTF-16 or binary data" if len(start) > 3 and zeros * 4 >= len(start) else None


def undecodable(path: Path, *, packed: bool) -> Unreadable:
    """The lines that are not UTF-8 (at most 1,000 of them)."""
    problems = []
    with opened(path, packed=packed) as handle:
        for number, line in enumerate(handle, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as fault:
                around = line[max(0, fault.start - 20) : fault.end + 20]
                problems.append(Problem("not_utf8", number, value=around.decode("utf-8", "backslashreplace")))
                if len(problems) == _SHOWN_LINES:
                    break
    return Unreadable(*problems) if problems else Unreadable(Problem("not_utf8"))
