"""Parquet as text: typed columns are written out again, so that one contract types every format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.contracts import Contract
from data.load.bytes_in import head
from data.load.readers import BATCH_ROWS, Source, TextBatch, blank_to_null
from data.load.report import Problem, Unreadable


def open_parquet(path: Path, contract: Contract) -> Source:
    """The column names and one lane; rows are numbered from 1. Raises Unreadable."""
    if head(path, packed=False, size=4) != b"PAR1":
        raise Unreadable(Problem("not_parquet", value="the file does not begin as Parquet does"))
    try:
        with pq.ParquetFile(path) as file:
            fields = list(file.schema_arrow)
    except (pa.ArrowException, OSError) as fault:
        raise Unreadable(Problem("not_parquet", value=str(fault)[:200])) from fault
    problems = [p for p in (_type_problem(f, contract) for f in fields) if p]
    if problems:
        raise Unreadable(*problems)
    if not fields:
        raise Unreadable(Problem("empty"))
    return Source(tuple(f.name for f in fields), (lambda: _lane(path),), unit="row")


def _type_problem(field: pa.Field, contract: Contract) -> Problem | None:
    """Types that have no one text: nested ones, bytes, and times without a zone."""
    plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_nested(plain):
        return Problem("nested_value", column=field.name, value=str(field.type))
    if pa.types.is_timestamp(plain) and plain.tz is None:
        return Problem("naive_parquet_time", column=field.name, value=str(field.type))
    if pa.types.is_floating(plain) and _is_text(field.name, contract):
        return Problem("wrong_type", column=field.name, value=f"{field.type} holds no identifiers")
    if not _has_text(plain):
        return Problem("wrong_type", column=field.name, value=str(field.type))
    return None


def _is_text(name: str, contract: Contract) -> bool:
    """Text columns of the contract: a float there has lost digits of a long id. Open columns take any number."""
    column = contract.column(name.strip().lower())
    return column is not None and column.kind == "text"


def _has_text(type_: pa.DataType) -> bool:
    tests = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer,
        pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_timestamp,
        pa.types.is_date, pa.types.is_null,
    )  # fmt: skip
    return any(test(type_) for test in tests)


def _lane(path: Path) -> Iterator[TextBatch]:
    row = 1
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
                row += batch.num_rows
                yield TextBatch(tuple(blank_to_null(as_text(c)) for c in batch.columns), lines)
    except (pa.ArrowException, OSError) as fault:
        raise Unreadable(Problem("not_parquet", row, value=str(fault)[:200])) from fault


def as_text(values: pa.Array) -> pa.Array:
    """A typed array as its text; floats with all their digits, times in UTC."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp(values.type.unit, tz="UTC"))
    if pa.types.is_date64(values.type):
        values = values.cast(pa.date32())
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    if pa.types.is_float32(values.type):
        values = values.cast(pa.float64())
    return values.cast(pa.string())
