"""Panel studies: rows to a table of units by periods; difference-in-differences and staggered adoption."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.measure.studies.periods import Periods, periods_of
from app.measure.studies.shared import logged, plan_gates
from app.measure.studies.spec import Spec, SpecError
from app.measure.studies.table import Levels, Table
from metrics.attribution import cross_section, did, gates, rollout
from metrics.attribution.panel import Panel
from metrics.attribution.result import Answer, Diagnostic
from metrics.attribution.staggered import Rollout
from metrics.core.shapes import Floats, Ints


@dataclass(frozen=True)
class Cube:
    """A panel with the words that its positions stand for, and each row's unit and period."""

    panel: Panel
    units: Levels
    periods: Periods


def cube_of(spec: Spec, table: Table, seed: int) -> Cube:
    """Units by periods. A unit with two rows for a period is refused: which one counts is not for us to say."""
    assert spec.unit is not None
    assert spec.period is not None
    units, periods = table.complete(spec.unit), periods_of(table, spec.period)
    n, t = len(units.names), len(periods.at)
    spot = units.codes * t + periods.codes
    order = np.argsort(spot, kind="stable")
    twice = np.flatnonzero(np.diff(spot[order]) == 0)
    if len(twice):
        row = int(order[twice[0] + 1])
        raise SpecError(
            f"{table.where(row)}: {spec.unit} {units.names[units.codes[row]]} has a second row for {spec.period} "
            f"{periods.labels[periods.codes[row]]}; keep one row for each unit and period"
        )
    outcome = np.full(n * t, np.nan)
    outcome[spot] = values_of(spec, table)
    cluster = None
    if spec.cluster is not None and spec.cluster != spec.unit:
        cluster = _constant(table, units, spec.cluster)
    weight = None if spec.weight is None else _weights(spec.weight, table, units)
    covariates = np.column_stack(
        [_before(spec, table, units, periods, c) for c in spec.covariates] or [np.empty((n, 0))]
    )
    panel = Panel(outcome.reshape(n, t), periods.at, periods.labels, covariates, cluster, weight, seed)
    return Cube(panel, units, periods)


def values_of(spec: Spec, table: Table) -> Floats:
    """The outcome of every row: a column, or one column over another; its logarithm where the plan says so."""
    values = table.numbers(spec.outcome)
    if spec.denominator is not None:
        base = table.numbers(spec.denominator)
        bad = np.flatnonzero(base <= 0)
        if len(bad):
            raise SpecError(
                f"{table.where(int(bad[0]))}, column {spec.denominator}: {base[bad[0]]:g}; a denominator is above 0"
            )
        values = values / base
    return logged(values, table, spec) if spec.log_outcome else values


def _constant(table: Table, units: Levels, name: str) -> Ints:
    """A column that says the same in every row of a unit, as codes (N,)."""
    held = table.complete(name)
    first = np.zeros(len(units.names), dtype=np.int64)
    first[units.codes[::-1]] = held.codes[::-1]
    bad = np.flatnonzero(first[units.codes] != held.codes)
    if len(bad):
        row = int(bad[0])
        raise SpecError(
            f"{table.where(row)}, column {name}: {held.names[held.codes[row]]} where the same unit "
            f"{units.names[units.codes[row]]} has {held.names[first[units.codes[row]]]} elsewhere; "
            "it must not change within a unit"
        )
    return first


def _unit_means(values: Floats, units: Levels) -> Floats:
    known = np.isfinite(values)
    count = np.bincount(units.codes[known], minlength=len(units.names))
    total = np.bincount(units.codes[known], values[known], len(units.names))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _weights(name: str, table: Table, units: Levels) -> Floats:
    values = table.numbers(name)
    bad = np.flatnonzero(~(values > 0))
    if len(bad):
        raise SpecError(f"{table.where(int(bad[0]))}, column {name}: a weight is a number above 0")
    return _unit_means(values, units)


