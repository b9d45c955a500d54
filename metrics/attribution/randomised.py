"""Randomised studies: the difference between arms as assigned, plain, adjusted, stratified, clustered, or of ratios.

`adjust_for` enters additively (ANCOVA); a `pre_outcome` enters with its interaction with the arm, centred, which
is Lin's estimator (2013, doi:10.1214/12-AOAS583) and CUPED. Standard errors are HC2 or CR2 with Bell-McCaffrey
degrees of freedom; without covariates that is Welch's test.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from metrics.attribution import linear
from metrics.attribution.arms import Trial, cluster_robust, design, estimand, method_of, scale, trial_clusters
from metrics.attribution.bootstrap import assignment_p, wild_cluster_p
from metrics.attribution.result import (
    Alternative,
    Answer,
    Effect,
    Share,
    StudyError,
    by_t,
    exponentiated,
    largest,
)
from metrics.core.shapes import Floats

MANY_CLUSTERS = 20
MOST_DRAWN = 200  # clusters beyond which randomising them again tells nothing that the interval does not


def estimate(trial: Trial) -> Answer:
    """The effect of assignment on the outcome, with the same question asked in other ways beside it."""
    n_treated = int(trial.treated.sum())
    n_control = len(trial.treated) - n_treated
    for name, count in (("treated", n_treated), ("control", n_control)):
        if count < 2:
            raise StudyError(f"the {name} arm has {count} rows with an outcome: two or more are needed")
    outcome = scale(trial)
    fit = _fit(trial, outcome)
    primary, relative = _primary(trial, outcome, fit)
    shown = exponentiated(primary) if trial.log else primary
    others = tuple(Alternative.of(exponentiated(e) if trial.log else e) for e in _others(trial, outcome, fit))
    control = trial.treated == 0
    return Answer(
        shown,
        estimand(trial),
        len(outcome),
        n_treated,
        n_control,
        cells=float(n_treated),
        relative=Share(shown.estimate, shown.low, shown.high)
        if trial.log and shown.estimate is not None
        else relative,
        alternatives=others,
        treated_total=float(trial.outcome[~control].sum()),
        multiplicative=trial.log,
    )


def primary_effect(trial: Trial) -> Effect:
    """The primary effect alone, on the scale of the analysis."""
    outcome = scale(trial)
    return _primary(trial, outcome, _fit(trial, outcome))[0]


def _fit(trial: Trial, outcome: Floats) -> linear.Fit:
    """Least squares on the trial's columns; of strata alone there may be thousands, and no column is needed for them."""
    columns = design(replace(trial, stratum=None) if _by_stratum(trial) else trial)
    if len(columns) <= columns.shape[1]:
        raise StudyError(
            f"{columns.shape[1]} coefficients for {len(columns)} rows: name fewer columns to adjust for, or fewer strata"
        )
    return linear.least_squares(columns, outcome)


def _by_stratum(trial: Trial) -> bool:
    return trial.stratum is not None and trial.cluster is None and not trial.covariates.shape[1]


def _primary(trial: Trial, outcome: Floats, fit: linear.Fit) -> tuple[Effect, Share | None]:
    if _by_stratum(trial):
        return _stratified(trial, outcome), None
    name = method_of(trial)
    if not cluster_robust(trial):
        groups, treated, _ = trial_clusters(trial)
        reason = f"{groups} clusters, {treated} of them treated: no standard error by cluster can be trusted"
        return Effect(float(fit.coefficients[1]), method=name, reason=reason), None
    error = _errors(trial, fit, outcome)
    se, df = error(linear.one(1, fit.design.shape[1]))
    size = largest(outcome)
    return by_t(float(fit.coefficients[1]), se, df, name, size), _relative(trial, fit, error, df, size)


def _errors(trial: Trial, fit: linear.Fit, outcome: Floats) -> Callable[[Floats], tuple[float, float]]:
    """Standard error and degrees of freedom of any contrast: Welch where there is nothing but two arms."""
    if trial.cluster is not None:
        return linear.by_cluster(fit, trial.cluster).error
    if fit.design.shape[1] > 2:
        return lambda contrast: linear.cr2(fit, contrast)
    arms = [outcome[trial.treated == arm] for arm in (1.0, 0.0)]
    known = [(float(rows.var(ddof=1)) / len(rows), len(rows)) for rows in arms]

    def welch(contrast: Floats) -> tuple[float, float]:
        weights = (float(contrast[1]), float(contrast[0] - contrast[1]))  # in terms of the two means
        parts = [(weight**2 * square, n) for weight, (square, n) in zip(weights, known, strict=True)]
        total = parts[0][0] + parts[1][0]
        if total <= 0:
            return 0.0, 1.0
        return math.sqrt(total), total**2 / sum(v**2 / (n - 1) for v, n in parts)

    return welch


