"""Which staged rows are new: nothing is ever counted twice, and a fact is never changed in silence.

Hashes of the keys (64 bits, by DuckDB) find the few candidates; only those are compared exactly, in SQL, piece by
piece so that memory stays bounded. Empty key parts compare equal.

Append-only tables: rows that say the same count once, with the earliest `loaded_at`; the same key with other
values is a conflict. Mutable tables: in order of `loaded_at` a row that says the same as the one before it adds
nothing, and the last change wins; a new row without `loaded_at` is the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.contracts import LINE, Contract
from data.lake import Lake, quoted
from data.load.kinds import Positions
from data.load.publish import held_contract
from data.load.report import Problem
from data.load.stage import Flags, Stage
from data.manifest import File

Hashes = NDArray[np.uint64]
CHUNK_ROWS = 1_000_000
PIECE_KEYS = 400_000


@dataclass
class Resolved:
    """`keep` marks the staged rows to write; `known` rows were already held (or repeated); `moved` of the kept
    rows only say that a held row was known earlier; `removed` are held rows that a kept row replaces."""

    keep: Flags
    known: int = 0
    moved: int = 0
    conflicts: list[Problem] = field(default_factory=list)
    removed: dict[str, Positions] = field(default_factory=dict)


def hash_sql(key: Sequence[str]) -> str:
    return "hash(" + ", ".join(f'"{k}"' for k in key) + ")"


def key_hashes(con: duckdb.DuckDBPyConnection, path: str, key: Sequence[str], rows: int) -> Hashes:
    """The key hash of every row of a Parquet file, in row order."""
    hashes = np.empty(rows, dtype=np.uint64)
    query = f"SELECT file_row_number AS pos, {hash_sql(key)} AS h FROM read_parquet({quoted(path)})"  # noqa: S608
    for batch in con.execute(query).to_arrow_reader(CHUNK_ROWS):
        hashes[batch.column("pos").to_numpy()] = batch.column("h").to_numpy()
    return hashes


def resolve(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contract: Contract,
    stage: Stage,
    hashes: Hashes,
    files: Sequence[File],
) -> Resolved:
    """Compare the staged rows with each other and with the lake's current `files` of the table."""
    found = Resolved(np.ones(stage.rows, dtype=bool))
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    held, hit_files = _held(con, lake, contract, ordered, files)
    candidates = np.union1d(repeated, held)
    del ordered
    for start in range(0, candidates.size, PIECE_KEYS):
        piece = candidates[start : start + PIECE_KEYS]
        for verdicts in _compare(con, lake, contract, stage, piece, hit_files):
            _take(found, held_contract(contract, hit_files), verdicts, hit_files)
    return found


def _held(
    con: duckdb.DuckDBPyConnection, lake: Lake, contract: Contract, ordered: Hashes, files: Sequence[File]
) -> tuple[Hashes, list[File]]:
    """Which of the hashes the lake holds already, and the files that hold them."""
    found = [np.empty(0, dtype=np.uint64)]
    hits = np.zeros(len(files), dtype=bool)
    if files and ordered.size:
        query = f"SELECT file_index AS file, {hash_sql(contract.key)} AS h FROM {_read(lake, files)}"  # noqa: S608
        for batch in con.execute(query).to_arrow_reader(CHUNK_ROWS):
            chunk, file = batch.column("h").to_numpy(), batch.column("file").to_numpy()
            order = np.argsort(chunk)
            at = np.minimum(np.searchsorted(ordered, chunk[order]), ordered.size - 1)
            same = order[ordered[at] == chunk[order]]
            hits[np.unique(file[same])] = True
            found.append(chunk[same])
    return np.unique(np.concatenate(found)), [f for f, hit in zip(files, hits, strict=True) if hit]


def _read(lake: Lake, files: Sequence[File]) -> str:
    paths = ", ".join(quoted(str(lake.home / f.path)) for f in files)
    by_name = "true" if len({f.columns for f in files}) > 1 else "false"
    return f"read_parquet([{paths}], union_by_name={by_name}, hive_partitioning=false)"


def _compare(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contract: Contract,
    stage: Stage,
    piece: Hashes,
    files: Sequence[File],
) -> Iterator[pa.RecordBatch]:
    """Exact verdicts on every staged and held row whose key hash is in the piece."""
    con.register("piece", pa.table({"h": piece}))
    full = held_contract(contract, files)
    key = hash_sql(contract.key)
    near = f"{key} BETWEEN {piece[0]} AND {piece[-1]} AND {key} IN (SELECT h FROM piece)"
    staged = _select(full, set(stage.names))
    rows = (
        f"SELECT 1 AS src, CAST(0 AS BIGINT) AS file, file_row_number AS pos, {LINE} AS line, {staged}"  # noqa: S608
        f" FROM read_parquet({quoted(str(stage.path))}) WHERE {near}"
    )
    if files:
        held = _select(full, {c for f in files for c in f.columns})
        rows += f" UNION ALL SELECT 0, CAST(file_index AS BIGINT), file_row_number, 0, {held} FROM {_read(lake, files)} WHERE {near}"  # noqa: S608
    yield from con.execute(_verdicts(full, rows)).to_arrow_reader(CHUNK_ROWS)
    con.unregister("piece")