def _before(spec: Spec, table: Table, units: Levels, periods: Periods, name: str) -> Floats:
    """A covariate's mean over a unit's rows before treatment; later values may themselves be effects."""
    values = table.numbers(name)
    if spec.treated_from is not None:
        early = periods.codes < periods.first_from(spec.treated_from, "treated_from")
    elif spec.post is not None:
        early = zero_one(table, spec.post) == 0
    else:
        early = np.ones(len(values), dtype=bool)
    found = _unit_means(np.where(early, values, np.nan), units)
    known = np.isfinite(found)
    if not known.any():
        raise SpecError(f"column {name} has no value before treatment; leave it out of covariates")
    found = np.where(known, found, found[known].mean())
    if found.min() == found.max():
        raise SpecError(
            f"column {name} is {found[0]:g} before treatment for every unit: it adjusts nothing; leave it out of covariates"
        )
    return found


def two_groups(spec: Spec, table: Table, seed: int) -> Answer:
    """A difference-in-differences study with all its diagnostics."""
    assert spec.treated_unit is not None
    treated = zero_one(table, spec.treated_unit)
    if _no_panel(spec, table, treated):
        return _cross_section(spec, table, treated)
    cube = cube_of(spec, table, seed)
    constant = _constant_flag(table, cube.units, treated, spec.treated_unit)
    study = did.Adoption(cube.panel, constant, _first(spec, table, cube.periods), spec.anticipation)
    found = did.estimate(study)
    coding = gates.coding(confirmed=spec.coding_confirmed, treated=f"{spec.treated_unit} = 1")
    checks = (
        coding,
        gates.swapped(*did.exchanged(study)),
        *found.diagnostics,
        gates.detectable(found.effect),
        *plan_gates(spec, cube.periods),
        _exposed(spec, table, constant[cube.units.codes]),
    )
    return relogged(spec, replace(found, diagnostics=checks))


def _no_panel(spec: Spec, table: Table, treated: Floats) -> bool:
    """Whether units are in both groups and have several rows a period: then their ids follow nobody."""
    assert spec.unit is not None
    assert spec.period is not None
    unit, period = table.complete(spec.unit), table.complete(spec.period)
    size, there = np.bincount(unit.codes), np.bincount(unit.codes, treated)
    spots = np.unique(unit.codes * len(period.names) + period.codes)
    return bool(((there > 0) & (there < size)).any() and len(spots) < len(treated))


def _cross_section(spec: Spec, table: Table, treated: Floats) -> Answer:
    assert spec.unit is not None
    assert spec.period is not None
    periods = periods_of(table, spec.period)
    first = _first(spec, table, periods)
    outcome = values_of(spec, table)
    known = np.isfinite(outcome)
    cluster = np.unique(table.complete(spec.cluster or spec.unit).codes[known], return_inverse=True)[1]
    rows = cross_section.Rows(
        outcome[known], treated[known], periods.codes[known], cluster.astype(np.int64), first, periods.labels
    )
    found = cross_section.estimate(rows)
    checks = (
        gates.coding(confirmed=spec.coding_confirmed, treated=f"{spec.treated_unit} = 1"),
        *found.diagnostics,
        gates.detectable(found.effect),
        *plan_gates(spec, periods),
    )
    return relogged(spec, replace(found, diagnostics=checks))


def zero_one(table: Table, name: str) -> Floats:
    """A column of 0 and 1 (or false and true); anything else is named."""
    held = table.complete(name)
    value = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0}
    for i, text in enumerate(held.names):
        if text.lower() not in value:
            row = int(np.flatnonzero(held.codes == i)[0])
            raise SpecError(f"{table.where(row)}, column {name}: {text!r}; write 1 for yes and 0 for no")
    return np.array([value[n.lower()] for n in held.names])[held.codes]


def _constant_flag(table: Table, units: Levels, flag: Floats, name: str) -> Floats:
    _constant(table, units, name)
    found = np.zeros(len(units.names))
    found[units.codes] = flag
    return found


