"""The ledger as tables to count in: the current rows of every register at a moment, and all their versions before it.

Columns are as they are stored: times and days are ISO 8601 text, which sorts and compares like time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import FromClause

from data.ledger import AUDIT, TABLES, raw
from data.ledger_types import utc_text

VERSIONS = "_versions"  # what follows a register's name where all versions are meant
# What live Readings say of each bound kept in the ledger, whoever holds it: not stored anywhere, and few are distinct.
BOUNDS = "bounds"
BOUND_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("metric", sa.Text()), ("comparator", sa.Text()), ("threshold", sa.Double()), ("scope", sa.Text()), ("state", sa.Text()),
)  # fmt: skip
Bounds = Sequence[tuple[str, str, float, str, str]]
# Whether each data contract holds today: measured at the warehouse, so not stored anywhere either.
CONTRACT_STATES = "contract_states"
ContractStates = Sequence[tuple[str, str]]  # identifier, and kept, broken or not measured
VIRTUAL = frozenset((BOUNDS, CONTRACT_STATES))


def versions(table: sa.Table, until: dt.datetime | None = None) -> FromClause:
    """Every version written up to a moment; all of them where none is given."""
    found = raw(table)
    if until is None:
        return found
    return sa.select(*found.c).where(found.c.at <= utc_text(until)).subquery(f"{table.name}{VERSIONS}")


def current(table: sa.Table, until: dt.datetime | None = None) -> FromClause:
    """The newest version of every record, as it was at a moment."""
    every = versions(table, until)
    turn = sa.func.row_number().over(partition_by=every.c.record_id, order_by=every.c.version.desc())
    ranked = sa.select(*every.c, turn.label("turn")).subquery()
    newest = [c for c in ranked.c if c.name != "turn"]
    return sa.select(*newest).where(ranked.c.turn == 1).subquery(table.name)


def bounds(found: Bounds) -> FromClause:
    """The verdicts as a table of constants; `scope` is the stored text, empty where there is none."""
    if not found:
        nothing = (sa.cast(sa.null(), kind).label(name) for name, kind in BOUND_COLUMNS)
        return sa.select(*nothing).where(sa.false()).subquery(BOUNDS)
    columns = (sa.column(name, kind) for name, kind in BOUND_COLUMNS)
    return sa.values(*columns, name=BOUNDS).data(list(found)).cte(BOUNDS)


def contract_states(found: ContractStates) -> FromClause:
    """What was found of each contract, as a table of constants."""
    if not found:
        nothing = (sa.cast(sa.null(), sa.Text()).label(name) for name in ("contract", "state"))
        return sa.select(*nothing).where(sa.false()).subquery(CONTRACT_STATES)
    columns = (sa.column(name, sa.Text()) for name in ("contract", "state"))
    return sa.values(*columns, name=CONTRACT_STATES).data(list(found)).cte(CONTRACT_STATES)


def bounded_by(row: FromClause, prefix: str, verdicts: FromClause) -> sa.ColumnElement[bool]:
    """Whether a verdict speaks of a row's bound."""
    return sa.and_(
        verdicts.c.metric == row.c[f"{prefix}_metric"],
        verdicts.c.comparator == row.c[f"{prefix}_comparator"],
        verdicts.c.threshold == row.c[f"{prefix}_threshold"],
        verdicts.c.scope == sa.func.coalesce(row.c[f"{prefix}_scope"], ""),
    )


def tables_at(
    names: Iterable[str] = TABLES,
    until: dt.datetime | None = None,
    found: Bounds = (),
    contracts: ContractStates = (),
) -> Mapping[str, FromClause]:
    """Registers by name, each with its versions under `<name>_versions`; the verdicts and the states of contracts."""
    wanted = {name: TABLES[name] for name in names if name in TABLES}
    return {
        **{name: current(table, until) for name, table in wanted.items()},
        **{f"{name}{VERSIONS}": versions(table, until) for name, table in wanted.items()},
        BOUNDS: bounds(found),
        CONTRACT_STATES: contract_states(contracts),
    }


def length() -> sa.Select[Any]:
    """Number of the newest audit entry: it changes whenever anything in the ledger does. NULL for an empty one."""
    return sa.select(sa.func.max(AUDIT.c.seq).label("seq"))
