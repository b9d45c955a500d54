"""The staging file: checked rows on their way into the lake, kept on disk so that memory stays bounded.

Batches are sorted by day as they arrive and written in row groups that each cover few days. Publishing then walks
the days in order and reads only the row groups it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data.contracts import Contract
from data.load.kinds import UTC_TIME
from data.manifest import NO_DAY
from data.sql import DAY_US

GROUP_ROWS = 122_880  # rows of a row group, as DuckDB likes them
BUFFER_ROWS = 245_760  # sorted together; more rows of a day lie side by side
_LEAST_ROWS = 16_384  # smaller runs of a day share a row group with their neighbours

Days = NDArray[np.int32]
Flags = NDArray[np.bool_]


def event_days(contract: Contract, table: pa.Table) -> Days:
    """The day each row is stored under, NO_DAY where the table has none (or takes its parent's)."""
    if contract.event is None or contract.day_of is not None:
        return np.full(table.num_rows, NO_DAY, dtype=np.int32)
    us = pc.cast(table[contract.event].cast(UTC_TIME), pa.int64()).to_numpy()
    days: Days = (us // DAY_US).astype(np.int32)
    return days


class Stage:
    """A staging file: first written, then read by row group. The days of its rows are kept in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.names: tuple[str, ...] = ()
        self._waiting: list[tuple[pa.Table, Days]] = []
        self._starts: list[int] = []
        self._days: list[Days] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table, days: Days) -> None:
        """Append rows with their days; rows near each other may change places."""
        if not table.num_rows:
            return
        self._waiting.append((table, days))
        self.rows += table.num_rows
        if sum(len(d) for _, d in self._waiting) >= BUFFER_ROWS:
            self._flush()

    def _flush(self) -> None:
        table, days = sorted_by_day(self._waiting)
        self._waiting = []
        if self._writer is None:
            self.names = tuple(table.column_names)
            self._writer = pq.ParquetWriter(
                self.path, table.schema, compression="snappy", use_dictionary=False
            )
        done = self.rows - len(days)
        for start, stop in _runs(days):
            self._writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)
            self._starts.append(done + start)
        self._days.append(days)

    def close(self) -> None:
        """Finish writing. A stage nobody added to has no file."""
        if self._waiting:
            self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def discard(self) -> None:
        self._waiting = []
        self.close()
        self.path.unlink(missing_ok=True)

    def days(self) -> Days:
        """The day of every row, in stage order."""
        self._days = [np.concatenate(self._days)] if self._days else [np.empty(0, dtype=np.int32)]
        return self._days[0]

    def groups(self) -> list[slice]:
        """The rows of each row group."""
        return [slice(a, b) for a, b in zip(self._starts, [*self._starts[1:], self.rows], strict=True)]

    def reader(self) -> pq.ParquetFile:
        """The finished file; close it after use."""
        return pq.ParquetFile(self.path, memory_map=False)


def sorted_by_day(parts: Sequence[tuple[pa.Table, Days]]) -> tuple[pa.Table, Days]:
    """Tables with the days of their rows as one, in the order of days (rows of a day keep their order)."""
    table, days = pa.concat_tables([t for t, _ in parts]), np.concatenate([d for _, d in parts])
    if np.any(days[1:] < days[:-1]):
        order = np.argsort(days, kind="stable")
        table, days = table.combine_chunks().take(pa.array(order)), days[order]
    return table, days


def _runs(days: Days) -> list[tuple[int, int]]:
    """Cut sorted days into row groups: at day borders where runs are long enough, and never beyond GROUP_ROWS."""
    borders = [*(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    runs, start = [], 0
    for border in borders:
        while border - start > GROUP_ROWS:
            runs.append((start, start + GROUP_ROWS))
            start += GROUP_ROWS
        if border - start >= _LEAST_ROWS or border == len(days):
            runs.append((start, border))
            start = border
    return [run for run in runs if run[1] > run[0]]