def _first(spec: Spec, table: Table, periods: Periods) -> int:
    """Position of the first treated period; a `post` column must switch once, at one time for all."""
    if spec.treated_from is not None:
        return periods.first_from(spec.treated_from, "treated_from")
    assert spec.post is not None
    post = zero_one(table, spec.post)
    late = np.bincount(periods.codes, post) / np.bincount(periods.codes)
    mixed = np.flatnonzero((late > 0) & (late < 1))
    if len(mixed) or (np.diff(late) < 0).any():
        label = periods.labels[int(mixed[0])] if len(mixed) else periods.labels[-1]
        raise SpecError(
            f"column {spec.post}: period {label} is both before and after treatment; give each period one value, "
            "or use design staggered where units start at different times"
        )
    if late[0] == 1 or late[-1] == 0:
        raise SpecError(f"column {spec.post}: there must be periods with 0 and periods with 1")
    return int(np.flatnonzero(late == 1)[0])


def _exposed(spec: Spec, table: Table, treated: Floats) -> Diagnostic:
    """Gate 21: the share of comparison rows that met the treatment."""
    if spec.exposed is None:
        return gates.unknown("spill_over", "no column says who met the treatment", "name it as `exposed`")
    others = zero_one(table, spec.exposed)[treated == 0]
    return gates.spill_over(float(others.mean()) if len(others) else None)


def staggered(spec: Spec, table: Table, seed: int) -> Answer:
    """A staggered-adoption study with all its diagnostics."""
    assert spec.cohort is not None
    cube = cube_of(spec, table, seed)
    start, notes = _starts(spec, table, cube)
    kept = np.flatnonzero(start > spec.anticipation)
    always = cube.panel.units - len(kept)
    if always:
        notes = (
            *notes,
            f"{always:,} units are treated from the first period on and have no baseline: left out",
        )
    cluster = (
        None if cube.panel.cluster is None else np.unique(cube.panel.cluster[kept], return_inverse=True)[1]
    )
    panel = replace(
        cube.panel, outcome=cube.panel.outcome[kept], covariates=cube.panel.covariates[kept], cluster=cluster
    )
    study = Rollout(panel, start[kept], spec.control_group == "not_yet_treated", spec.anticipation)
    found = rollout.estimate(study, spec.aggregation)
    checks = (
        gates.coding(confirmed=spec.coding_confirmed, treated=f"from period {spec.cohort} on"),
        *found.diagnostics,
        gates.detectable(found.effect),
        *plan_gates(spec, cube.periods),
        gates.unknown("spill_over", "no column says who met the treatment", "name it as `exposed`")
        if spec.exposed is None
        else _exposed(spec, table, (start < panel.periods).astype(float)[cube.units.codes]),
    )
    return relogged(spec, replace(found, diagnostics=checks, warnings=(*found.warnings, *notes)))


def _starts(spec: Spec, table: Table, cube: Cube) -> tuple[Ints, tuple[str, ...]]:
    """Position at which each unit starts; T for never, which a file writes as 0 or an empty cell."""
    assert spec.cohort is not None
    held = table.levels(spec.cohort)
    codes = held.codes + 1  # 0 is an empty cell
    first = np.zeros(len(cube.units.names), dtype=np.int64)
    first[cube.units.codes[::-1]] = codes[::-1]
    bad = np.flatnonzero(first[cube.units.codes] != codes)
    if len(bad):
        row = int(bad[0])
        unit = cube.units.names[cube.units.codes[row]]
        raise SpecError(
            f"{table.where(row)}, column {spec.cohort}: unit {unit} has two different first periods"
        )
    periods, late = cube.periods, 0
    starts = [len(periods.at)]
    for name in held.names:
        never = name in ("", "NA", "0")
        place = np.inf if never else periods.place(name, f"column {spec.cohort}")
        position = int(np.searchsorted(periods.at, place))
        late += not never and position == len(periods.at)
        starts.append(position)
    notes = (f"{late} cohorts start after the last period and serve as never treated",) if late else ()
    return np.array(starts, dtype=np.int64)[first], notes


def relogged(spec: Spec, answer: Answer) -> Answer:
    """An answer on the log scale as a relative one."""
    return answer.exponentiated() if spec.log_outcome else answer
