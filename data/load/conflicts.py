"""Key conflicts in words: the same key, another value; which column, and both values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pyarrow as pa

from data.contracts import Contract
from data.load.report import Problem

Sql = Callable[[str], str]
HeldSql = Callable[[str], str | None]


def conflict_problems(
    con: duckdb.DuckDBPyConnection, contract: Contract, clashes: pa.Table, staged_sql: Sql, held_sql: HeldSql
) -> Iterator[Problem]:
    """A problem for each clash (pos, line, base_src, base_file, base_pos, base_line), in the order of lines.

    `staged_sql` and `held_sql` select expressions over the staged rows and over the lake's rows.
    """
    con.register("clash", clashes)
    content = [c for c in contract.content() if c not in contract.key]
    columns = ", ".join(f'"{c}"' for c in (*contract.key, *content))
    bases = staged_sql(f"1 AS src, CAST(0 AS BIGINT) AS file, pos, {columns}")
    held = held_sql(f"0, file, pos, {columns}")
    bases += f" UNION ALL {held}" if held else ""
    query = f"""
      WITH fresh AS ({staged_sql(f"pos, {columns}")}), base AS ({bases})
      SELECT c.line, c.base_src, c.base_line, {_key_text(contract)} AS key_text, {_differing(content)} AS differing,
        {_value("f", content)} AS found, {_value("b", content)} AS said
      FROM clash c JOIN fresh f ON f.pos = c.pos
      JOIN base b ON b.src = c.base_src AND b.file = c.base_file AND b.pos = c.base_pos
      ORDER BY c.line"""  # noqa: S608 (names are the contract's own)
    for batch in con.execute(query).to_arrow_table().to_batches(10_000):
        yield from (_problem(row, content) for row in batch.to_pylist())
    con.unregister("clash")


def _key_text(contract: Contract) -> str:
    parts = (f"""'{k}=', coalesce(CAST(f."{k}" AS VARCHAR), '')""" for k in contract.key)
    return "concat(" + ", ', ', ".join(parts) + ")"


def _differing(content: list[str]) -> str:
    tests = " ".join(f'WHEN f."{c}" IS DISTINCT FROM b."{c}" THEN {i}' for i, c in enumerate(content))
    return f"CASE {tests} END"


def _value(side: str, content: list[str]) -> str:
    """The value of the first differing column, as text."""
    tests = " ".join(
        f'WHEN f."{c}" IS DISTINCT FROM b."{c}" THEN CAST({side}."{c}" AS VARCHAR)' for c in content
    )
    return f"CASE {tests} END"


def _problem(row: dict[str, object], content: list[str]) -> Problem:
    column = content[int(str(row["differing"]))]
    where = "the warehouse" if row["base_src"] == 0 else f"line {row['base_line']}"
    said, found = ("empty" if row[k] is None else str(row[k]) for k in ("said", "found"))
    value = f"{row['key_text']} has {column} {said} in {where} and {found} here"
    return Problem("key_conflict", int(str(row["line"])), column, value)
