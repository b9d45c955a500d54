"""64-bit hashes of keys (by DuckDB), and looking many of them up in sorted arrays.

Sorted arrays instead of hash tables: ten million hashes take 80 MB, and looking up sorted needles is quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from data.lake import Lake, quoted
from data.load.kinds import Positions
from data.manifest import File

Hashes = NDArray[np.uint64]
CHUNK_ROWS = 500_000


def hash_sql(columns: Sequence[str]) -> str:
    return "hash(" + ", ".join(columns) + ")"


def key_sql(key: Sequence[str]) -> str:
    return hash_sql([f'"{k}"' for k in key])


def row_hashes(con: duckdb.DuckDBPyConnection, path: str, expression: str, rows: int) -> Hashes:
    """A hash of every row of a Parquet file, in row order."""
    hashes = np.empty(rows, dtype=np.uint64)
    query = f"SELECT file_row_number AS pos, {expression} AS h FROM read_parquet({quoted(path)})"  # noqa: S608
    for batch in con.execute(query).to_arrow_reader(CHUNK_ROWS):
        hashes[batch.column("pos").to_numpy()] = batch.column("h").to_numpy()
    return hashes


def read_sql(lake: Lake, files: Sequence[File]) -> str:
    """A table function over lake files, with `file_index` counting them."""
    paths = ", ".join(quoted(str(lake.home / f.path)) for f in files)
    by_name = "true" if len({f.columns for f in files}) > 1 else "false"
    return f"read_parquet([{paths}], union_by_name={by_name}, hive_partitioning=false)"


def scan(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[NDArray[Any], ...]]:
    """The columns of a query's result as arrays, chunk by chunk."""
    for batch in con.execute(query).to_arrow_reader(CHUNK_ROWS):
        yield tuple(column.to_numpy(zero_copy_only=False) for column in batch.columns)


def distinct(ordered: Hashes) -> Hashes:
    """Each value of a sorted array once (`numpy.unique` builds a hash table: slower, and much larger)."""
    return ordered[_firsts(ordered)] if ordered.size else ordered


def repeated(ordered: Hashes) -> Hashes:
    """Each value that a sorted array holds more than once."""
    return distinct(ordered[1:][ordered[1:] == ordered[:-1]])


def group_numbers(ordered: Hashes) -> Positions:
    """For each place of a sorted array, the number of its value in `distinct(ordered)`."""
    return np.cumsum(_firsts(ordered)) - 1


def _firsts(ordered: Hashes) -> NDArray[np.bool_]:
    firsts = np.ones(ordered.size, dtype=bool)
    firsts[1:] = ordered[1:] != ordered[:-1]
    return firsts


def match(ordered: Hashes, needles: Hashes) -> tuple[Positions, Positions]:
    """Which needles a sorted array holds: their positions among the needles, and the place of each in the array."""
    if not ordered.size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.argsort(needles)
    sought = needles[order]
    at = np.minimum(np.searchsorted(ordered, sought), ordered.size - 1)
    hit = ordered[at] == sought
    return order[hit], at[hit]
