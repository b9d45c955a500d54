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
from data.lake import Lake
from data.load.hashes import Hashes, distinct, group_numbers, key_sql, match, read_sql, row_hashes, scan
from data.load.publish import Change, batches, held_contract, write_days
from data.load.stage import Days, Flags, Stage
from data.manifest import NO_DAY, File
from data.sql import DAY_US


def parent_days(con: duckdb.DuckDBPyConnection, lake: Lake, contract: Contract, hashes: Hashes) -> Days:
    """The day of each row's parent in the lake, NO_DAY where it has none yet."""
    if contract.day_of is None:
        return np.full(hashes.size, NO_DAY, dtype=np.int32)
    parent, key = contract.day_of
    days = np.full(hashes.size, NO_DAY, dtype=np.int32)
    files = lake.manifest.files("facts", parent)
    if not files:
        return days
    order = np.argsort(hashes)
    ordered = hashes[order]
    found = np.full(hashes.size, NO_DAY, dtype=np.int32)  # by distinct hash
    wanted, numbers = distinct(ordered), group_numbers(ordered)
    del ordered
    day = f'CAST(epoch_us("{contract_for(parent).event}") // {DAY_US} AS INTEGER)'
    query = f"SELECT {key_sql([key])} AS h, {day} AS day FROM {read_sql(lake, files)}"  # noqa: S608
    for chunk, chunk_days in scan(con, query):
        rows, at = match(wanted, chunk)
        found[at] = chunk_days[rows]
    days[order] = found[numbers]
    return days


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
    """Move the child rows that waited for the parents with these key hashes to the parents' days.

    A child's key is its parent's (labels and predictions share `prediction_id`).
    """
    pending = [f for f in lake.manifest.files("facts", child.name) if f.day == NO_DAY]
    if not pending:
        return
    order = np.argsort(hashes)
    known, known_days = hashes[order], days[order]
    for file in pending:
        own = row_hashes(con, str(lake.home / file.path), key_sql(child.key), file.rows)
        rows, at = match(known, own)
        if rows.size:
            homes = np.full(own.size, NO_DAY, dtype=np.int32)
            homes[rows] = known_days[at]
            change.add += _moved(lake, child, file, homes)
            change.remove.append(file)


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
