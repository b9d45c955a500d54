"""What happened to the treated beside what would have happened: the series behind a study's path."""

from __future__ import annotations

import numpy as np

from app.measure.studies.outcome import Observed
from app.measure.studies.panels import values_of, zero_one
from app.measure.studies.periods import periods_of
from app.measure.studies.spec import Spec
from app.measure.studies.table import Table, matching
from metrics.attribution.panel import Bools
from metrics.attribution.result import Answer, PathPoint


def observed(spec: Spec, table: Table, answer: Answer) -> tuple[Observed, ...]:
    """Per period the treated units' mean and that mean less the effect; empty for designs without one treated date."""
    if spec.period is None or spec.design in ("randomised", "staggered"):
        return ()
    effects = {p.label: p for p in answer.path if p.label}
    actual = _treated_means(spec, table)
    return tuple(_point(label, value, effects[label], answer) for label, value in actual if label in effects)


def _treated_means(spec: Spec, table: Table) -> list[tuple[str, float]]:
    """(period, mean outcome of the treated) in the order of time; periods without an outcome are left out."""
    assert spec.period is not None
    periods = periods_of(table, spec.period)
    plain = values_of(spec, table)
    values = np.exp(plain) if spec.log_outcome else plain
    used = np.isfinite(values) & _treated(spec, table)
    size = len(periods.labels)
    count = np.bincount(periods.codes[used], minlength=size)
    total = np.bincount(periods.codes[used], values[used], size)
    return [(periods.labels[t], float(total[t] / count[t])) for t in range(size) if count[t]]


def _treated(spec: Spec, table: Table) -> Bools:
    """Rows of the treated units; every row of a single series."""
    if spec.design == "did" and spec.treated_unit is not None:
        return np.asarray(zero_one(table, spec.treated_unit) == 1)
    if spec.design == "synthetic_control" and spec.unit is not None:
        units = table.complete(spec.unit)
        found = [i for value in spec.treated_units for i in matching(units.names, value)]
        return np.isin(units.codes, found)
    return np.ones(len(table), dtype=bool)


def _point(label: str, actual: float, effect: PathPoint, answer: Answer) -> Observed:
    """The counterfactual's band is the effect's, turned over: a larger effect means that less would have been."""
    ends = (effect.estimate, effect.high, effect.low)
    without = [None if e is None else _without(actual, e, relative=answer.multiplicative) for e in ends]
    return Observed(label, actual, without[0], without[1], without[2], effect.at >= 0)


def _without(actual: float, effect: float, *, relative: bool) -> float | None:
    if not relative:
        return actual - effect
    return actual / (1 + effect) if effect > -1 else None
