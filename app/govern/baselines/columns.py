"""Parquet as rows of cells, in the child process only."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from app.govern.baselines.reading import MOST_COLUMNS, Cell, Refused, Rows, looks

_BATCH = 16_384


def parquet_rows(path: Path) -> Rows:
    """The column names, then every row, numbered from 1. Raises Refused."""
    with path.open("rb") as handle:
        start = handle.read(64)
    if start.startswith(b"PARE"):
        raise Refused("encrypted", "Parquet with an encrypted footer")
    if not start.startswith(b"PAR1"):
        raise Refused("disguised" if looks(start) else "not_parquet", looks(start))
    try:
        with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            schema = file.schema_arrow
            _flat(schema)
            yield 0, cast("list[Cell]", list(schema.names))
            row = 0
            for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
                columns = [_plain(c).to_pylist() for c in batch.columns]
                for cells in zip(*columns, strict=True):
                    row += 1
                    yield row, list(cells)
    except (Refused, MemoryError):
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Refused("not_parquet", str(error)[:200]) from error


def _flat(schema: pa.Schema) -> None:
    if len(schema.names) > MOST_COLUMNS:
        raise Refused("too_many_columns", f"{len(schema.names):,}")
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise Refused("nested", f"{field.name}: {kind}")


def _plain(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_timestamp(values.type) and values.type.unit == "ns":
        values = values.cast(pa.timestamp("us", values.type.tz), safe=False)
    return values
