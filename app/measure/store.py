"""The rollup store: additive cells as Parquet, a rollup and month in few files, named by the manifest.

Cells add up, so a month may be one file and some differences: rows whose counts and sums carry a sign. Whoever reads
sums them; a key whose counts come to nothing is not there.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from app.measure.cells import Cells, counts_of, in_order, negated, on_days, summed, table_of
from data.engines import Columns, DuckPool
from data.footers import statistics
from data.lake import Lake
from data.manifest import File, Held, Refreshed
from data.sql import Limit, Span, date_of
from metrics.core.metric import ATTRIBUTES, C, Rollup
from metrics.core.shapes import Moments, columns_of

T = TypeVar("T")
ROW_GROUP = 65_536
MANY_FILES = 12  # differences a month may wait in before it is written as one file again
MANY_ROWS = 0.5  # or their rows, as a share of those of the month


def period_of(day: int) -> int:
    """Months since year 0 of a day number: the store's partition."""
    date = date_of(day)
    return date.year * 12 + date.month - 1


def definition_of(rollup: Rollup[C], dims: Sequence[str]) -> str:
    """What the cells of a rollup mean; stored cells of another definition are not its cells."""
    return f"v{rollup.version}:{','.join(dims)}"


def holds(rollup: Rollup[C], definition: str) -> bool:
    """Whether cells of this definition are the rollup's: same version and dims, whichever attributes were held."""
    version, _, names = definition.partition(":")
    fixed = [n for n in names.split(",") if n and not n.startswith(ATTRIBUTES[:-1])]
    return version == f"v{rollup.version}" and fixed == [d for d in rollup.dims if d != ATTRIBUTES]


class RollupStore:
    """Reads and replaces the cells of rollups. Files are immutable; a refresh swaps whole months."""

    def __init__(self, lake: Lake, memory: str = "700MB") -> None:
        self.lake = lake
        self._pool = DuckPool(lake.home, memory)
        self._held: Held | None = None
        self._pinned = False
        self._days: dict[str, tuple[int, int]] = {}  # by path; files are immutable, so this never goes stale
        self._kept: tuple[Held | None, dict[Hashable, object]] = None, {}  # see kept()

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

    def kept(self, name: Hashable, make: Callable[[], T]) -> T:
        """Something small that hangs on nothing but the manifest, kept while that says the same."""
        held = self.held()
        of, kept = self._kept
        if of is not held:
            self._kept = held, (kept := {})
        if name not in kept:
            kept[name] = make()
        return cast("T", kept[name])

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
        cells: Sequence[Cells],
        days: Sequence[int],
        *,
        full: bool,
    ) -> tuple[tuple[File, ...], tuple[File, ...], int]:
        """Write the months of `days` anew with `cells` in place of what these days held.

        Returns files to add, files to remove and rows written; nothing counts until they are committed.
        """
        old: dict[int, list[File]] = {}
        for file in self.files(rollup.key):
            old.setdefault(file.day, []).append(file)
        fresh = table_of(rollup, dims, cells)
        add: list[File] = []
        gone = [f for own in old.values() for f in own] if full else []
        for period in sorted({period_of(d) for d in days}):
            in_period = [d for d in days if period_of(d) == period]
            parts = [on_days(fresh, in_period)]
            if period in old and not full:
                gone += old[period]
                parts.insert(0, on_days(self._whole(rollup, old[period]), in_period, inside=False))
            add += self._write(rollup, dims, period, pa.concat_tables(parts))
        return tuple(add), tuple(gone), sum(f.rows for f in add)

    def append(
        self,
        rollup: Rollup[C],
        dims: Sequence[str],
        cells: tuple[Columns, Columns],
        days: Sequence[int],
    ) -> tuple[tuple[File, ...], tuple[File, ...], int]:
        """Write what changed beside what is there: `cells` are those to add and those to take away.

        Of `days` all that is held is taken away. A month of many differences is written as one file again.
        Returns as `replace`.
        """
        files = self.files(rollup.key)
        held = [self._read(f, days) for f in files if f.day in {period_of(d) for d in days}]
        plus, minus = (table_of(rollup, dims, [c]) for c in cells)
        parts = [plus, negated(rollup, minus), *(negated(rollup, t.select(plus.column_names)) for t in held)]
        change = summed(rollup, pa.concat_tables(parts))
        add: list[File] = []
        gone: list[File] = []
        periods = np.array([period_of(int(d)) for d in change["day"].to_numpy()])
        for period in sorted({int(p) for p in periods}):
            part = change.filter(pa.array(periods == period))
            own = [f for f in files if f.day == period]
            if _crowded(own, part.num_rows):
                gone += own
                whole = self._whole(rollup, own).select(part.column_names)
                part = summed(rollup, pa.concat_tables([whole, part]))
            add += self._write(rollup, dims, period, part)
        return tuple(add), tuple(gone), sum(f.rows for f in add)

    def _read(self, file: File, days: Sequence[int] | None = None) -> pa.Table:
        tests = None if days is None else pc.field("day").isin(list(days))
        return pq.read_table(self.lake.home / file.path, partitioning=None, filters=tests)

    def _whole(self, rollup: Rollup[C], files: Sequence[File]) -> pa.Table:
        """The cells of a month's files as they stand."""
        tables = [self._read(f) for f in files]
        return tables[0] if len(tables) == 1 else summed(rollup, pa.concat_tables(tables))

    def _write(self, rollup: Rollup[C], dims: Sequence[str], period: int, table: pa.Table) -> list[File]:
        if not table.num_rows:
            return []
        draft = self.lake.draft()
        table = in_order(table, (*dims, "day"))
        pq.write_table(table, draft, compression="zstd", row_group_size=ROW_GROUP, store_schema=False)
        return [self.lake.seal(draft, "rollups", rollup.key, period, table.num_rows, table.column_names)]

    def unsettled_days(self, rollup: Rollup[C]) -> set[int]:
        """Days holding cells that time alone will move."""
        if rollup.unsettled is None or not self.files(rollup.key):
            return set()
        found = self.columns(rollup, ("day",), (rollup.unsettled,), None)["day"]
        return {int(d) for d in found}

    def columns(
        self, rollup: Rollup[C], keys: Sequence[str], where: Sequence[tuple[str, str]], span: Span | None,
        limits: Sequence[Limit] = (),
    ) -> Columns:  # fmt: skip
        """Cells of the days asked for, summed to `keys` (and the inner keys) where sums are all it takes.

        `limits`: last days of single values of a dimension.
        """
        files = [f for f in self.files(rollup.key) if _overlaps(f.day, span)]
        names = [*keys, *rollup.inner]
        if not files:
            return {c: np.array([]) for c in (*names, *columns_of(rollup.shapes))}
        table = sa.table("cells", *(sa.column(c) for c in files[-1].columns))
        statement = _statement(rollup, table, names).where(*_tests(table, where, span, limits))
        view = f"CREATE OR REPLACE TEMP VIEW cells AS {self.lake.parquet_sql(files)}"
        with self._pool.connect() as connection:
            connection.exec_driver_sql(view)
            return self._pool.columns(connection, statement)

    def first_last(self, rollup: str) -> tuple[dt.date, dt.date] | None:
        """First and last day of a rollup's cells, from the file statistics."""

        def found() -> tuple[dt.date, dt.date] | None:
            days = [self._file_days(f) for f in self.files(rollup)]
            return (date_of(min(d[0] for d in days)), date_of(max(d[1] for d in days))) if days else None

        return self.kept(("days", rollup), found)

    def _file_days(self, file: File) -> tuple[int, int]:
        if file.path not in self._days:
            stats = [
                s for s in statistics(pq.read_metadata(self.lake.home / file.path), "day") if s is not None
            ]
            self._days[file.path] = min(s.min for s in stats), max(s.max for s in stats)
        return self._days[file.path]


