"""Rows that are stored under the day of another table's row: labels under the day of their prediction.

A label that comes before its prediction waits in the NO_DAY partition; the load that brings the prediction moves
it, in the same commit.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from data import schema
from data.contracts import Contract, contract_for
from data.lake import Lake, quoted
from data.load.dedupe import CHUNK_ROWS, Hashes, hash_sql, key_hashes
from data.load.publish import Change, batches, held_contract, write_days
from data.load.stage import Days, Flags, Stage
from data.manifest import NO_DAY, File
from data.sql import DAY_US


def parent_days(con: duckdb.DuckDBPyConnection, lake: Lake, contract: Contract, hashes: Hashes) -> Days:
    """The day of each row's parent in the lake, NO_DAY where it has none yet."""
    if contract.day_of is None:
        return np.full(hashes.size, NO_DAY, dtype=np.int32)
    parent, key = contract.day_of
    event = contract_for(parent).event
    wanted = np.unique(hashes)
    days = np.full(wanted.size, NO_DAY, dtype=np.int32)
    files = lake.manifest.files("facts", parent)
    if files and wanted.size:
        paths = ", ".join(quoted(str(lake.home / f.path)) for f in files)
        query = (
            f'SELECT {hash_sql([key])} AS h, CAST(epoch_us("{event}") // {DAY_US} AS INTEGER) AS day'  # noqa: S608
            f" FROM read_parquet([{paths}], hive_partitioning=false)"
        )
        for batch in con.execute(query).to_arrow_reader(CHUNK_ROWS):
            _fill(wanted, days, batch.column("h").to_numpy(), batch.column("day").to_numpy())
    return days[np.searchsorted(wanted, hashes)]


def _fill(wanted: Hashes, days: Days, found: Hashes, found_days: Days) -> None:
    """Note the days of those wanted (sorted) hashes that are found."""
    order = np.argsort(found)
    found, found_days = found[order], found_days[order]
    at = np.minimum(np.searchsorted(wanted, found), wanted.size - 1)
    same = wanted[at] == found
    days[at[same]] = found_days[same]


def restage(lake: Lake, stage: Stage, keep: Flags, days: Days) -> Stage:
    """The kept rows of a stage again, sorted by other days. The old stage is discarded."""
    fresh = Stage(lake.draft())
    with stage.reader() as source:
        for number, rows in enumerate(stage.groups()):
            mask = keep[rows]
            fresh.add(source.read_row_group(number).filter(pa.array(mask)), days[rows][mask])
    fresh.close()
    stage.discard()
    return fresh


def children_of(name: str) -> list[Contract]:
    """The tables whose rows are stored under the day of a row of this table."""
    tables = schema.METADATA.tables.values()
    return [contract_for(t.name) for t in tables if t.info["day_of"] and t.info["day_of"][0] == name]


def rehome(
    con: duckdb.DuckDBPyConnection, lake: Lake, child: Contract, hashes: Hashes, days: Days, change: Change
) -> None:
    """Move the child rows that waited for the parents with these key hashes to the parents' days."""
    pending = [f for f in lake.manifest.files("facts", child.name) if f.day == NO_DAY]
    if not pending:
        return
    order = np.argsort(hashes)
    known, known_days = hashes[order], days[order]
    for file in pending:
        waiting = _homes(con, lake, child, file, known, known_days)
        if np.any(waiting != NO_DAY):
            change.add += _moved(lake, child, file, waiting)
            change.remove.append(file)


def _homes(
    con: duckdb.DuckDBPyConnection, lake: Lake, child: Contract, file: File, known: Hashes, known_days: Days
) -> Days:
    assert child.day_of is not None  # noqa: S101 (children_of gives no others)
    own = key_hashes(con, str(lake.home / file.path), [child.day_of[1]], file.rows)
    at = np.minimum(np.searchsorted(known, own), known.size - 1)
    return np.where(known[at] == own, known_days[at], NO_DAY).astype(np.int32)


def _moved(lake: Lake, child: Contract, file: File, days: Days) -> Sequence[File]:
    """The rows of a waiting file, written under the days they now have."""
    full = held_contract(child, [file])
    stage = Stage(lake.draft())
    start = 0
    for table in batches(lake.home / file.path):
        stage.add(table, days[start : start + table.num_rows])
        start += table.num_rows
    stage.close()
    files = write_days(lake, full, stage, np.ones(stage.rows, dtype=bool))
    stage.discard()
    return files
