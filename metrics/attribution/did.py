"""Difference-in-differences with one adoption date: the effect, its path, and the tests of what it assumes.

Each unit becomes one number, its mean after less its mean before, both less the comparison units' period means;
with every cell present that is the two-way estimator, and standard errors are those of independent units (or
clusters), so that serial correlation cannot make them too small (Bertrand, Duflo and Mullainathan 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.attribution import gates, linear
from metrics.attribution.bootstrap import assignment_p, wild_cluster_p
from metrics.attribution.panel import Panel, two_way
from metrics.attribution.result import (
    Alternative,
    Answer,
    Diagnostic,
    Effect,
    PathPoint,
    StudyError,
    by_t,
    share_of,
)
from metrics.attribution.trends import baseline_length, pre_trend, sensitivity
from metrics.core.shapes import Floats, Ints

FEW, MANY = 6, 20


@dataclass(frozen=True)
class Early:
    """Coefficients of the periods before the reference with their standard errors (K, 2), and each cluster's part (K, G)."""

    found: Floats
    scores: tuple[Floats, ...]


@dataclass(frozen=True)
class Adoption:
    """A panel of which some units are treated from period `first` on; `treated` (N,) is 0 or 1."""

    panel: Panel
    treated: Floats
    first: int
    anticipation: int = 0

    @property
    def reference(self) -> int:
        """The last period before the treatment could be felt."""
        return self.first - self.anticipation - 1


def estimate(study: Adoption) -> Answer:
    """Average effect on the treated after adoption. StudyError where a side or a time is empty."""
    panel, treated = study.panel, study.treated
    _require(study)
    level = _less_controls(study)
    change = _mean(level[:, study.first :]) - _mean(level[:, : study.reference + 1])
    used = np.flatnonzero(np.isfinite(change))
    fit = _fit(study, change, used)
    groups = _codes(panel.groups[used])
    counts = _counts(groups, treated[used])
    effect = _effect(study, fit, groups, counts)
    path, early = _event_study(study, level, fit if len(used) == panel.units else None, counts)
    after = panel.outcome[np.ix_(treated == 1, np.arange(study.first, panel.periods))]
    observed, there = float(np.nansum(after)), int(np.isfinite(after).sum())
    left = panel.units - len(used)
    notes = (f"{left:,} units have no cell before or none after adoption and are left out",) if left else ()
    return Answer(
        effect,
        "average effect on treated units after adoption, per unit and period",
        int(np.isfinite(panel.outcome).sum()),
        int(treated[used].sum()),
        int((1 - treated[used]).sum()),
        cells=float(there),
        relative=None if effect.estimate is None else share_of(effect, observed / there - effect.estimate),
        path=path,
        alternatives=_others(study, fit, groups, counts, change[used], used),
        diagnostics=(gates.clusters(*counts), *_before_gates(study, effect, early, counts[0])),
        warnings=notes,
        treated_total=observed,
    )


def main_effect(study: Adoption) -> Effect:
    """The effect alone, without its path and tests."""
    _require(study)
    level = _less_controls(study)
    change = _mean(level[:, study.first :]) - _mean(level[:, : study.reference + 1])
    used = np.flatnonzero(np.isfinite(change))
    groups = _codes(study.panel.groups[used])
    return _effect(study, _fit(study, change, used), groups, _counts(groups, study.treated[used]))


def exchanged(study: Adoption) -> tuple[Effect, Effect]:
    """The effect and that of exchanged groups, on units without missing cells; no estimate where a group has none."""
    whole = np.flatnonzero(np.isfinite(study.panel.outcome).all(axis=1))
    treated = study.treated[whole]
    if not 0 < treated.sum() < len(whole):
        return Effect(None, reason="no unit of a group has every cell"), Effect(None)
    held = study.panel
    panel = Panel(
        held.outcome[whole], held.at, held.labels, held.covariates[whole],
        None if held.cluster is None else _codes(held.cluster[whole]),
        None if held.weight is None else held.weight[whole], held.seed,
    )  # fmt: skip
    sides = (Adoption(panel, side, study.first, study.anticipation) for side in (treated, 1 - treated))
    first, second = (main_effect(s) for s in sides)
    return first, second