def _statement(rollup: Rollup[C], table: sa.TableClause, names: list[str]) -> sa.Select[tuple[object, ...]]:
    if any(isinstance(s, Moments) for s in rollup.shapes):  # these merge by an update, not by a sum
        return sa.select(*(table.c[c] for c in (*names, *columns_of(rollup.shapes))))
    counts = counts_of(rollup)
    sums = [
        sa.cast(sa.func.sum(table.c[c]), sa.BigInteger if c in counts else sa.Double).label(c)
        for c in columns_of(rollup.shapes)
    ]
    keys = [table.c[c] for c in names]
    # Without keys SQL answers one row of NULLs for no cells at all; no cells is no row.
    there = sa.func.count() > 0
    if rollup.keyed:
        there = sa.or_(*(sa.func.sum(table.c[c]) != 0 for c in counts))
    return sa.select(*keys, *sums).group_by(*keys).having(there)


def _crowded(files: Sequence[File], rows: int) -> bool:
    """Whether a month with these files, the largest its bulk, is better written anew than given another difference."""
    if not files:
        return False
    most = max(f.rows for f in files)
    return len(files) >= MANY_FILES or sum(f.rows for f in files) - most + rows > MANY_ROWS * most


def _tests(
    table: sa.TableClause, where: Sequence[tuple[str, str]], span: Span | None, limits: Sequence[Limit]
) -> list[sa.ColumnElement[bool]]:
    tests: list[sa.ColumnElement[bool]] = [table.c[name] == value for name, value in where]
    tests += [
        sa.or_(table.c[name].is_(None), table.c[name] != value, table.c.day <= day)
        for name, value, day in limits
    ]
    if span is not None:
        tests.append(table.c.day.between(span.first, span.last))
    return tests


def _overlaps(period: int, span: Span | None) -> bool:
    return span is None or period_of(span.first) <= period <= period_of(span.last)
