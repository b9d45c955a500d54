"""What a Parquet file's footer says of a column, so that nobody has to read its rows for it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TIME = pa.timestamp("us", "UTC")


def statistics(meta: pq.FileMetaData, column: str) -> list[pq.Statistics | None]:
    """Of each row group; None where its writer kept none."""
    at = meta.schema.names.index(column)
    return [meta.row_group(i).column(at).statistics for i in range(meta.num_row_groups)]


def latest_us(path: Path, column: str) -> int | None:
    """The latest time in a column, epoch microseconds; None where it holds none. Reads the column where no footer tells."""
    meta = pq.read_metadata(path)
    held = statistics(meta, column)
    if all(s is not None and (s.has_min_max or not s.num_values) for s in held):
        times = pa.array([s.max for s in held if s is not None and s.has_min_max], TIME)
    else:
        times = pq.read_table(path, columns=[column], partitioning=None)[column].cast(TIME)
    latest: int | None = pc.max(times).cast(pa.int64()).as_py()
    return latest
