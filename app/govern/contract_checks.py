"""Whether a table keeps its contract: columns, volume, freshness and quality rules, measured on the warehouse."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.expression import FromClause

from app.govern.model import Row
from app.govern.quality import Measured, Quality, Unrun, counted, duplicates, rules_of, why_unrun
from app.measure import words
from data.engines import LakeWarehouse, Session, Warehouse
from data.lake import Lake
from data.sql import micros

KEPT, BROKEN, UNMEASURED = "kept", "broken", "not measured"
BINDING = ("active", "deprecated")  # statuses of the standard under which a contract holds
LOADS_LOOKED_AT = 1000
FRESHNESS = "freshness"


@dataclass(frozen=True)
class RuleResult:
    """One promise: kept, broken or not measured, and why. `since`: the earliest time it is known to be broken."""

    rule: str
    state: str
    why: str
    since: dt.datetime | None = None


@dataclass(frozen=True)
class TableFacts:
    """What the warehouse shows of a table. None: it does not tell. `quality`: rules measured, by contract."""

    columns: frozenset[str]
    rows: int | None
    loaded: dt.datetime | None
    quality: Mapping[str, tuple[RuleResult, ...]]


def binding(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Contracts that hold: in use here, and active or deprecated by their own status."""
    return tuple(r for r in rows if r.state == "active" and r.text("status") in BINDING)


def table_facts(warehouse: Warehouse, lake: Lake, contracts: Iterable[Row]) -> dict[str, TableFacts]:
    """The tables that contracts name, as the warehouse holds them now."""
    held = warehouse.tables()
    by_table: dict[str, list[Row]] = {}
    for row in contracts:
        by_table.setdefault(row.text("table_name"), []).append(row)
    loads = _loads(lake) if isinstance(warehouse, LakeWarehouse) else {}
    return {n: _facts(warehouse, held[n], n, own, loads) for n, own in by_table.items() if n in held}


def _loads(lake: Lake) -> dict[str, dt.datetime]:
    """The newest load of each table of the embedded lake; a company's own warehouse says it in its rows."""
    found: dict[str, dt.datetime] = {}
    for load in lake.manifest.loads(LOADS_LOOKED_AT):
        if load.outcome == "loaded":
            found.setdefault(load.name, dt.datetime.fromisoformat(load.at))
    return found


def _facts(
    warehouse: Warehouse, table: FromClause, name: str, contracts: list[Row], loads: Mapping[str, dt.datetime]
) -> TableFacts:
    """One look at a table for all its contracts."""
    dialect = warehouse.dialect.name
    try:
        with warehouse.session((name,)) as session:
            rows = _whole(session, sa.select(sa.func.count().label("n")).select_from(table), "n")
            loaded = loads.get(name) or _newest(session, table)
            quality = {c.record_id: _quality(session, c, table, dialect) for c in contracts}
    except SQLAlchemyError as error:
        why = f"the warehouse did not answer: {error}"
        lost = (RuleResult("quality", UNMEASURED, why),)
        return TableFacts(_columns_of(table), None, loads.get(name), {c.record_id: lost for c in contracts})
    return TableFacts(_columns_of(table), rows, loaded, quality)


def _columns_of(table: FromClause) -> frozenset[str]:
    """Columns really there: those a company does not have are NULLs of a subquery."""
    if isinstance(table, sa.Subquery) and isinstance(table.element, sa.Select):
        return frozenset(c.name for c in table.element.selected_columns if isinstance(c, sa.Column))
    return frozenset(c.name for c in table.c)


def _newest(session: Session, table: FromClause) -> dt.datetime | None:
    if "loaded_at" not in table.c:
        return None
    us = session.columns(sa.select(sa.func.max(micros(table.c.loaded_at)).label("us")))["us"].astype(float)
    return None if np.isnan(us[0]) else dt.datetime.fromtimestamp(us[0] / 1e6, dt.UTC)


def _whole(session: Session, statement: sa.Select[Any], name: str) -> int:
    return int(session.columns(statement)[name].astype(float)[0])