def _select(contract: Contract, present: set[str]) -> str:
    return ", ".join(f'"{c.name}"' if c.name in present else f'NULL AS "{c.name}"' for c in contract.columns)


def _verdicts(contract: Contract, rows: str) -> str:
    """One row a candidate: is it the one to keep, does it say what the first row of its key says, and where not."""
    content = [c for c in contract.content() if c not in contract.key]
    key = ", ".join(f'"{k}"' for k in contract.key)
    packed = "row(" + ", ".join(f'"{c}"' for c in content or contract.key) + ")"
    differs = " ".join(
        f"""WHEN "{c}" IS DISTINCT FROM struct_extract(base, {i + 1}) THEN {i}"""
        for i, c in enumerate(content)
    )
    found = " ".join(f"""WHEN {i} THEN CAST("{c}" AS VARCHAR)""" for i, c in enumerate(content))
    said = " ".join(
        f"WHEN {i} THEN CAST(struct_extract(base, {i + 1}) AS VARCHAR)" for i in range(len(content))
    )
    keeps = _LAST_CHANGE if contract.mutable else _EARLIEST
    return f"""
      WITH rows AS ({rows}),
      packed AS (SELECT *, {packed} AS content FROM rows),
      based AS (
        SELECT *, first_value(content) OVER first AS base, first_value(src) OVER first AS base_src,
          first_value(line) OVER first AS base_line
        FROM packed WINDOW first AS (PARTITION BY {key} ORDER BY src, line)),
      judged AS (SELECT *, content IS NOT DISTINCT FROM base AS same FROM based),
      {keeps.format(key=key)}
      marked AS (SELECT *, CASE {differs or "WHEN false THEN 0"} END AS differing FROM kept)
      SELECT src, file, pos, line, keep, same, base_src, base_line, differing,
        CASE differing {found or "WHEN -1 THEN NULL"} END AS found, CASE differing {said or "WHEN -1 THEN NULL"} END AS said,
        CASE WHEN same THEN NULL ELSE {_key_text(contract)} END AS key_text
      FROM marked"""  # noqa: S608 (names are the contract's own)


# The clocks of rows that say the same: never said is earliest.
_EARLIEST = """
      kept AS (SELECT *, same AND row_number() OVER (
          PARTITION BY {key}, same ORDER BY loaded_at NULLS FIRST, received_at NULLS FIRST, src, line) = 1 AS keep
        FROM judged),"""

_LAST_CHANGE = """
      clocked AS (SELECT *, coalesce(epoch_us(loaded_at),
          CASE src WHEN 0 THEN -9223372036854775807 ELSE 9223372036854775807 END) AS clock FROM judged),
      ranked AS (SELECT *, row_number() OVER seq AS nth, lag(content) OVER seq AS before
        FROM clocked WINDOW seq AS (PARTITION BY {key} ORDER BY clock, src, line)),
      changes AS (SELECT *, nth = 1 OR content IS DISTINCT FROM before AS changed FROM ranked),
      kept AS (SELECT *, nth = max(CASE WHEN changed THEN nth END) OVER (PARTITION BY {key}) AS keep FROM changes),"""


def _key_text(contract: Contract) -> str:
    return (
        "concat(" + ", ', ', ".join(f"""'{k}=', coalesce("{k}"::VARCHAR, '')""" for k in contract.key) + ")"
    )


def _take(found: Resolved, contract: Contract, verdicts: pa.RecordBatch, files: Sequence[File]) -> None:
    """Fold verdicts into the result."""
    fresh = verdicts.filter(pc.equal(verdicts["src"], 1))
    keep, same = _flags(fresh["keep"]), _flags(fresh["same"])
    from_lake = fresh["base_src"].to_numpy() == 0
    found.keep[fresh["pos"].to_numpy()] = keep
    conflicts = np.zeros(len(keep), dtype=bool) if contract.mutable else ~same
    found.known += int(np.sum(~keep & ~conflicts))
    found.moved += int(np.sum(keep & same & from_lake))
    content = [c for c in contract.content() if c not in contract.key]
    found.conflicts += [_conflict(row, content) for row in fresh.filter(pa.array(conflicts)).to_pylist()]
    held = verdicts.filter(pc.and_(pc.equal(verdicts["src"], 0), pc.invert(verdicts["keep"])))
    for number in np.unique(held["file"].to_numpy()).tolist():
        own = held.filter(pc.equal(held["file"], number))["pos"].to_numpy()
        path = files[number].path
        found.removed[path] = np.union1d(found.removed.get(path, np.empty(0, dtype=np.int64)), own)


def _flags(column: pa.Array) -> Flags:
    return column.to_numpy(zero_copy_only=False).astype(bool)


def _conflict(row: dict[str, object], content: Sequence[str]) -> Problem:
    column = content[int(str(row["differing"]))]
    where = "the warehouse" if row["base_src"] == 0 else f"line {row['base_line']}"
    said, found = (_worded(row[k]) for k in ("said", "found"))
    value = f"{row['key_text']} has {column} {said} in {where} and {found} here"
    return Problem("key_conflict", int(str(row["line"])), column, value)


def _worded(value: object) -> str:
    return "empty" if value is None else str(value)