def _require(study: Adoption) -> None:
    if not 0 < study.treated.sum() < len(study.treated):
        raise StudyError(
            "there must be treated and untreated units; check the column that says which are treated"
        )
    if study.reference < 0:
        raise StudyError(
            f"no period lies before the treatment (first treated period {study.first + 1} of the file)"
        )
    if study.first >= study.panel.periods:
        raise StudyError("no period lies after the treatment began")


def _mean(cells: Floats) -> Floats:
    """Row means over known cells; NaN for a row without one."""
    known = np.isfinite(cells)
    count = known.sum(axis=1)
    total = np.where(known, cells, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _less_controls(study: Adoption) -> Floats:
    """Outcomes less the comparison units' mean of the period."""
    weight = np.ones(study.panel.units) if study.panel.weight is None else study.panel.weight
    controls = study.panel.outcome[study.treated == 0]
    known = np.isfinite(controls) * weight[study.treated == 0][:, None]
    total = known.sum(axis=0)
    if (total <= 0).any():
        period = study.panel.labels[int(np.flatnonzero(total <= 0)[0])]
        raise StudyError(f"no untreated unit has an outcome in period {period}; leave that period out")
    means = (np.where(known > 0, controls, 0.0) * known).sum(axis=0) / total
    level: Floats = study.panel.outcome - means
    return level


def _codes(groups: Ints) -> Ints:
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _counts(groups: Ints, treated: Floats) -> tuple[int, int, int]:
    size, there = np.bincount(groups), np.bincount(groups, treated)
    return len(size), int((there > 0).sum()), int((there < size).sum())


def _fit(study: Adoption, change: Floats, used: Ints) -> linear.Fit:
    weight = np.ones(len(used)) if study.panel.weight is None else study.panel.weight[used]
    if not 0 < study.treated[used].sum() < len(used):
        raise StudyError("no treated (or no untreated) unit has cells both before and after adoption")
    covariates = study.panel.covariates[used]
    centred = covariates - covariates.mean(axis=0)
    design = np.column_stack([np.ones(len(used)), study.treated[used], centred])
    root = np.sqrt(weight)
    return linear.least_squares(design * root[:, None], change[used] * root)


def _enough(counts: tuple[int, int, int]) -> bool:
    return counts[0] >= FEW and min(counts[1:]) >= 2


def _error(study: Adoption, fit: linear.Fit, groups: Ints) -> tuple[float, float]:
    own = study.panel.cluster is None
    return linear.cr2(fit, linear.one(1, fit.design.shape[1]), None if own else groups)


def _effect(study: Adoption, fit: linear.Fit, groups: Ints, counts: tuple[int, int, int]) -> Effect:
    value = float(fit.coefficients[1])
    method = "difference-in-differences, CR2 by cluster, Bell-McCaffrey t"
    if not _enough(counts):
        reason = (
            f"{counts[0]} clusters, {counts[1]} of them treated: no standard error by cluster can be trusted"
        )
        return Effect(value, method="difference-in-differences", reason=reason)
    se, df = _error(study, fit, groups)
    return by_t(value, se, df, method, study.panel.largest)


def _event_study(
    study: Adoption, level: Floats, whole: linear.Fit | None, counts: tuple[int, int, int]
) -> tuple[tuple[PathPoint, ...], Early]:
    """The effect in each period against the last one before, and what the periods before that one show.

    `whole` is a fit on all units, whose design serves every period in which none is missing.
    """
    root = 1.0 if study.panel.weight is None else np.sqrt(study.panel.weight)
    points, before, scores = [], [], []
    for t in range(study.panel.periods):
        if t == study.reference:
            points.append(PathPoint(float(t - study.first), 0.0, None, None, study.panel.labels[t]))
            continue
        change = level[:, t] - level[:, study.reference]
        used = np.flatnonzero(np.isfinite(change))
        if min(study.treated[used].sum(), (1 - study.treated[used]).sum()) < 1:
            continue
        same = whole is not None and len(used) == study.panel.units
        try:
            fit = whole.of(change * root) if whole is not None and same else _fit(study, change, used)
        except StudyError:
            continue  # a period whose few units do not allow the adjustment has no point
        value = float(fit.coefficients[1])
        groups = study.panel.groups if same else _codes(study.panel.groups[used])
        there = counts if same else _counts(groups, study.treated[used])
        effect = _effect(study, fit, groups, there)
        points.append(
            PathPoint(float(t - study.first), value, effect.low, effect.high, study.panel.labels[t])
        )
        if t < study.reference and effect.se is not None:
            before.append((value, effect.se))
            scores.append(_scores(study, fit, used))
    return tuple(points), Early(np.array(before), tuple(scores))


def _scores(study: Adoption, fit: linear.Fit, used: Ints) -> Floats:
    """Each cluster's part in the coefficient's error."""
    each = np.zeros(study.panel.units)
    each[used] = (fit.design @ fit.bread[1]) * fit.residuals
    return np.bincount(study.panel.groups, each).astype(float)


def _before_gates(study: Adoption, effect: Effect, early: Early, groups: int) -> tuple[Diagnostic, ...]:
    length = study.reference + 1
    horizon = (study.panel.periods - study.first + 1) / 2
    return (
        baseline_length(length),
        *pre_trend(early.found, list(early.scores), groups, length),
        sensitivity(effect, *_steps(early, groups), horizon),
    )


def _steps(early: Early, groups: int) -> tuple[Floats, Floats]:
    """Changes from each coefficient before to the next, the reference's 0 last, and the sampling variance of each.

    The variance is that of the change itself: coefficients far from the reference vary more than their changes do where
    errors last, and a drift would hide behind theirs.
    """
    if not len(early.found):
        return np.empty(0), np.empty(0)
    changes = np.diff(np.column_stack([*early.scores, np.zeros_like(early.scores[0])]), axis=1)
    noise: Floats = (changes**2).sum(axis=0) * groups / (groups - 1)
    return np.diff([*early.found[:, 0], 0.0]), noise


def _others(
    study: Adoption, fit: linear.Fit, groups: Ints, counts: tuple[int, int, int], change: Floats, used: Ints
) -> tuple[Alternative, ...]:
    """All cells by two-way effects, tests for few clusters, and the naive before-and-after."""
    panel, treated = study.panel, study.treated
    value = float(fit.coefficients[1])
    cells = cell_means(study)
    found = [
        Effect(
            cells[3] - cells[2] - cells[1] + cells[0],
            method="cell means, all cells",
            reason="no unit is matched",
        ),
        Effect(cells[3] - cells[2], method="before and after, treated only (nothing else is ruled out)"),
    ]
    if _enough(counts):
        on = np.outer(treated, np.arange(panel.periods) >= study.first)
        beta, se = two_way(panel, on)
        if np.isfinite(se) and se > 0:
            name = "two-way fixed effects, all cells, CR1 by cluster"
            found.append(by_t(beta, se, counts[0] - 1, name, panel.largest))
        if counts[0] <= MANY:
            p = wild_cluster_p(fit, 1, groups, panel.seed)
            found.append(Effect(value, p_value=p, method="wild cluster bootstrap-t", reason="a test only"))
    size, there = np.bincount(groups).astype(float), np.bincount(groups, treated[used])
    if ((there == 0) | (there == size)).all() and counts[0] <= 200:
        sums = np.bincount(groups, change).astype(float)
        p = assignment_p(sums, size, np.flatnonzero(there > 0), panel.seed)
        found.append(Effect(value, p_value=p, method="randomisation by cluster", reason="a test only"))
    return tuple(Alternative.of(e) for e in found)


def cell_means(study: Adoption) -> tuple[float, float, float, float]:
    """Means over all known cells: untreated before and after, treated before and after."""
    after = np.arange(study.panel.periods) >= study.first
    means = [
        float(np.nanmean(study.panel.outcome[np.ix_(study.treated == side, after == late)]))
        for side in (0, 1)
        for late in (False, True)
    ]
    return means[0], means[1], means[2], means[3]
