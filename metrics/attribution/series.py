"""One interrupted series: segmented regression with first-order errors, and (quasi-)Poisson with an offset.

Gaussian: generalised least squares, AR(1) by restricted likelihood, which is less biased than Cochrane-Orcutt in
short series. Counts: the model of Lopez Bernal et al. (2017, doi:10.1093/ije/dyw098), step and trend, harmonics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import chdtrc

from metrics.attribution.linear import FAR_FROM_ZERO, least_squares
from metrics.attribution.result import Effect, StudyError, by_t, exponentiated, largest
from metrics.core.shapes import Floats

ROUNDS, SETTLED = 100, 1e-10
LARGEST_RHO = 0.98


@dataclass(frozen=True)
class Series:
    """One series: outcome (n,), place in whole steps (n,), first treated position; controls (n, k), offset (n,)."""

    outcome: Floats
    place: Floats
    first: int
    labels: tuple[str, ...]
    controls: Floats
    offset: Floats | None = None
    season: float | None = None
    harmonics: int = 0
    seed: int = 0

    @property
    def step(self) -> Floats:
        return (np.arange(len(self.outcome)) >= self.first).astype(float)

    def baseline(self) -> Series:
        """The periods before treatment alone."""
        cut = slice(0, self.first)
        return Series(
            self.outcome[cut], self.place[cut], self.first, self.labels[cut], self.controls[cut],
            None if self.offset is None else self.offset[cut], self.season, self.harmonics, self.seed,
        )  # fmt: skip

    def pretend(self, first: int) -> Series:
        """The same periods with another date of treatment."""
        return Series(
            self.outcome, self.place, first, self.labels, self.controls, self.offset, self.season, self.harmonics, self.seed
        )  # fmt: skip


@dataclass(frozen=True)
class Segments:
    """A fitted segmented model: effect, fitted counterfactual (n,), its standard errors (n,), residuals (n,)."""

    effect: Effect
    expected: Floats
    error: Floats
    residuals: Floats


def background(series: Series) -> Floats:
    """Regressors of the series without treatment: 1, trend, harmonics, controls."""
    scale = max(float(series.place.max()), 1.0)
    columns = [np.ones(len(series.place)), series.place / scale]
    for k in range(1, series.harmonics + 1):
        if series.season is None:
            raise StudyError("harmonics need season_period, the number of periods in a season")
        turn = 2 * math.pi * k * series.place / series.season
        columns.append(np.sin(turn))
        if (
            2 * k != series.season
        ):  # the cosine alone remains of the fastest harmonic, the sine is 0 everywhere
            columns.append(np.cos(turn))
        else:
            columns[-1] = np.cos(turn)
    return np.column_stack([*columns, *series.controls.T])


def poisson(series: Series, *, quasi: bool, slope: bool = False) -> Segments:
    """Log-linear model of counts with step, trend and offset; `quasi`: spread as observed, not as Poisson's."""
    if (series.outcome < 0).any():
        raise StudyError("a count below 0: the Poisson families are for counts")
    for when, part in (("before", series.outcome[: series.first]), ("after", series.outcome[series.first :])):
        if not part.any():
            raise StudyError(f"every count {when} the treatment is 0: a ratio of rates has no interval then")
    back = background(series)
    design = _with_step(series, back, slope=slope)
    offset = np.zeros(len(design)) if series.offset is None else np.log(series.offset)
    if len(design) <= design.shape[1]:
        raise StudyError(
            f"{design.shape[1]} coefficients for {len(design)} periods: use fewer harmonics or controls"
        )
    beta, mean, cross = _irls(design, series.outcome, offset)
    pearson = (series.outcome - mean) / np.sqrt(mean)
    df = len(design) - design.shape[1]
    spread = (_spread(pearson, mean) / df) if quasi else 1.0
    cov = cross * spread
    name = f"{'quasi-' if quasi else ''}Poisson, step{' and slope' if slope else ''}, trend, {series.harmonics} harmonics"
    size = largest(np.log(mean))
    effect = exponentiated(by_t(float(beta[1]), math.sqrt(cov[1, 1]), math.inf, name, size))
    without = np.column_stack([back[:, :1], np.zeros((len(back), 2 if slope else 1)), back[:, 1:]])
    linear = without @ beta
    expected = np.exp(linear + offset)
    error = np.sqrt(np.einsum("ij,jk,ik->i", without, cov, without) + spread / expected)
    return Segments(effect, expected, error, pearson)


