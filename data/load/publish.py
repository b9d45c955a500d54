"""From the staging file to the lake's immutable files: one file a day and load, few files a day."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.contracts import Column, Contract
from data.lake import Lake
from data.load.kinds import Positions
from data.load.stage import GROUP_ROWS, Days, Flags, Stage, sorted_by_day
from data.manifest import File

WINDOW_ROWS = 500_000  # rows of several small days held in memory at once
MANY_FILES = 8
SMALL_ROWS = 1_000_000  # larger files are left alone when a day is compacted


@dataclass
class Change:
    """Files a commit adds and removes."""

    add: list[File] = field(default_factory=list)
    remove: list[File] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


class Writer:
    """One Parquet file of a table being written in the lake's scratch folder."""

    def __init__(self, lake: Lake, contract: Contract, day: int) -> None:
        self._lake, self._contract, self._day = lake, contract, day
        self._draft = lake.draft()
        self._schema = contract.schema()
        self._rows = 0
        self._waiting: list[pa.Table] = []
        # Ids are all different, so a dictionary of them is work for nothing; other text repeats.
        repeats = [c.name for c in contract.columns if c.kind == "text" and c.name not in contract.key]
        self._file = pq.ParquetWriter(
            self._draft,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=repeats or False,
        )

    def add(self, table: pa.Table) -> None:
        if not table.num_rows:
            return
        self._waiting.append(_conformed(table, self._schema))
        self._rows += table.num_rows
        if sum(t.num_rows for t in self._waiting) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Write what waits: small pieces share a row group."""
        if self._waiting:
            self._file.write_table(pa.concat_tables(self._waiting), row_group_size=GROUP_ROWS)
            self._waiting = []

    def seal(self) -> File | None:
        """The finished file under its final name; None where it holds no rows."""
        self._flush()
        self._file.close()
        if not self._rows:
            self._draft.unlink()
            return None
        return self._lake.seal(
            self._draft, "facts", self._contract.name, self._day, self._rows, self._schema.names
        )


def write_days(lake: Lake, contract: Contract, stage: Stage, keep: Flags) -> list[File]:
    """Write the kept rows of a stage, one file a day. Memory is bounded by WINDOW_ROWS or a row group."""
    days = stage.days()
    files: list[File | None] = []
    with stage.reader() as source:
        for wanted in _windows(days[keep]):
            rows = _rows_of(source, stage.groups(), days, keep, wanted)
            if len(wanted) == 1:
                writer = Writer(lake, contract, wanted[0])
                for table, _ in rows:
                    writer.add(table)
                files.append(writer.seal())
            else:
                files += _write_window(lake, contract, *sorted_by_day(list(rows)))
    return [f for f in files if f]


def _windows(days: Days) -> Iterator[list[int]]:
    """Consecutive days whose rows fit into memory together; a larger day stands alone."""
    if not days.size:
        return
    counts = np.bincount(days.astype(np.int64) + 1)
    window: list[int] = []
    held = 0
    for at in np.flatnonzero(counts).tolist():
        if window and held + counts[at] > WINDOW_ROWS:
            yield window
            window, held = [], 0
        window.append(at - 1)
        held += int(counts[at])
    yield window


def _rows_of(
    source: pq.ParquetFile, groups: list[slice], days: Days, keep: Flags, wanted: list[int]
) -> Iterator[tuple[pa.Table, Days]]:
    """The kept rows of these days, row group by row group, with their days."""
    first, last = wanted[0], wanted[-1]
    for number, group in enumerate(groups):
        own = days[group]
        if own[0] > last or own[-1] < first:
            continue
        mask = keep[group] & (own >= first) & (own <= last)
        if mask.all():
            yield source.read_row_group(number), own
        elif mask.any():
            yield source.read_row_group(number).filter(pa.array(mask)), own[mask]


def _write_window(lake: Lake, contract: Contract, table: pa.Table, days: Days) -> list[File | None]:
    files = []
    borders = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    for start, stop in itertools.pairwise(borders):
        writer = Writer(lake, contract, int(days[start]))
        writer.add(table.slice(start, stop - start))
        files.append(writer.seal())
    return files


def held_contract(contract: Contract, files: Sequence[File]) -> Contract:
    """The contract with the open columns that these files hold."""
    known = {c.name for c in contract.columns}
    extra = sorted({c for f in files for c in f.columns} - known)
    columns = contract.columns + tuple(Column(n, "text", optional=True) for n in extra)
    return Contract(contract.name, columns, contract.key, contract.event, contract.day_of, contract.mutable)


def batches(path: Path) -> Iterator[pa.Table]:
    """The rows of a lake file in order."""
    with pq.ParquetFile(path, memory_map=False) as file:
        for batch in file.iter_batches(batch_size=GROUP_ROWS):
            yield pa.Table.from_batches([batch])


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the columns of the schema; null where it has none."""
    held = set(table.column_names)
    columns = [table[f.name] if f.name in held else pa.nulls(table.num_rows, f.type) for f in schema]
    return pa.table(columns, schema=schema)


def replace(lake: Lake, contract: Contract, removed: Mapping[str, Positions], change: Change) -> None:
    """Take single rows (positions by path) out of the table's current files: each such file is written again."""
    for file in lake.manifest.files("facts", contract.name):
        if file.path in removed:
            rest = _without(lake, contract, file, removed[file.path])
            change.add += [rest] if rest else []
            change.remove.append(file)


def _without(lake: Lake, contract: Contract, file: File, rows: Positions) -> File | None:
    own = held_contract(contract, [file])
    writer = Writer(lake, own, file.day)
    start = 0
    for table in batches(lake.home / file.path):
        mask = np.ones(table.num_rows, dtype=bool)
        mask[rows[(rows >= start) & (rows < start + table.num_rows)] - start] = False
        writer.add(table.filter(pa.array(mask)))
        start += table.num_rows
    return writer.seal()


def compact(lake: Lake, contract: Contract, change: Change) -> None:
    """Merge the small files of the days a change touches where there are many; `change` is updated."""
    gone = {f.path for f in change.remove}
    current = [f for f in lake.manifest.files("facts", contract.name) if f.path not in gone]
    added = [f for f in change.add if f.name == contract.name]
    for day in sorted({f.day for f in added}):
        small = [f for f in (*current, *added) if f.day == day and f.rows < SMALL_ROWS]
        if len(small) > MANY_FILES:
            _merge(lake, contract, day, small, change)


def _merge(lake: Lake, contract: Contract, day: int, files: list[File], change: Change) -> None:
    full = held_contract(contract, files)
    writer = Writer(lake, full, day)
    for file in files:
        for table in batches(lake.home / file.path):
            writer.add(table)
    merged = writer.seal()
    fresh = {f.path for f in change.add}
    for file in files:
        if file.path in fresh:  # sealed a moment ago and never committed: nobody can be reading it
            change.add.remove(file)
            (lake.home / file.path).unlink()
        else:
            change.remove.append(file)
    change.add += [merged] if merged else []
