"""Which staged rows are new: nothing is ever counted twice, and a fact is never changed in silence.

Hashes of the keys find the rows to look at. A held row that says the same and was known no later (128 bits of
hashes say so) settles its staged twin. What remains is judged in SQL, key by key and piece by piece, so that memory
stays bounded.
Empty key parts compare equal.

Append-only tables: rows that say the same count once, with the earliest clocks; the same key with other values is
a conflict. Mutable tables: in order of `loaded_at`, a row that says the same as the one before it adds nothing, and
the last change wins; a new row without `loaded_at` is the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from data.contracts import LINE, Contract
from data.lake import Lake, quoted
from data.load.conflicts import conflict_problems
from data.load.hashes import Hashes, distinct, hash_sql, key_sql, match, read_sql, repeated, scan
from data.load.kinds import Positions
from data.load.publish import held_contract
from data.load.report import Problem
from data.load.stage import Flags, Stage
from data.manifest import File

PIECE_KEYS = 500_000
_FIRST, _LATEST = -(2**63) + 1, 2**63 - 1
_CLOCK = "coalesce(epoch_us(loaded_at), {})"
Report = Callable[[Problem], None]


@dataclass
class Resolved:
    """`keep` marks the staged rows to write; `known` rows were already held (or repeated); `moved` of the kept
    rows only say that a held row was known earlier; `removed` are held rows that a kept row replaces.
    """

    keep: Flags
    known: int = 0
    moved: int = 0
    conflicts: int = 0
    removed: dict[str, Positions] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """Everything that is compared: the stage and the lake's files that hold some of its keys."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    contract: Contract
    stage: Stage
    files: tuple[File, ...]

    def staged_sql(self, expressions: str) -> str:
        columns = _columns(self.contract, set(self.stage.names))
        source = f"read_parquet({quoted(str(self.stage.path))})"
        rows = f"SELECT {columns}, {LINE} AS line, file_row_number AS pos FROM {source}"  # noqa: S608
        return f"SELECT {expressions} FROM ({rows})"  # noqa: S608

    def held_sql(self, expressions: str) -> str | None:
        """None where no file of the lake is concerned."""
        if not self.files:
            return None
        columns = _columns(self.contract, {c for f in self.files for c in f.columns})
        source = read_sql(self.lake, self.files)
        rows = f"SELECT {columns}, CAST(file_index AS BIGINT) AS file, file_row_number AS pos FROM {source}"  # noqa: S608
        return f"SELECT {expressions} FROM ({rows})"  # noqa: S608


def resolve(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contract: Contract,
    stage: Stage,
    hashes: Hashes,
    files: Sequence[File],
    report: Report,
) -> Resolved:
    """Compare the staged rows (`hashes` are those of their keys) with each other and with the lake's `files`.

    Conflicts are handed to `report` one by one: there may be millions.
    """
    found = Resolved(np.ones(stage.rows, dtype=bool))
    ordered = np.sort(hashes)
    twice = repeated(ordered)
    held, hit_files = _held(con, lake, contract, ordered, files)
    del ordered
    pool = Pool(con, lake, held_contract(contract, hit_files), stage, hit_files)
    if held.size:
        held = _settle_twins(pool, hashes, held, twice, found)
    candidates = distinct(np.sort(np.concatenate([twice, held])))
    for start in range(0, candidates.size, PIECE_KEYS):
        _take(pool, found, _judge(pool, candidates[start : start + PIECE_KEYS]), report)
    return found


def _held(
    con: duckdb.DuckDBPyConnection, lake: Lake, contract: Contract, ordered: Hashes, files: Sequence[File]
) -> tuple[Hashes, tuple[File, ...]]:
    """Which of the hashes the lake holds already (sorted), and the files that hold them."""
    found = [np.empty(0, dtype=np.uint64)]
    hits = np.zeros(len(files), dtype=bool)
    if files:
        query = f"SELECT file_index AS file, {key_sql(contract.key)} AS h FROM {read_sql(lake, files)}"  # noqa: S608
        for file, chunk in scan(con, query):
            rows, _ = match(ordered, chunk)
            hits[file[rows]] = True
            found.append(chunk[rows])
    held = np.concatenate(found)
    held.sort()
    return distinct(held), tuple(f for f, hit in zip(files, hits, strict=True) if hit)


def _settle_twins(pool: Pool, hashes: Hashes, held: Hashes, twice: Hashes, found: Resolved) -> Hashes:
    """Mark staged rows whose key comes once in the file and whose held row says the same, no later; returns the
    hashes that this leaves open.
    """
    names = [c.name for c in pool.contract.columns if c.name != "loaded_at"]
    whole = hash_sql([f'"{name}"' for name in names])
    said, row_of = np.zeros(held.size, dtype=np.uint64), np.zeros(held.size, dtype=np.int64)
    clock_of = np.zeros(held.size, dtype=np.int64)
    never = _LATEST if pool.contract.mutable else _FIRST
    for pos, full, clock in scan(
        pool.con, pool.staged_sql(f"pos, {whole} AS f, {_CLOCK.format(never)} AS clock")
    ):
        rows, at = match(held, hashes[pos])
        said[at], row_of[at], clock_of[at] = full[rows], pos[rows], clock[rows]
    once = np.ones(held.size, dtype=bool)
    once[match(held, twice)[1]] = False
    settled = np.zeros(held.size, dtype=bool)
    key = key_sql(pool.contract.key)
    query = pool.held_sql(f"{key} AS h, {whole} AS f, {_CLOCK.format(_FIRST)} AS clock") or ""
    for chunk, full, clock in scan(pool.con, query):
        rows, at = match(held, chunk)
        settled[at] = once[at] & (said[at] == full[rows]) & (clock_of[at] >= clock[rows])
    found.keep[row_of[settled]] = False
    found.known += int(settled.sum())
    return held[~settled]