def _relative(
    trial: Trial, fit: linear.Fit, error: Callable[[Floats], tuple[float, float]], df: float, size: float
) -> Share | None:
    """The effect over the control level, by the delta method; None where that level is not above 0."""
    base, gap = float(fit.coefficients[0]), float(fit.coefficients[1])
    if trial.log or not base > 0:
        return None
    contrast = np.zeros(fit.design.shape[1])
    contrast[0], contrast[1] = -gap / base**2, 1 / base
    effect = by_t(gap / base, error(contrast)[0], df, "delta method", size / base)  # one df for both scales
    return None if effect.estimate is None else Share(effect.estimate, effect.low, effect.high)


def _stratified(trial: Trial, outcome: Floats) -> Effect:
    """Differences within strata, weighted by the strata's shares of all rows; Satterthwaite's df."""
    stratum = trial.stratum
    assert stratum is not None
    strata = int(stratum.max()) + 1
    weight = np.bincount(stratum, minlength=strata) / len(outcome)
    gap, variance, square = 0.0, 0.0, 0.0
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        rows = trial.treated == arm
        n = np.bincount(stratum[rows], minlength=strata)
        if n.min() < 2:
            raise StudyError(
                "a stratum has fewer than 2 rows in an arm: join small strata, or leave `stratum` out"
            )
        mean = np.bincount(stratum[rows], outcome[rows], strata) / n
        spread = np.bincount(stratum[rows], (outcome[rows] - mean[stratum[rows]]) ** 2, strata)
        part = weight**2 * spread / (n - 1) / n
        gap += sign * float(weight @ mean)
        variance += float(part.sum())
        square += float((part**2 / (n - 1)).sum())
    df = variance**2 / square if square > 0 else 1.0
    name = "stratified difference of means, Satterthwaite t"
    return by_t(gap, math.sqrt(variance), df, name, largest(outcome))


def _others(trial: Trial, outcome: Floats, fit: linear.Fit) -> tuple[Effect, ...]:
    """The same question by other methods, for the reader who asks."""
    none = trial.covariates[:, :0]
    plain = replace(trial, covariates=none, interacted=0, stratum=None, cluster=None)
    raw = fit if fit.design.shape[1] == 2 else _fit(plain, outcome)
    found = [_primary(plain, outcome, raw)[0]] if method_of(plain) != method_of(trial) else []
    pooled, size = linear.classical(raw, linear.one(1, 2)), largest(outcome)
    gap = float(raw.coefficients[1])
    found.append(by_t(gap, pooled, raw.df, "difference of means, pooled variance t", size))
    if trial.covariates.shape[1]:
        found += _adjusted(trial, outcome, fit)
    if trial.cluster is not None:
        found += _clustered(trial, outcome, fit)
    return tuple(found)


def _adjusted(trial: Trial, outcome: Floats, fit: linear.Fit) -> list[Effect]:
    pick = linear.one(1, fit.design.shape[1])
    gap, size = float(fit.coefficients[1]), largest(outcome)
    found = [
        by_t(gap, linear.classical(fit, pick), fit.df, "covariance-adjusted, one variance, t", size),
        by_t(gap, linear.classical(fit, pick), math.inf, "covariance-adjusted, one variance, normal", size),
        by_t(gap, linear.hc3(fit, pick), math.inf, "covariance-adjusted, HC3, normal", size),
    ]
    if not trial.interacted and trial.cluster is None:
        lin = replace(trial, interacted=trial.covariates.shape[1])
        if len(outcome) > 2 * design(lin).shape[1]:
            found.append(_primary(lin, outcome, _fit(lin, outcome))[0])
    return found


def _clustered(trial: Trial, outcome: Floats, fit: linear.Fit) -> list[Effect]:
    """CR1 with a normal interval (what most software prints), wild bootstrap, randomisation by cluster."""
    cluster = trial.cluster
    assert cluster is not None
    gap = float(fit.coefficients[1])
    found = []
    if cluster_robust(trial):
        pick = linear.one(1, fit.design.shape[1])
        se = linear.cr1(fit, pick, cluster)
        name = "CR1 by cluster, normal (too narrow for few clusters)"
        found.append(by_t(gap, se, math.inf, name, largest(outcome)))
        if int(cluster.max()) < MANY_CLUSTERS and found[0].se is not None:
            p = wild_cluster_p(fit, 1, cluster, trial.seed)
            found.append(Effect(gap, p_value=p, method="wild cluster bootstrap-t", reason="a test only"))
    size = np.bincount(cluster).astype(float)
    treated = np.bincount(cluster, trial.treated)
    whole = ((treated == 0) | (treated == size)).all() and 0 < (treated > 0).sum() < len(size)
    if whole and len(size) <= MOST_DRAWN:
        p = assignment_p(
            np.bincount(cluster, outcome).astype(float), size, np.flatnonzero(treated > 0), trial.seed
        )
        found.append(Effect(gap, p_value=p, method="randomisation by cluster", reason="a test only"))
    return found
