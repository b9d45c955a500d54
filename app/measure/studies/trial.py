"""A randomised study: rows to arrays, the estimate, its gates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.measure.studies.looks import as_looked_at
from app.measure.studies.spec import Spec, SpecError
from app.measure.studies.table import Table, matching
from metrics.attribution import gates, randomised
from metrics.attribution.arms import Trial, trial_clusters
from metrics.attribution.panel import Bools
from metrics.attribution.result import Answer, Diagnostic
from metrics.core.shapes import Floats, Ints


def answer(spec: Spec, table: Table, seed: int) -> Answer:
    """The answer of a randomised study with all its diagnostics."""
    treated, kept, notes = arms_of(spec, table)
    outcome = table.numbers(spec.outcome)[kept]
    base = table.numbers(spec.denominator)[kept] if spec.denominator else None
    there = np.isfinite(outcome) if base is None else np.isfinite(outcome) & np.isfinite(base)
    rows = kept[there]
    covariates, cautions = _covariates(spec, table, rows)
    trial = Trial(
        outcome[there],
        treated[there],
        covariates,
        interacted=_interacted(spec),
        denominator=None if base is None else base[there],
        stratum=None if spec.stratum is None else table.take(rows).complete(spec.stratum).codes,
        cluster=None if spec.cluster is None else table.take(rows).complete(spec.cluster).codes,
        log=spec.log_outcome,
        seed=seed,
    )
    missing = len(kept) - len(rows)
    if missing:
        notes = (*notes, f"{missing:,} of {len(kept):,} rows have no outcome and are left out")
    whole = randomised.estimate(trial)
    found, looked = as_looked_at(spec, whole)
    checks = (
        *_assignment(spec, table, treated, kept, there),
        *_baseline(spec, table, trial, rows),
        *_inference(trial, whole),
        *looked,
    )
    return replace(found, diagnostics=checks, warnings=(*notes, *cautions))


def _interacted(spec: Spec) -> int:
    """With a pre-period outcome every covariate enters Lin's way; adjust_for alone is additive."""
    if spec.pre_outcome is None:
        return 0
    return len(_named(spec))


def _named(spec: Spec) -> tuple[str, ...]:
    """Columns measured before the study."""
    before = (spec.pre_outcome,) if spec.pre_outcome else ()
    return (*(c for c in spec.adjust_for if c != spec.pre_outcome), *before)


def arms_of(spec: Spec, table: Table) -> tuple[Floats, Ints, tuple[str, ...]]:
    """1 for treated and 0 for control rows, the positions of both, and what was left out."""
    assert spec.arm is not None
    assert spec.treated is not None
    assert spec.control is not None
    arm = table.complete(spec.arm)
    sides = []
    for key, value in (("treated", spec.treated), ("control", spec.control)):
        found = matching(arm.names, value)
        if not found:
            hint = " (a bare yes, no, on or off is a truth value: write it in quotes)"
            raise SpecError(
                f"{key}: no row of column {spec.arm} is {value!r}{hint if isinstance(value, bool) else ''};"
                f" it holds: {', '.join(arm.names[:20])}"
            )
        sides.append(np.isin(arm.codes, found))
    if (sides[0] & sides[1]).any():
        raise SpecError(f"treated and control are both {spec.treated!r}")
    kept = np.flatnonzero(sides[0] | sides[1])
    others = len(table) - len(kept)
    notes = (f"{others:,} rows of other arms are left out",) if others else ()
    return sides[0][kept].astype(float), kept, notes


def _covariates(spec: Spec, table: Table, rows: Ints) -> tuple[Floats, tuple[str, ...]]:
    """Baseline columns (n, k); a missing cell takes the mean of all rows, which keeps the comparison fair."""
    columns, notes = [], []
    for name in _named(spec):
        values = table.numbers(name)[rows]
        gone = ~np.isfinite(values)
        if gone.all():
            raise SpecError(f"column {name} has no value in the rows of the study; leave it out")
        if gone.any():
            values = np.where(gone, values[~gone].mean(), values)
            notes.append(f"{name}: {int(gone.sum()):,} missing cells take the mean of all rows")
        if values.min() == values.max():
            raise SpecError(
                f"column {name} is {values[0]:g} in every row of the study: it adjusts nothing; leave it out"
            )
        if spec.log_adjust:
            if (values <= 0).any():
                raise SpecError(f"log_adjust: {name} has values of 0 or below, which have no logarithm")
            values = np.log(values)
        columns.append(values)
    return np.column_stack(columns) if columns else np.empty((len(rows), 0)), tuple(notes)


