"""Interrupted-series studies: rows to one series in the order of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.measure.studies.panels import relogged, values_of
from app.measure.studies.periods import Periods, periods_of
from app.measure.studies.shared import plan_gates
from app.measure.studies.spec import Spec, SpecError
from app.measure.studies.table import Table
from metrics.attribution import gates, interrupted
from metrics.attribution.result import Answer
from metrics.attribution.series import Series
from metrics.core.shapes import Floats, Ints


def answer(spec: Spec, table: Table, seed: int) -> Answer:
    """The answer of an interrupted-series study with all its diagnostics."""
    assert spec.period is not None
    assert spec.treated_from is not None
    _agree(spec)
    periods = periods_of(table, spec.period)
    _one_row_each(spec, table, periods)
    order = np.argsort(periods.codes)
    outcome = values_of(spec, table)[order]
    kept = np.flatnonzero(np.isfinite(outcome))
    place, gaps = periods.index()
    first = int(np.searchsorted(kept, periods.first_from(spec.treated_from, "treated_from")))
    labels = tuple(periods.labels[t] for t in kept)
    controls = [_complete(spec, table, name, order, kept, labels) for name in spec.controls]
    offset = None if spec.offset is None else _complete(spec, table, spec.offset, order, kept, labels)
    if offset is not None and (offset <= 0).any():
        bad = labels[int(np.flatnonzero(offset <= 0)[0])]
        raise SpecError(
            f"offset: column {spec.offset} is 0 or below in period {bad}; an offset is a size at risk"
        )
    series = Series(
        outcome[kept], place[kept], first, labels,
        np.column_stack(controls) if controls else np.empty((len(kept), 0)),
        offset, spec.season_period, spec.harmonics, seed,
    )  # fmt: skip
    found = interrupted.estimate(interrupted.Interrupted(series, spec.family, spec.flow))
    notes = []
    if len(kept) < len(outcome):
        notes.append(f"{len(outcome) - len(kept)} periods have no outcome and are left out")
    if gaps > 0:
        notes.append(f"{gaps:.1%} of the periods between the first and the last are not in the file")
    checks = (
        gates.coding(confirmed=spec.coding_confirmed, treated=f"from {labels[first]} on"),
        *found.diagnostics,
        gates.detectable(found.effect),
        *plan_gates(spec, periods),
    )
    return relogged(spec, replace(found, diagnostics=checks, warnings=tuple(notes)))


def _agree(spec: Spec) -> None:
    """Keys that contradict each other."""
    if spec.log_outcome and spec.family != "gaussian":
        raise SpecError(f"log_outcome: family {spec.family} is on the log scale already; leave it out")
    if spec.harmonics and spec.season_period is None:
        raise SpecError("harmonics: give season_period too, the number of periods in a season")
    if spec.season_period is not None and 2 * spec.harmonics > spec.season_period:
        raise SpecError(
            f"harmonics: {spec.harmonics}; a season of {spec.season_period:g} periods has at most"
            f" {int(spec.season_period // 2)}"
        )
    if spec.offset is not None and spec.family == "gaussian":
        raise SpecError("offset: only the Poisson families use it; for a rate give numerator and denominator")


def _one_row_each(spec: Spec, table: Table, periods: Periods) -> None:
    rows = np.bincount(periods.codes)
    if rows.max() > 1:
        twice = int(rows.argmax())
        row = int(np.flatnonzero(periods.codes == twice)[1])
        raise SpecError(
            f"{table.where(row)}: {spec.period} {periods.labels[twice]} has a second row; one series has one row a period"
        )


def _complete(
    spec: Spec, table: Table, name: str, order: Ints, kept: Ints, labels: tuple[str, ...]
) -> Floats:
    """A column without holes in the periods that are used."""
    values = table.numbers(name)[order][kept]
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise SpecError(
            f"{table.name}, column {name}: no value in {spec.period} {labels[int(bad[0])]}; fill it or leave the column out"
        )
    return values