def _spread(pearson: Floats, mean: Floats) -> float:
    """Sum of squared Pearson residuals; 0 where they are only what the iteration left over."""
    left = np.abs(pearson) > SETTLED * np.sqrt(mean)
    return float(pearson @ pearson) if left.any() else 0.0


def _with_step(series: Series, back: Floats, *, slope: bool) -> Floats:
    since = np.maximum(series.place - series.place[series.first], 0) / max(float(series.place.max()), 1.0)
    extra = [series.step, since] if slope else [series.step]
    return np.column_stack([back[:, :1], *extra, back[:, 1:]])


def _irls(design: Floats, outcome: Floats, offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Maximum likelihood of a log-linear Poisson model: coefficients, means, inverse information."""
    mean = np.maximum(outcome, 0.5)
    beta = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        work = np.log(mean) - offset + (outcome - mean) / mean
        root = np.sqrt(mean)
        fit = least_squares(design * root[:, None], work * root)
        moved = float(np.abs(fit.coefficients - beta).max())
        beta = fit.coefficients
        mean = np.exp(np.clip(design @ beta + offset, -30, 300))
        if moved < SETTLED * (1 + float(np.abs(beta).max())):
            return beta, mean, fit.bread
    raise StudyError("the Poisson model does not settle; check for periods with zero counts throughout")


def segmented(series: Series, *, slope: bool = False) -> Segments:
    """Generalised least squares with AR(1) errors: step and common trend, or step and change of slope."""
    back = background(series)
    design = _with_step(series, back, slope=slope)
    if len(design) - design.shape[1] < 3:
        raise StudyError(f"{design.shape[1]} coefficients for {len(design)} periods: too few periods")
    level = _level(series.outcome)
    outcome = series.outcome - level
    rho = _restricted_rho(design, outcome)
    fit = least_squares(_whitened(design, rho), _whitened(outcome[:, None], rho)[:, 0])
    variance = float(fit.residuals @ fit.residuals) / fit.df
    contrast = np.zeros(design.shape[1])
    contrast[1] = 1.0
    if slope:
        contrast[2] = float(design[series.first :, 2].mean())
    what = "step and slope (mean after treatment)" if slope else "step"
    se = math.sqrt(variance * float(contrast @ fit.bread @ contrast))
    df = max(2.0, fit.df * (1 - max(rho, 0.0)) / (1 + max(rho, 0.0)))  # periods worth of independent ones
    effect = by_t(
        float(contrast @ fit.coefficients),
        se,
        df,
        f"segmented regression, {what}, AR(1) errors (rho {rho:.2f})",
        largest(series.outcome),
    )
    without = design.copy()
    without[:, 1 : 3 if slope else 2] = 0
    error = np.sqrt(
        variance * (np.einsum("ij,jk,ik->i", without, fit.bread, without) + 1 / max(1 - rho * rho, 0.02))
    )
    return Segments(effect, without @ fit.coefficients + level, error, fit.residuals)


def _level(outcome: Floats) -> float:
    """What to take away before squares are summed: the mean, where it is far beyond the spread; else nothing."""
    mean = float(outcome.mean())
    return mean if float(np.ptp(outcome)) < FAR_FROM_ZERO * abs(mean) else 0.0


def _whitened(values: Floats, rho: float) -> Floats:
    """Prais and Winsten's transformation: the first row is kept, at its own variance."""
    first = math.sqrt(1 - rho * rho) * values[:1]
    return np.vstack([first, values[1:] - rho * values[:-1]])


def _restricted_rho(design: Floats, outcome: Floats) -> float:
    def minus_likelihood(rho: float) -> float:
        fit = least_squares(_whitened(design, rho), _whitened(outcome[:, None], rho)[:, 0])
        left = max(float(fit.residuals @ fit.residuals), 1e-300)
        logdet = -float(np.linalg.slogdet(fit.bread)[1])
        return 0.5 * (fit.df * math.log(left) + logdet - math.log(1 - rho * rho))

    return float(minimize_scalar(minus_likelihood, bounds=(-0.9, LARGEST_RHO), method="bounded").x)


def ljung_box(residuals: Floats) -> float | None:
    """P value that residuals are not autocorrelated (Ljung and Box 1978); None for fewer than 10."""
    n = len(residuals)
    if n < 10:
        return None
    centred = residuals - residuals.mean()
    whole = float(centred @ centred)
    if whole <= 0:
        return None
    lags = min(10, n // 5)
    acf = np.array([float(centred[k:] @ centred[:-k]) / whole for k in range(1, lags + 1)])
    statistic = n * (n + 2) * float((acf**2 / (n - np.arange(1, lags + 1))).sum())
    return float(chdtrc(lags, statistic))
