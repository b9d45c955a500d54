"""Money of a study: its cost lines, the days on which its value arises, and the return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np

from app.measure.studies.outcome import CostLine
from app.measure.studies.rows_in import read_table
from app.measure.studies.spec import Money, Spec, SpecError
from app.measure.studies.table import Table
from data.engines import Warehouse
from metrics.attribution.result import Answer
from metrics.attribution.roi import Flows, Return, Worth, returns
from metrics.core.shapes import Floats

DATES = ("cost_date", "date", "period", "month")


def valued(
    spec: Spec,
    table: Table,
    answer: Answer,
    seed: int,
    warehouse: Callable[[], Warehouse],
    *,
    counted: bool,
) -> tuple[Return | None, tuple[CostLine, ...], str]:
    """The return of a study, its costs by category, and the hash of its cost lines as a suffix of the data's hash."""
    money = spec.money
    if money is None:
        return None, (), ""
    costs = _cost_table(money, warehouse)
    worth = Worth(
        answer.cells,
        1.0 if spec.direction == "higher_is_better" else -1.0,
        money.unit_value.low,
        money.unit_value.mid,
        money.unit_value.high,
        money.recapture,
        money.discount_rate,
        answer.treated_total if answer.multiplicative else None,
    )
    flows = None if costs is None else _flows(costs)
    found = returns(answer.effect, answer.draws, worth, flows, _gain_days(spec, table), seed, counted=counted)
    return found, () if costs is None else _lines(costs), "" if costs is None else f"+{costs.hash}"


def _lines(costs: Table) -> tuple[CostLine, ...]:
    """Money by category, the largest first; one line where the costs have no categories."""
    amount = costs.numbers("amount")
    if "category" not in costs.names:
        return (CostLine("all costs", float(amount.sum())),)
    held = costs.complete("category")
    total = np.bincount(held.codes, amount, len(held.names))
    lines = (CostLine(name, float(value)) for name, value in zip(held.names, total, strict=True))
    return tuple(sorted(lines, key=lambda line: -line.amount))


def _cost_table(money: Money, warehouse: Callable[[], Warehouse]) -> Table | None:
    if money.costs is None:
        return None
    return read_table(money.costs, warehouse() if money.costs.table else None)


def _flows(costs: Table) -> Flows:
    """Cost lines as money by day; one currency only."""
    if "currency" in costs.names and len(found := costs.complete("currency").names) > 1:
        raise SpecError(f"{costs.name} holds several currencies ({', '.join(found)}); convert them to one")
    amount = costs.numbers("amount")
    bad = np.flatnonzero(~np.isfinite(amount))
    if len(bad):
        raise SpecError(
            f"{costs.where(int(bad[0]))}, column amount: the cell is empty; every cost has an amount"
        )
    dated = next((d for d in DATES if d in costs.names), None)
    return Flows(np.full(len(amount), np.nan) if dated is None else days(costs, dated), amount)


def days(table: Table, name: str) -> Floats:
    """A column of ISO dates as days since 1970."""
    found = table.complete(name)
    known = []
    for text in found.names:
        try:
            known.append(dt.date.fromisoformat(text[:10] if len(text) != 7 else f"{text}-01").toordinal())
        except ValueError as error:
            raise SpecError(f"{table.name}, column {name}: {text!r} is no date; write 2026-01-31") from error
    return np.array(known, dtype=float)[found.codes] - dt.date(1970, 1, 1).toordinal()


def _gain_days(spec: Spec, table: Table) -> Floats | None:
    """Days on which the value arises: the treated periods, where they are dates."""
    if spec.period is None or not isinstance(spec.treated_from, str | dt.date):
        return None
    try:
        at = np.unique(days(table, spec.period))
        start = (
            dt.date.fromisoformat(str(spec.treated_from)[:10]).toordinal() - dt.date(1970, 1, 1).toordinal()
        )
    except (SpecError, ValueError):
        return None  # periods that are numbers have no days: the return says so
    return at[at >= start]
