"""The list of cases behind a headline: single rows with persons as ids, for those who may see them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass

from app.measure.finished import span_of
from app.measure.reach import observed_us
from app.runtime import Runtime
from data.sql import Facts, known_at
from metrics.core.metric import Metric, Scope

MOST_CASES = 1_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that starts so


@dataclass(frozen=True)
class CaseList:
    """Rows behind a metric, most urgent first. `more`: there are further rows. `refused`: why there is no list."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: bool = False
    refused: str = ""

    def csv(self) -> str:
        """The list as CSV; cells that a spreadsheet would take for a formula are quoted with an apostrophe."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["'" + c if c.startswith(FORMULA) else c for c in row] for row in self.rows])
        return out.getvalue()


def case_list(runtime: Runtime, metric: Metric[object], scope: Scope, most: int = MOST_CASES) -> CaseList:
    """The first `most` cases of a metric in a scope (where, since, until, as_of, settings; `by` is ignored)."""
    cases = metric.cases
    if cases is None:
        return CaseList(metric.title, refused="this figure has no list of cases")
    if not runtime.settings.person_lists:
        return CaseList(cases.title, refused="lists of persons are switched off (setting person_lists)")
    tables = {n: known_at(t, scope.as_of) for n, t in runtime.warehouse.tables().items()}
    end = observed_us(cases, runtime.warehouse, tables, scope.as_of)
    facts = Facts(tables, (), span_of(scope), scope.where, end)
    statement = cases.select(facts, metric.choice(scope.settings)).limit(most + 1)
    with runtime.warehouse.session(cases.tables) as session:
        columns = session.columns(statement)
    columns = cases.derived(columns) if cases.derived else columns
    names = tuple(columns)
    rows = tuple(zip(*(_texts(n, columns[n]) for n in names), strict=True))
    return CaseList(cases.title, tuple(n.removesuffix("_us") for n in names), rows[:most], len(rows) > most)


def _texts(name: str, values: object) -> tuple[str, ...]:
    return tuple(_text(v, time=name.endswith("_us")) for v in values)  # type: ignore[attr-defined]


def _text(value: object, *, time: bool) -> str:
    if value is None or value != value:  # noqa: PLR0124 (NaN is the one number unlike itself)
        return ""
    if time:
        return dt.datetime.fromtimestamp(int(value) / 1e6, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")  # type: ignore[call-overload]
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
