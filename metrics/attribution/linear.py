"""Least squares on arrays, with standard errors for independent rows and for clusters, few or many.

CR2 with Bell and McCaffrey's degrees of freedom (2002; Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004)
needs sums by cluster only, so a million rows cost no more than a few passes. With every row a cluster it is HC2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from metrics.attribution.result import StudyError, largest
from metrics.core.shapes import Floats, Ints

CLEARLY = 1e-8  # smallest over largest eigenvalue of X'X above which its rank is beyond doubt
FAR_FROM_ZERO = 1e-4  # spread over level below which the level is taken away before squares are summed
DEPENDENT = "a column is constant or follows from the others; leave it out of the adjustment"
SINGULAR = 1e-10  # a leverage this near 1 leaves a cluster no residual


@dataclass(frozen=True)
class Fit:
    """A least-squares fit: design (n, k), coefficients (k,), residuals (n,), inverse of X'X (k, k)."""

    design: Floats
    coefficients: Floats
    residuals: Floats
    bread: Floats

    @property
    def df(self) -> int:
        return int(self.design.shape[0] - self.design.shape[1])

    @cached_property
    def leverage(self) -> Floats:
        """What each row (n,) weighs in its own fitted value."""
        found: Floats = np.einsum("ij,ij->i", self.design @ self.bread, self.design)
        return found

    def of(self, outcome: Floats) -> Fit:
        """Another outcome (n,) on the same design, of which nothing is computed again."""
        coefficients = self.bread @ (self.design.T @ outcome)
        found = Fit(self.design, coefficients, outcome - self.design @ coefficients, self.bread)
        vars(found)["leverage"] = self.leverage
        return found


def least_squares(design: Floats, outcome: Floats) -> Fit:
    """Ordinary least squares of outcomes (n,) on columns (n, k). StudyError where a column follows from the others."""
    gram = design.T @ design
    scale = np.sqrt(np.diag(gram))
    if not (scale > 0).all() or not _full_rank(design, gram, scale):
        raise StudyError(DEPENDENT)
    try:
        cross = np.linalg.inv(gram / np.outer(scale, scale))
    except np.linalg.LinAlgError as error:
        raise StudyError(DEPENDENT) from error
    coefficients = cross @ (design.T @ outcome / scale) / scale
    bread = cross / np.outer(scale, scale)
    residuals = outcome - design @ coefficients
    if largest(residuals) < FAR_FROM_ZERO * largest(outcome) and (design[:, 0] == 1).all():
        level = float(outcome.mean())
        coefficients = cross @ (design.T @ (outcome - level) / scale) / scale
        residuals = outcome - level - design @ coefficients
        coefficients[0] += level
    return Fit(design, coefficients, residuals, bread)


def _full_rank(design: Floats, gram: Floats, scale: Floats) -> bool:
    """Whether no column follows from the others: by X'X where that is clear, else by the columns themselves."""
    spread = np.linalg.eigvalsh(gram / np.outer(scale, scale))
    if spread[0] > CLEARLY * spread[-1]:
        return True
    return bool(np.linalg.matrix_rank(design / scale) == design.shape[1])


def classical(fit: Fit, contrast: Floats) -> float:
    """Standard error of a contrast of the coefficients with one error variance for all rows."""
    return math.sqrt(float(fit.residuals @ fit.residuals) / fit.df * float(contrast @ fit.bread @ contrast))


def hc3(fit: Fit, contrast: Floats) -> float:
    """MacKinnon and White's HC3 standard error of a contrast of the coefficients (1985)."""
    leverage = fit.leverage
    scores = (fit.design @ (fit.bread @ contrast)) * fit.residuals / np.maximum(1 - leverage, SINGULAR)
    return math.sqrt(float(scores @ scores))


def cr1(fit: Fit, contrast: Floats, cluster: Ints) -> float:
    """The usual cluster-robust standard error of a contrast of the coefficients, with Stata's small-sample factor."""
    scores = np.bincount(cluster, (fit.design @ (fit.bread @ contrast)) * fit.residuals)
    groups, n = len(scores), len(fit.design)
    factor = groups / (groups - 1) * (n - 1) / fit.df
    return math.sqrt(factor * float(scores @ scores))


