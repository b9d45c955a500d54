"""Readers: a file as batches of text columns with line numbers, whatever its format. Typing comes later.

A source offers one or more lanes. A lane yields batches, or raises `NotPlain` when the file needs the next,
slower and stricter lane, or `Unreadable` when the file has no meaning at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data.contracts import Contract
from data.load.kinds import Positions
from data.load.report import Problem, Unreadable

BATCH_ROWS = 65_536


class NotPlain(Exception):  # noqa: N818 (a signal, not a fault)
    """The fast lane met something it does not decide about."""


@dataclass(frozen=True)
class TextBatch:
    """Rows as text: one string array a column of the header (null where empty), the rows' line numbers, and
    what is wrong with rows that could not be split into fields (`rejected` of them).
    """

    columns: tuple[pa.Array, ...]
    lines: Positions
    problems: tuple[Problem, ...] = field(default=())
    rejected: int = 0


Lane = Callable[[], Iterator[TextBatch]]


@dataclass(frozen=True)
class Source:
    """A file that could be opened: its column names as written, and its lanes, fastest first."""

    header: tuple[str, ...]
    lanes: tuple[Lane, ...]
    unit: str = "line"


def open_source(path: Path, contract: Contract) -> Source:
    """The source behind a path, by its extension. Raises Unreadable."""
    from data.load import csv_text, json_text, parquet_text

    if not path.is_file():
        raise Unreadable(
            Problem("unreadable", value="there is no such file" if not path.exists() else "not a file")
        )
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    packed = bool(suffixes) and suffixes[-1] == ".gz"
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    if kind == [".csv"]:
        return csv_text.open_csv(path, packed=packed)
    if kind and kind[0] in (".ndjson", ".jsonl", ".json"):
        return json_text.open_json(path, packed=packed)
    if kind and kind[0] in (".parquet", ".pq") and not packed:
        return parquet_text.open_parquet(path, contract)
    raise Unreadable(Problem("wrong_extension", value=path.name))


def blank_to_null(text: pa.Array) -> pa.Array:
    """Empty strings are missing values, in every format."""
    empty = pc.equal(text, "")
    if not pc.any(empty, min_count=0).as_py():
        return text
    return pc.if_else(empty, pa.scalar(None, pa.string()), text)