def _quality(session: Session, row: Row, table: FromClause, dialect: str) -> tuple[RuleResult, ...]:
    """Each quality rule of a contract; the one that the register keeps as smallest volume is told apart."""
    found: list[RuleResult] = []
    asked: list[Quality] = []
    for rule in rules_of(row.text("document")):
        if isinstance(rule, Unrun):
            found.append(RuleResult(rule.name, UNMEASURED, rule.why))
        elif why := why_unrun(rule, table, dialect):
            found.append(RuleResult(rule.name, UNMEASURED, why))
        elif not _is_volume(rule, row):
            asked.append(rule)
    return (*(_result(m) for m in _measure(session, tuple(asked), table, dialect)), *found)


def _is_volume(rule: Quality, row: Row) -> bool:
    lower = all(b.operator.startswith("mustBeGreater") for b in rule.bounds)
    return rule.metric == "rowCount" and lower and row["volume_min"] is not None


def _measure(
    session: Session, rules: tuple[Quality, ...], table: FromClause, dialect: str
) -> tuple[Measured, ...]:
    if not rules:
        return ()
    found = session.columns(counted(rules, table, dialect))
    rows = int(found["rows"].astype(float)[0])
    measured = []
    for at, rule in enumerate(rules):
        if rule.metric == "rowCount":
            count = rows
        elif rule.metric == "duplicateValues":
            count = _whole(session, duplicates(rule, table), "beyond")
        else:
            count = int(found[f"q{at}"].astype(float)[0])
        measured.append(Measured(rule, count, rows))
    return tuple(measured)


def _result(found: Measured) -> RuleResult:
    if found.value is None:
        return RuleResult(found.rule.name, UNMEASURED, "the table has no rows to take a share of")
    shown = f"{found.value:,.6g}{' %' if found.rule.percent else ' rows'}"
    if not found.broken:
        return RuleResult(found.rule.name, KEPT, f"{shown}, as promised")
    return RuleResult(found.rule.name, BROKEN, f"{shown}, promised {' and '.join(found.broken)}")


def evaluate(row: Row, facts: TableFacts | None, now: dt.datetime) -> tuple[RuleResult, ...]:
    """Each promise of a contract against its table."""
    if facts is None:
        why = f"the warehouse has no table {row.text('table_name')}"
        return (RuleResult("table", BROKEN, why, row.at),)
    standing = (
        _columns(row, facts),
        *_least(row["volume_min"], facts.rows),
        *facts.quality.get(row.record_id, ()),
    )
    # Nothing but a load or a new version of the contract changes these, so they have been so since the later of the two.
    since = max((t for t in (facts.loaded, row.at) if t is not None), default=None)
    dated = tuple(RuleResult(r.rule, r.state, r.why, since if r.state == BROKEN else None) for r in standing)
    return (*dated, *_fresh(row["freshness_hours"], facts, now))


def _columns(row: Row, facts: TableFacts) -> RuleResult:
    names = promised(row)
    missing = tuple(sorted(names - facts.columns))
    if missing:
        return RuleResult("columns", BROKEN, f"promised and not there: {words.listed(missing)}")
    return RuleResult("columns", KEPT, f"all {words.plural(len(names), 'promised column')} are there")


def promised(row: Row) -> frozenset[str]:
    """The columns that a contract names."""
    tables = json.loads(row.text("document")).get("schema") or [{}]
    fields = tables[0].get("properties") or [] if isinstance(tables[0], dict) else []
    return frozenset(
        str(f.get("physicalName") or f.get("name")) for f in fields if isinstance(f, dict) and f.get("name")
    )


def _least(least: object, rows: int | None) -> tuple[RuleResult, ...]:
    if not isinstance(least, int | float):
        return ()
    if rows is None:
        return (RuleResult("rows", UNMEASURED, "the warehouse did not tell its rows"),)
    state = KEPT if rows >= least else BROKEN
    return (RuleResult("rows", state, f"{rows:,} rows, promised at least {least:,.0f}"),)


def _fresh(hours: object, facts: TableFacts, now: dt.datetime) -> tuple[RuleResult, ...]:
    if not isinstance(hours, int | float):
        return ()
    if facts.loaded is None:
        return (RuleResult(FRESHNESS, UNMEASURED, "no load of this table is recorded"),)
    due = facts.loaded + dt.timedelta(hours=hours)
    why = f"loaded {words.ago(facts.loaded, now)}, promised within {hours:g} hours"
    return (RuleResult(FRESHNESS, BROKEN, why, due) if now > due else RuleResult(FRESHNESS, KEPT, why),)
