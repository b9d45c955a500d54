"""The rollup store: additive cells as Parquet, one file a rollup and month, named by the manifest."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Sequence
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from numpy.typing import NDArray

from data.engines import Columns, DuckPool
from data.lake import Lake
from data.manifest import File, Held, Refreshed
from data.sql import Span, date_of
from metrics.core.metric import C, Rollup
from metrics.core.shapes import Counts, Moments, columns_of

ROW_GROUP = 65_536


def period_of(day: int) -> int:
    """Months since year 0 of a day number: the store's partition."""
    date = date_of(day)
    return date.year * 12 + date.month - 1


class RollupStore:
    """Reads and replaces the cells of rollups. Files are immutable; a refresh swaps whole months."""

    def __init__(self, lake: Lake, memory: str = "700MB") -> None:
        self.lake = lake
        self._pool = DuckPool(lake.home, memory)
        self._held: Held | None = None
        self._pinned = False
        self._days: dict[str, tuple[int, int]] = {}  # by path; files are immutable, so this never goes stale

    def held(self) -> Held:
        """What the manifest says now. Read again only when the generation has moved, and always as a whole."""
        held = self._held
        if held is not None and self._pinned:
            return held
        if held is None or held.generation != self.lake.manifest.generation():
            held = self._held = self.lake.manifest.held("rollups")
        return held

    def pinned(self) -> RollupStore:
        """The store as it is now, whatever is committed later: for one page, whose numbers belong together."""
        pinned = copy.copy(self)
        pinned._held, pinned._pinned = self.held(), True  # noqa: SLF001 (a copy of itself)
        return pinned

    def state(self, rollup: str) -> Refreshed | None:
        return self.held().refreshes.get(rollup)

    def files(self, rollup: str) -> tuple[File, ...]:
        return self.held().files.get(rollup, ())

    def dims(self, rollup: Rollup[C]) -> tuple[str, ...]:
        """Slicing dimensions that the stored cells really have."""
        inner = {"day", *rollup.inner, *columns_of(rollup.shapes)}
        files = self.files(rollup.key)
        return tuple(c for c in files[-1].columns if c not in inner) if files else ()

    def replace(
        self,
        rollup: Rollup[C],
        dims: Sequence[str],
        cells: Sequence[Columns],
        days: Sequence[int],
        *,
        full: bool,
    ) -> tuple[tuple[File, ...], tuple[File, ...], int]:
        """Write the months of `days` anew with `cells` in place of what these days held.

        Returns files to add, files to remove and rows written; nothing counts until they are committed.
        """
        old = {f.day: f for f in self.files(rollup.key)}
        fresh = _table(rollup, dims, cells)
        add: list[File] = []
        gone = list(old.values()) if full else []
        for period in sorted({period_of(d) for d in days}):
            in_period = [d for d in days if period_of(d) == period]
            parts = [fresh.filter(pc.is_in(fresh["day"], pa.array(in_period, pa.int32())))]
            if period in old and not full:
                gone.append(old[period])
                parts.insert(0, self._kept(old[period], in_period))
            table = pa.concat_tables(parts)
            if table.num_rows:
                add.append(
                    self._write(rollup, period, table.sort_by([(c, "ascending") for c in (*dims, "day")]))
                )
        return tuple(add), tuple(gone), sum(f.rows for f in add)

    def _kept(self, file: File, dirty: Sequence[int]) -> pa.Table:
        table = pq.read_table(self.lake.home / file.path, partitioning=None)
        return table.filter(pc.invert(pc.is_in(table["day"], pa.array(dirty, pa.int32()))))

    def _write(self, rollup: Rollup[C], period: int, table: pa.Table) -> File:
        draft = self.lake.draft()
        pq.write_table(table, draft, compression="zstd", row_group_size=ROW_GROUP)
        return self.lake.seal(draft, "rollups", rollup.key, period, table.num_rows, table.column_names)

    def unsettled_days(self, rollup: Rollup[C]) -> set[int]:
        """Days holding cells that time alone will move."""
        if rollup.unsettled is None or not self.files(rollup.key):
            return set()
        found = self.columns(rollup, ("day",), (rollup.unsettled,), None)["day"]
        return {int(d) for d in found}

    def columns(
        self, rollup: Rollup[C], keys: Sequence[str], where: Sequence[tuple[str, str]], span: Span | None
    ) -> Columns:
        """Cells of the days asked for, summed to `keys` (and the inner keys) where sums are all it takes."""
        files = [f for f in self.files(rollup.key) if _overlaps(f.day, span)]
        names = [*keys, *rollup.inner]
        if not files:
            return {c: np.array([]) for c in (*names, *columns_of(rollup.shapes))}
        table = sa.table("cells", *(sa.column(c) for c in files[-1].columns))
        statement = _statement(rollup, table, names).where(*_tests(table, where, span))
        view = f"CREATE OR REPLACE TEMP VIEW cells AS {self.lake.parquet_sql(files)}"
        with self._pool.connect() as connection:
            connection.exec_driver_sql(view)
            return self._pool.columns(connection, statement)

    def first_last(self, rollup: str) -> tuple[dt.date, dt.date] | None:
        """First and last day of a rollup's cells, from the file statistics."""
        days = [self._file_days(f) for f in self.files(rollup)]
        return (date_of(min(d[0] for d in days)), date_of(max(d[1] for d in days))) if days else None

    def _file_days(self, file: File) -> tuple[int, int]:
        if file.path not in self._days:
            stats = _day_statistics(pq.read_metadata(self.lake.home / file.path))
            self._days[file.path] = min(s.min for s in stats), max(s.max for s in stats)
        return self._days[file.path]