def _assignment(
    spec: Spec, table: Table, treated: Floats, kept: Ints, there: Bools
) -> tuple[Diagnostic, ...]:
    """Gates on how units came to their arms."""
    arms = _units_by_arm(spec, table, treated, kept)
    found = [
        gates.coding(confirmed=spec.coding_confirmed, treated=f"{spec.arm} = {spec.treated}"),
        gates.sample_ratio(*arms, spec.expected_split),
        gates.mixed_exposure(_mixed(spec, table, treated, kept), f"{spec.unit} values"),
        *_repeated(spec, table, kept),
        gates.attrition(
            (int((treated[~there] == 1).sum()), int((treated[~there] == 0).sum())),
            (int(treated.sum()), int((1 - treated).sum())),
        ),
    ]
    if spec.stratum is not None:
        strata = table.take(kept).complete(spec.stratum)
        found.append(gates.sample_ratio_by(strata.codes, treated, spec.expected_split))
    return tuple(found)


def _units_by_arm(spec: Spec, table: Table, treated: Floats, kept: Ints) -> tuple[int, int]:
    """Units assigned to each arm: clusters where whole clusters were assigned, else rows."""
    if spec.cluster is not None:
        cluster = table.take(kept).complete(spec.cluster).codes
        rows, there = np.bincount(cluster), np.bincount(cluster, treated)
        if ((there == 0) | (there == rows)).all():
            return int((there > 0).sum()), int((there == 0).sum())
    return int(treated.sum()), int((1 - treated).sum())


def _mixed(spec: Spec, table: Table, treated: Floats, kept: Ints) -> float | None:
    """Share of units with rows in both arms; None where there is no unit column."""
    if spec.unit is None:
        return None
    unit = table.take(kept).complete(spec.unit).codes
    rows, there = np.bincount(unit), np.bincount(unit, treated)
    return float(((there > 0) & (there < rows)).mean())


def _repeated(spec: Spec, table: Table, kept: Ints) -> tuple[Diagnostic, ...]:
    """Whether units have several rows though every row is analysed as a unit; nothing where no unit is named."""
    if spec.unit is None or spec.cluster is not None:
        return ()
    return (gates.repeated_units(len(kept), len(table.take(kept).complete(spec.unit).names), spec.unit),)


def _baseline(spec: Spec, table: Table, trial: Trial, rows: Ints) -> tuple[Diagnostic, ...]:
    """Gates on the arms before the study, and on columns that the plan does not name."""
    values, treated = trial.covariates, trial.treated
    if trial.stratum is not None and len(values.T):
        size = np.bincount(trial.stratum)
        values = np.column_stack(
            [v - (np.bincount(trial.stratum, v) / size)[trial.stratum] for v in values.T]
        )
    if trial.cluster is not None:
        size, there = np.bincount(trial.cluster), np.bincount(trial.cluster, treated)
        if ((there == 0) | (there == size)).all():
            values = _means(values, trial.cluster)
            treated = (there > 0).astype(float)
    named = {
        spec.outcome, spec.denominator, spec.arm, spec.unit, spec.period, spec.stratum, spec.cluster, spec.exposed,
        *_named(spec), *spec.after_treatment,
    }  # fmt: skip
    others = tuple(n for n in table.names if n not in named and table.is_numeric(n))
    gaps = np.array([_gap(table.numbers(n)[rows], trial.treated) for n in others])
    return (
        gates.balance(values, treated, _named(spec)),
        gates.undeclared_differences(gaps, others),
    )


def _means(values: Floats, cluster: Ints) -> Floats:
    size = np.bincount(cluster)
    return np.column_stack([np.bincount(cluster, v) / size for v in values.T]) if len(values.T) else values


def _gap(values: Floats, treated: Floats) -> float:
    known = np.isfinite(values)
    if min(treated[known].sum(), (1 - treated[known]).sum()) < 8:
        return float("nan")
    return float(gates.smd(values[known, None], treated[known])[0])


def _inference(trial: Trial, found: Answer) -> tuple[Diagnostic, ...]:
    checks = [
        gates.swapped(
            randomised.primary_effect(trial),
            randomised.primary_effect(replace(trial, treated=1 - trial.treated)),
        ),
        gates.detectable(found.effect),
        gates.verdicts_agree(found),
    ]
    if trial.cluster is not None:
        checks.insert(0, gates.clusters(*trial_clusters(trial)))
    return tuple(checks)
