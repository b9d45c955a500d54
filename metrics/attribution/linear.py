"""Least squares on arrays, with standard errors for independent rows and for clusters, few or many.

CR2 with Bell and McCaffrey's degrees of freedom (2002; Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004)
needs sums by cluster only, so a million rows cost no more than a few passes. With every row a cluster it is HC2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from metrics.attribution.result import StudyError
from metrics.core.shapes import Floats, Ints

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


def least_squares(design: Floats, outcome: Floats) -> Fit:
    """Ordinary least squares. StudyError where a column follows from the others."""
    scale = np.sqrt((design**2).sum(axis=0))
    if not (scale > 0).all() or np.linalg.matrix_rank(design / scale) < design.shape[1]:
        raise StudyError("a column is constant or follows from the others; leave it out of the adjustment")
    scaled = design / scale
    cross = np.linalg.inv(scaled.T @ scaled)
    coefficients = cross @ (scaled.T @ outcome) / scale
    bread = cross / np.outer(scale, scale)
    return Fit(design, coefficients, outcome - design @ coefficients, bread)


def classical(fit: Fit, contrast: Floats) -> float:
    """Standard error of a contrast of the coefficients with one error variance for all rows."""
    return math.sqrt(float(fit.residuals @ fit.residuals) / fit.df * float(contrast @ fit.bread @ contrast))


def hc3(fit: Fit, contrast: Floats) -> float:
    """MacKinnon and White's HC3 standard error of a contrast of the coefficients (1985)."""
    leverage = np.einsum("ij,jk,ik->i", fit.design, fit.bread, fit.design)
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
    cross, score = sums_by_cluster(fit, cluster)
    values, vectors = np.linalg.eigh(fit.bread)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    leverage, axes = np.linalg.eigh(root @ cross @ root)  # (G, k), (G, k, k)
    leverage = np.clip(leverage, 0, None)
    held = np.where(leverage < 1 - SINGULAR, 1 - leverage, np.inf)
    turned = np.swapaxes(axes, 1, 2)  # rotates to the axes on which a cluster has leverage
    pull = turned @ np.linalg.solve(root, fit.bread @ contrast) / np.sqrt(held)
    inner = np.einsum("gkl,gl->gk", turned @ root, score)
    adjusted = np.einsum("gk,gk->g", pull, inner)
    se = math.sqrt(float(adjusted @ adjusted))
    # Bell-McCaffrey: P = diag(d) - U (X'X)^-1 U', its trace and the trace of its square
    d = np.einsum("gk,gk->g", pull**2, leverage)
    rows = np.einsum("gk,gkl->gl", pull * leverage, turned)
    own = np.einsum("gk,gk->g", rows, rows)
    square = float(d @ d) - 2 * float(d @ own) + float((np.square(rows.T @ rows)).sum())
    trace = float((d - own).sum())
    return se, trace**2 / square if square > 0 else 0.0


def _hc2(fit: Fit, contrast: Floats) -> tuple[float, float]:
    """CR2 where every row is a cluster, without a decomposition for each row."""
    leverage = np.einsum("ij,jk,ik->i", fit.design, fit.bread, fit.design)
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
