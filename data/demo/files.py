"""Arrow columns of the demo and the Parquet files they go to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import feather

from data.demo.draws import Bools, Floats, Ints

_UTC = pa.timestamp("us", tz="UTC")


def times(micros: Ints) -> pa.Array:
    """UTC timestamps from microseconds since 1970."""
    return pa.array(micros, pa.int64()).cast(_UTC)


def optional_times(micros: Ints, known: Bools) -> pa.Array:
    return pa.array(micros, pa.int64(), mask=~known).cast(_UTC)


def optional_floats(values: Floats, known: Bools) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~known)


def numbered(prefix: str, n: int) -> pa.Array:
    """Ids `prefix` + 0000000, 0000001, ...: shape (n,)."""
    digits = pc.utf8_lpad(pa.array(np.arange(n)).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def members(prefix: str, size: int, index: Ints) -> pa.Array:
    """Ids of members of a population of `size`, by index."""
    return numbered(prefix, size).take(pa.array(index))


def known(values: pa.Array, mask: Bools) -> pa.Array:
    """Values where the mask holds, null elsewhere."""
    return pc.if_else(pa.array(mask), values, None)


def either(mask: Bools, yes: pa.Array, no: pa.Array) -> pa.Array:
    """Values of `yes` where the mask holds, of `no` elsewhere."""
    return pc.if_else(pa.array(mask), yes, no)


def joined(*parts: pa.Array) -> pa.Array:
    """Texts put together row by row, without a separator."""
    return pc.binary_join_element_wise(*parts, "")


def coded(prefixes: Sequence[str], code: NDArray[np.integer], number: Ints) -> pa.Array:
    """Ids of several series: the prefix by code and a number of seven digits. Shape of `code`."""
    return joined(words(prefixes, code), pc.utf8_lpad(pa.array(number).cast(pa.string()), 7, "0"))


def words(vocabulary: Sequence[str], index: NDArray[np.integer]) -> pa.Array:
    """Words by index: shape of `index`."""
    return pa.array(list(vocabulary), pa.string()).take(pa.array(index))


def constant(word: str, n: int) -> pa.Array:
    return pa.array([word], pa.string()).take(pa.array(np.zeros(n, np.int64)))


def write(folder: Path, name: str, parts: Sequence[pa.Table]) -> int:
    """Write one table as `<folder>/<name>.parquet`; returns its rows. A table without rows leaves no file."""
    path = folder / f"{name}.parquet"
    rows: int = sum(part.num_rows for part in parts)
    if rows == 0:
        path.unlink(missing_ok=True)
        return 0
    pq.write_table(
        pa.concat_tables(parts), path, compression="zstd", compression_level=1, row_group_size=1 << 17
    )
    return rows


def write_truth(folder: Path, name: str, table: pa.Table) -> None:
    """Write a table of truth as `<folder>/<name>.arrow` (Arrow IPC, read with `pandas.read_feather`)."""
    feather.write_feather(table, folder / f"{name}.arrow", compression="zstd")