def _judge(pool: Pool, piece: Hashes) -> pa.Table:
    """A verdict on every staged and held row whose key hash is in the piece (sorted)."""
    pool.con.register("piece", pa.table({"h": piece}))
    key = key_sql(pool.contract.key)
    near = f"WHERE {key} BETWEEN {piece[0]} AND {piece[-1]} AND {key} IN (SELECT h FROM piece)"  # noqa: S608
    content = hash_sql([f'"{c}"' for c in pool.contract.content()])
    columns = ", ".join(f'"{k}"' for k in pool.contract.key) + f", loaded_at, received_at, {content} AS said"
    rows = pool.staged_sql(f"1 AS src, CAST(0 AS BIGINT) AS file, pos, line, {columns}") + " " + near
    held = pool.held_sql(f"0, file, pos, CAST(0 AS BIGINT), {columns}")
    rows += f" UNION ALL {held} {near}" if held else ""
    keys = ", ".join(f'"{k}"' for k in pool.contract.key)
    keeps = _LAST_CHANGE if pool.contract.mutable else _EARLIEST
    verdicts = pool.con.execute(
        _VERDICTS.format(rows=rows, keys=keys, keeps=keeps.format(keys=keys))
    ).to_arrow_table()
    pool.con.unregister("piece")
    return verdicts


# The first row of a key (a held one, else the first line) says what the others are measured by.
_VERDICTS = """
  WITH rows AS ({rows}),
  based AS (
    SELECT *, first_value(said) OVER first AS base, first_value(src) OVER first AS base_src,
      first_value(file) OVER first AS base_file, first_value(pos) OVER first AS base_pos,
      first_value(line) OVER first AS base_line
    FROM rows WINDOW first AS (PARTITION BY {keys} ORDER BY src, line)),
  judged AS (SELECT *, said = base AS same FROM based),
  {keeps}
  SELECT src, file, pos, line, keep, same, base_src, base_file, base_pos, base_line FROM kept"""

# Of rows that say the same, the earliest clocks; never said is earliest.
_EARLIEST = """
  kept AS (SELECT *, same AND row_number() OVER (
      PARTITION BY {keys}, same ORDER BY loaded_at NULLS FIRST, received_at NULLS FIRST, src, line) = 1 AS keep
    FROM judged)"""

_LAST_CHANGE = """
  clocked AS (SELECT *, coalesce(epoch_us(loaded_at),
      CASE src WHEN 0 THEN -9223372036854775807 ELSE 9223372036854775807 END) AS clock FROM judged),
  ranked AS (SELECT *, row_number() OVER seq AS nth, lag(said) OVER seq AS before
    FROM clocked WINDOW seq AS (PARTITION BY {keys} ORDER BY clock, src, line)),
  changes AS (SELECT *, nth = 1 OR said <> before AS changed FROM ranked),
  kept AS (SELECT *, nth = max(CASE WHEN changed THEN nth END) OVER (PARTITION BY {keys}) AS keep FROM changes)"""


def _take(pool: Pool, found: Resolved, verdicts: pa.Table, report: Report) -> None:
    """Fold the verdicts on one piece into the result; conflicts are reported in the order of their lines."""
    src, file, pos = (verdicts[name].to_numpy() for name in ("src", "file", "pos"))
    keep, same = verdicts["keep"].to_numpy(), verdicts["same"].to_numpy()
    staged = src == 1
    clash = np.zeros(keep.size, dtype=bool) if pool.contract.mutable else staged & ~same
    found.keep[pos[staged]] = keep[staged]
    found.known += int(np.sum(staged & ~keep & ~clash))
    found.moved += int(np.sum(staged & keep & same & (verdicts["base_src"].to_numpy() == 0)))
    found.conflicts += int(clash.sum())
    if clash.any():
        clashes = verdicts.filter(pa.array(clash))
        for problem in conflict_problems(pool.con, pool.contract, clashes, pool.staged_sql, pool.held_sql):
            report(problem)
    gone = ~staged & ~keep
    for number in set(file[gone].tolist()):
        path = pool.files[number].path
        known = found.removed.get(path, np.empty(0, dtype=np.int64))
        found.removed[path] = np.concatenate([known, pos[gone & (file == number)]])


def _columns(contract: Contract, present: set[str]) -> str:
    return ", ".join(f'"{c.name}"' if c.name in present else f'NULL AS "{c.name}"' for c in contract.columns)
