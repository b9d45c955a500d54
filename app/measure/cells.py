"""Cells as Arrow tables: in the store's types, with a sign, and summed to one row a key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.engines import Columns
from metrics.core.metric import C, Rollup
from metrics.core.shapes import Counts, columns_of

MOST_PLACES = 1 << 62  # what one whole number can tell apart
Cells: TypeAlias = "Columns | pa.Table"  # as arrays, or as the engine's own Arrow table


def counts_of(rollup: Rollup[C]) -> tuple[str, ...]:
    return tuple(c for s in rollup.shapes if isinstance(s, Counts) for c in s.columns)


def table_of(rollup: Rollup[C], dims: Sequence[str], parts: Sequence[Cells]) -> pa.Table:
    """The cells of all spans as one Arrow table in the store's types."""
    counts = set(counts_of(rollup))
    types: dict[str, pa.DataType] = {"day": pa.int32()}
    types |= dict.fromkeys(dims, pa.string())
    types |= {c: pa.string() if c in rollup.words else pa.int32() for c in rollup.inner}
    types |= {c: pa.int64() if c in counts else pa.float64() for c in columns_of(rollup.shapes)}
    schema = pa.schema(list(types.items()))
    tables = [pa.table({c: _typed(part[c], t) for c, t in types.items()}, schema=schema) for part in parts]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _typed(values: NDArray[np.generic] | pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """A column in the store's type; whole numbers that a driver handed over as floats are made whole again."""
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([pa.array(values)])
    if pa.types.is_integer(wanted) and not pa.types.is_integer(column.type):
        column = pc.round(column.cast(pa.float64())).cast(pa.int64())
    return (
        pc.fill_null(column.cast(wanted), math.nan) if pa.types.is_floating(wanted) else column.cast(wanted)
    )


def negated(rollup: Rollup[C], table: pa.Table) -> pa.Table:
    """The same cells, to be taken away."""
    for name in columns_of(rollup.shapes):
        table = table.set_column(table.column_names.index(name), table.field(name), pc.negate(table[name]))
    return table


def summed(rollup: Rollup[C], table: pa.Table) -> pa.Table:
    """One row a key; keys whose counts have all come to nothing are gone."""
    values = columns_of(rollup.shapes)
    keys = [c for c in table.column_names if c not in values]
    found = table.group_by(keys).aggregate([(c, "sum") for c in values])
    found = found.rename_columns([c.removesuffix("_sum") if c not in keys else c for c in found.column_names])
    some = np.zeros(found.num_rows, dtype=bool)
    for name in counts_of(rollup):
        some |= found[name].to_numpy() != 0
    return found.filter(pa.array(some)).select(table.column_names).cast(table.schema)


def in_order(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Rows sorted by these columns, nulls last; their words come back as codes, which sort and move faster."""
    place, places = np.zeros(table.num_rows, dtype=np.int64), 1
    for name in names:
        column = table[name].combine_chunks()
        codes = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        if pa.types.is_string(column.type):
            table = table.set_column(table.column_names.index(name), name, codes)
        order = pc.sort_indices(codes.dictionary).to_numpy()
        rank = np.empty(len(order) + 1, dtype=np.int64)
        rank[order], rank[-1] = np.arange(len(order)), len(order)
        if places * len(rank) > MOST_PLACES:
            found, place = np.unique(place, return_inverse=True)
            places = len(found)
        places *= len(rank)
        place = place * len(rank) + rank[pc.fill_null(codes.indices, -1).to_numpy()]
    return table.take(pc.sort_indices(pa.array(place)))


def on_days(table: pa.Table, days: Sequence[int], *, inside: bool = True) -> pa.Table:
    """The cells of these days, or of all others."""
    held = pc.is_in(table["day"], pa.array(sorted(days), pa.int32()))
    return table.filter(held if inside else pc.invert(held))
