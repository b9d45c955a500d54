"""NDJSON as text: one object a line, numbers kept as they are written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.load.bytes_in import disguise, head, opened, undecodable
from data.load.readers import BATCH_ROWS, Source, TextBatch, blank_to_null
from data.load.report import Problem, Unreadable

_BOOL = {True: "true", False: "false"}
_ASCII_BLANK = " \t\r\n"
Pairs = tuple[tuple[str, object], ...]


def open_json(path: Path, *, packed: bool) -> Source:
    """The names of all objects (a first pass finds them) and one lane. Raises Unreadable."""
    start = head(path, packed=packed)
    what = disguise(start)
    if what:
        raise Unreadable(Problem("not_json", value=f"this is {what}"))
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        raise Unreadable(Problem("json_array", 1))
    header: dict[str, None] = {}
    first_fault: Problem | None = None
    for line, found in _objects(path, packed=packed):
        if isinstance(found, Problem):
            first_fault = first_fault or found
            continue
        names = [name for name, _ in found]
        if len({n.strip().lower() for n in names}) < len(names):
            raise Unreadable(Problem("duplicate_column", line, value=", ".join(names)))
        header.update(dict.fromkeys(names))
    if not header:
        raise Unreadable(first_fault or Problem("empty"))
    names_found = tuple(header)
    return Source(names_found, (lambda: _lane(path, names_found, packed=packed),))


def _objects(path: Path, *, packed: bool) -> Iterator[tuple[int, Pairs | Problem]]:
    """Each line that is not blank: its object as (name, value) pairs, or what is wrong with it."""
    decoder = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=str)
    with opened(path, packed=packed) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="\n")
        try:
            for number, line in enumerate(text, 1):
                bare = line.strip(_ASCII_BLANK)
                if bare:
                    yield number, _object(decoder, bare, number)
        except UnicodeDecodeError as fault:
            raise undecodable(path, packed=packed) from fault


def _object(decoder: json.JSONDecoder, line: str, number: int) -> Pairs | Problem:
    if not line.startswith("{"):
        return Problem("not_json", number, value=line[:200])
    try:
        found: Pairs = decoder.decode(line)
    except (ValueError, RecursionError) as fault:
        return Problem("not_json", number, value=f"{fault}"[:200])
    return found


def _lane(path: Path, header: Sequence[str], *, packed: bool) -> Iterator[TextBatch]:
    at = {name: i for i, name in enumerate(header)}
    rows: list[list[str | None]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for line, found in _objects(path, packed=packed):
        row = found if isinstance(found, Problem) else _row(found, at, line)
        if isinstance(row, Problem):
            problems.append(row)
        else:
            rows.append(row)
            lines.append(line)
        if len(rows) + len(problems) == BATCH_ROWS:
            yield _batch(rows, lines, problems, len(header))
            rows, lines, problems = [], [], []
    if rows or problems:
        yield _batch(rows, lines, problems, len(header))


def _row(pairs: Pairs, at: dict[str, int], line: int) -> list[str | None] | Problem:
    """The values as text, in the order of the header; a nested value or half a surrogate pair has no text."""
    row: list[str | None] = [None] * len(at)
    for name, value in pairs:
        text = _BOOL[value] if isinstance(value, bool) else value
        if text is not None and not isinstance(text, str):
            return Problem("nested_value", line, name, json.dumps(text)[:200])
        if text is not None and not text.isascii() and not _encodes(text):
            return Problem("not_utf8", line, name, ascii(text))
        row[at[name]] = text
    return row


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _batch(rows: list[list[str | None]], lines: list[int], problems: list[Problem], width: int) -> TextBatch:
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    arrays = tuple(blank_to_null(pa.array(c, pa.string())) for c in columns)
    return TextBatch(arrays, np.array(lines, dtype=np.int64), tuple(problems), len(problems))
