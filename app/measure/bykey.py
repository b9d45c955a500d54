"""Refreshing single rows: new cells = old cells - what changed rows gave + what they give now.

A later opt-out moves a few signals on nearly every earlier day. Their days are not computed anew: the rollup's own
SELECT is asked twice of tables cut to these signals, once as the lake was when the cells were made and once as it is.
Days with new rows of the rollup's first table, and days that time alone moves, are computed whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ClauseElement

from app.measure.store import RollupStore
from data.difference import NEW, OLD, WORLD, Difference
from data.engines import FAR_US, Columns, Dirty, Session
from data.manifest import NO_DAY, Refreshed
from data.sql import Facts
from metrics.core.metric import C, Keyed, Rollup

MOST_ROWS = 3_000_000  # rows kept in memory; where more have changed, days are computed whole


@dataclass(frozen=True)
class Change:
    """Cells to add and to take away, beside all that `days` held; `keys` rows of earlier days were asked twice."""

    cells: tuple[Columns, Columns]
    days: tuple[int, ...]
    keys: int
    newest_us: int | None


@dataclass(frozen=True)
class Step:
    """From which state of a rollup's cells to which observation end, and what was loaded in between."""

    state: Refreshed
    dirty: Dirty
    observed_us: int
    dims: tuple[str, ...]

    @property
    def after_us(self) -> int:
        """Rows later than this count now and did not before."""
        return self.state.observed_us if self.observed_us != self.state.observed_us else FAR_US


def change(
    rollup: Rollup[C], keyed: Keyed, session: Session, both: Difference, store: RollupStore, step: Step
) -> Change | None:
    """What a step changes in the cells; None where whole days are the better way."""
    home = rollup.tables[0]
    moved = {name for name, _, _ in keyed.moved}
    still = {name for name, touch in rollup.touched if touch is None}
    if not set(step.dirty.days) <= moved | still | {home}:
        return None  # nothing is known of what these rows move
    days = {d for d in step.dirty.days.get(home, ()) if d != NO_DAY}
    if keyed.aging is None:
        days |= both.days(home, step.after_us)
        if not rollup.observed or step.after_us < FAR_US:
            days |= store.unsettled_days(rollup)
    newest = [both.newest(name) for name in step.dirty.days]
    keys = _cut(rollup, keyed, session, both, step, days)
    if keys is None:
        return None
    cells = _cells(rollup, session, both, step, days)
    return Change(
        cells, tuple(sorted(days)), keys, max((us for us in newest if us is not None), default=None)
    )


def _cut(
    rollup: Rollup[C], keyed: Keyed, session: Session, both: Difference, step: Step, days: set[int]
) -> int | None:
    """Cut the large tables to changed rows and whole days; returns how many rows of other days that keeps."""
    home = rollup.tables[0]
    values: dict[str, sa.TableClause] = {}
    for name, column, select in keyed.moved:
        if name not in step.dirty.days and step.after_us == FAR_US:
            continue
        if column not in values:
            values[column] = both.texts(f"moved_{column}")
        both.add(values[column], select(Facts(both.changes(name, step.after_us))))
    if sum(n for d, n in both.rows(home).items() if d in days) > MOST_ROWS:
        return None

    def changed(facts: Facts) -> sa.ColumnElement[bool]:
        tests: list[sa.ColumnElement[bool]] = [
            facts[home].c[c].in_(sa.select(t.c.key).distinct()) for c, t in values.items()
        ]
        if keyed.aging and step.after_us < FAR_US:
            tests.append(keyed.aging(replace(facts, observed_us=step.after_us)))
        return sa.or_(sa.false(), *tests)

    needed = _needed(rollup, keyed, both, step)
    kept = both.cut(home, needed[home], changed, days)
    count: sa.Select[Any] = sa.select(sa.func.count().label("n")).where(kept.c[WORLD] != NEW)
    keys = int(session.columns(count)["n"][0])
    if keys > MOST_ROWS:
        return None
    for name, test in keyed.cuts:
        both.cut(name, needed[name], test)
    return keys


def _needed(rollup: Rollup[C], keyed: Keyed, both: Difference, step: Step) -> Mapping[str, set[str]]:
    """The columns of each table that the rollup's statement or a cut speaks of."""
    facts = Facts(both.tables, step.dims, rows={rollup.tables[0]: {}})
    needed: dict[str, set[str]] = {n: set() for n in rollup.tables}
    needed[rollup.tables[0]] |= {keyed.key, *(c for _, c, _ in keyed.moved)}
    tests = [test for _, test in keyed.cuts] + ([keyed.aging] if keyed.aging else [])
    waiting: list[ClauseElement] = [rollup.select(facts), *(test(facts) for test in tests)]
    met: dict[int, ClauseElement] = {}  # holds what it met, so that no id is given twice
    while waiting:  # subqueries are used many times over, so each is entered once
        element = waiting.pop()
        if id(element) in met:
            continue
        met[id(element)] = element
        waiting += element.get_children()  # type: ignore[arg-type]
        table = getattr(element, "table", None)
        while isinstance(table, sa.Alias):
            table = table.element
        if isinstance(table, sa.Table) and table.name in needed and isinstance(element, sa.ColumnClause):
            needed[table.name].add(element.name)
    return needed


def _cells(
    rollup: Rollup[C], session: Session, both: Difference, step: Step, days: set[int]
) -> tuple[Columns, Columns]:
    """Cells of the kept rows as they are, and as they were on days that are not computed whole."""
    found, home = [], rollup.tables[0]
    for world, observed in ((NEW, step.observed_us), (OLD, step.state.observed_us)):
        both.show(world)
        facts = Facts(both.tables, step.dims, observed_us=observed, rows={home: both.rows(home)})
        cells = session.columns(rollup.select(facts))
        found.append(rollup.derived(cells) if rollup.derived else cells)
    earlier = ~np.isin(found[1]["day"].astype(np.int64), sorted(days))
    return found[0], {name: values[earlier] for name, values in found[1].items()}
