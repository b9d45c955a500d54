"""Cutting columns of cells into slices: one set of typed cells for each combination of breakdown keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.engines import Columns
from data.sql import date_of
from metrics.core.shapes import Ints, Shape, columns_of, merge

BUCKETS = ("day", "week", "month")
By = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Slice:
    """The merged cells of one combination of keys."""

    by: By
    columns: Columns


def undated(keys: Sequence[str]) -> tuple[str, ...]:
    """The breakdown keys that are no stretch of time."""
    return tuple(k for k in keys if k not in BUCKETS)


def timeless(by: By) -> By:
    return tuple(pair for pair in by if pair[0] not in BUCKETS)


def history(slices: Sequence[Slice]) -> dict[By, Columns]:
    """The cells of each group under the names by which finalisers know those of all days: `all_<name>`."""
    return {s.by: {f"all_{name}": values for name, values in s.columns.items()} for s in slices}


def size_of(one: Slice) -> int:
    """Bytes of a slice's columns; words count as long ones."""
    return sum(v.nbytes + (48 * len(v) if v.dtype == object else 0) for v in one.columns.values())


def bucket(days: Ints, kind: str) -> Ints:
    """First day (days since 1970) of the day, ISO week (Monday) or month that each day falls in."""
    if kind == "day":
        return days
    if kind == "week":
        return days - (days + 3) % 7  # 1970-01-01 was a Thursday
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def cut(
    columns: Columns, keys: Sequence[str], inner: Sequence[str], shapes: tuple[Shape, ...]
) -> tuple[Slice, ...]:
    """Merge cells that share keys and inner keys, then split them by keys, in sorted order of the keys."""
    rows = len(next(iter(columns.values()), np.array([])))
    if rows == 0:
        return ()
    keyed = {k: _key(columns, k) for k in keys}
    outer = _codes(list(keyed.values()), rows)
    cells = {c: columns[c] for c in (*inner, *columns_of(shapes))}
    cell = _codes([outer, *(columns[k] for k in inner)], rows)
    if int(cell.max()) + 1 < rows:  # some cells share a slice and an inner key
        first = np.unique(cell, return_index=True)[1]
        cells = {k: columns[k][first] for k in inner} | merge(shapes, cells, cell, len(first))
        keyed, outer = {k: v[first] for k, v in keyed.items()}, outer[first]
    order = np.argsort(outer, kind="stable")
    starts = np.flatnonzero(np.diff(outer[order], prepend=-1))
    parts = {c: np.split(v[order], starts[1:]) for c, v in cells.items()}
    return tuple(
        Slice(tuple((k, _text(keyed[k][order[at]], k)) for k in keys), {c: p[i] for c, p in parts.items()})
        for i, at in enumerate(starts)
    )


def _key(columns: Columns, name: str) -> np.ndarray:
    return bucket(columns["day"].astype(np.int64), name) if name in BUCKETS else columns[name]


def _codes(arrays: Sequence[np.ndarray], rows: int) -> Ints:
    """Dense codes of the rows' combinations, in sorted order of the first array, then the second, ..."""
    import pandas as pd  # slow to load, and of no use before a page is drawn

    code = np.zeros(rows, dtype=np.int64)
    for values in arrays:
        one, labels = pd.factorize(values, sort=True, use_na_sentinel=False)
        code = code * max(len(labels), 1) + one
    return pd.factorize(code, sort=True)[0].astype(np.int64)


def _text(value: object, key: str) -> str | None:
    if key in BUCKETS:
        return date_of(int(value)).isoformat()  # type: ignore[call-overload]
    return None if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)