def cr2(fit: Fit, contrast: Floats, cluster: Ints | None = None) -> tuple[float, float]:
    """Standard error and degrees of freedom of a contrast of the coefficients; `cluster` None: every row its own."""
    if cluster is None:
        return _hc2(fit, contrast)
    return by_cluster(fit, cluster).error(contrast)


@dataclass(frozen=True)
class Clustered:
    """What CR2 needs of a fit's clusters, whatever the contrast: the root of X'X^-1 and by cluster its leverage and scores."""

    bread: Floats
    root: Floats
    leverage: Floats  # (G, k)
    turned: Floats  # (G, k, k): rotates to the axes on which a cluster has leverage
    inner: Floats  # (G, k)

    def error(self, contrast: Floats) -> tuple[float, float]:
        """Standard error and degrees of freedom of a contrast."""
        held = np.where(self.leverage < 1 - SINGULAR, 1 - self.leverage, np.inf)
        pull = self.turned @ np.linalg.solve(self.root, self.bread @ contrast) / np.sqrt(held)
        adjusted = np.einsum("gk,gk->g", pull, self.inner)
        se = math.sqrt(float(adjusted @ adjusted))
        # Bell-McCaffrey: P = diag(d) - U (X'X)^-1 U', its trace and the trace of its square
        d = np.einsum("gk,gk->g", pull**2, self.leverage)
        rows = np.einsum("gk,gkl->gl", pull * self.leverage, self.turned)
        own = np.einsum("gk,gk->g", rows, rows)
        square = float(d @ d) - 2 * float(d @ own) + float((np.square(rows.T @ rows)).sum())
        trace = float((d - own).sum())
        return se, trace**2 / square if square > 0 else 0.0


def by_cluster(fit: Fit, cluster: Ints) -> Clustered:
    """Sums over the rows of each cluster, once for all contrasts."""
    cross, score = sums_by_cluster(fit, cluster)
    values, vectors = np.linalg.eigh(fit.bread)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    leverage, axes = np.linalg.eigh(root @ cross @ root)
    turned = np.swapaxes(axes, 1, 2)
    inner = np.einsum("gkl,gl->gk", turned @ root, score)
    return Clustered(fit.bread, root, np.clip(leverage, 0, None), turned, inner)


def _hc2(fit: Fit, contrast: Floats) -> tuple[float, float]:
    """CR2 where every row is a cluster, without a decomposition for each row."""
    leverage = fit.leverage
    pull = (fit.design @ (fit.bread @ contrast)) / np.sqrt(np.maximum(1 - leverage, SINGULAR))
    score = pull * fit.residuals
    d = pull**2
    rows = fit.design * pull[:, None]
    cross = rows.T @ rows @ fit.bread
    square = float(d @ d) - 2 * float(d @ (d * leverage)) + float(np.trace(cross @ cross))
    trace = float((d * (1 - leverage)).sum())
    return math.sqrt(float(score @ score)), trace**2 / square if square > 0 else 0.0


def sums_by_cluster(fit: Fit, cluster: Ints) -> tuple[Floats, Floats]:
    """Sums by cluster of x x' (G, k, k) and of x e (G, k)."""
    groups, k = int(cluster.max()) + 1, fit.design.shape[1]
    cross = np.empty((groups, k, k))
    score = np.empty((groups, k))
    for a in range(k):
        score[:, a] = np.bincount(cluster, fit.design[:, a] * fit.residuals, groups)
        for b in range(a, k):
            cross[:, a, b] = cross[:, b, a] = np.bincount(
                cluster, fit.design[:, a] * fit.design[:, b], groups
            )
    return cross, score


def one(j: int, k: int) -> Floats:
    """The contrast that picks coefficient j of k."""
    picked = np.zeros(k)
    picked[j] = 1.0
    return picked