def _day_statistics(meta: pq.FileMetaData) -> list[pq.Statistics]:
    at = meta.schema.names.index("day")
    return [meta.row_group(i).column(at).statistics for i in range(meta.num_row_groups)]


def _statement(rollup: Rollup[C], table: sa.TableClause, names: list[str]) -> sa.Select[tuple[object, ...]]:
    if any(isinstance(s, Moments) for s in rollup.shapes):  # these merge by an update, not by a sum
        return sa.select(*(table.c[c] for c in (*names, *columns_of(rollup.shapes))))
    counts = {c for s in rollup.shapes if isinstance(s, Counts) for c in s.columns}
    sums = [
        sa.cast(sa.func.sum(table.c[c]), sa.BigInteger if c in counts else sa.Double).label(c)
        for c in columns_of(rollup.shapes)
    ]
    keys = [table.c[c] for c in names]
    # Without keys SQL answers one row of NULLs for no cells at all; no cells is no row.
    return sa.select(*keys, *sums).group_by(*keys).having(sa.func.count() > 0)


def _tests(
    table: sa.TableClause, where: Sequence[tuple[str, str]], span: Span | None
) -> list[sa.ColumnElement[bool]]:
    tests: list[sa.ColumnElement[bool]] = [table.c[name] == value for name, value in where]
    if span is not None:
        tests.append(table.c.day.between(span.first, span.last))
    return tests


def _overlaps(period: int, span: Span | None) -> bool:
    return span is None or period_of(span.first) <= period <= period_of(span.last)


def _table(rollup: Rollup[C], dims: Sequence[str], parts: Sequence[Columns]) -> pa.Table:
    """The cells of all spans as one Arrow table in the store's types."""
    counts = {c for s in rollup.shapes if isinstance(s, Counts) for c in s.columns}
    types: dict[str, pa.DataType] = {"day": pa.int32()}
    types |= dict.fromkeys(dims, pa.string())
    types |= dict.fromkeys(rollup.inner, pa.int32())
    types |= {c: pa.int64() if c in counts else pa.float64() for c in columns_of(rollup.shapes)}
    schema = pa.schema(list(types.items()))
    tables = [
        pa.table({c: pa.array(_plain(part[c], t)).cast(t) for c, t in types.items()}, schema=schema)
        for part in parts
    ]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _plain(values: NDArray[np.generic], wanted: pa.DataType) -> NDArray[np.generic]:
    """Whole numbers that a driver handed over as floats are made whole again before the cast."""
    if pa.types.is_integer(wanted) and values.dtype.kind in "fO":
        return cast("NDArray[np.generic]", np.rint(values.astype(float)).astype(np.int64))
    return values
