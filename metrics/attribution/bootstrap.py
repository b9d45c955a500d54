"""Inference where clusters are few: wild cluster bootstrap and randomisation of the assignment."""

from __future__ import annotations

import itertools
import math

import numpy as np

from metrics.attribution.linear import Fit, least_squares, sums_by_cluster
from metrics.core.shapes import Floats, Ints

DRAWS = 1999
ENUMERATE_CLUSTERS = 11  # 2^11 sign patterns: all of them are tried, and no seed is needed
ENUMERATE_ASSIGNMENTS = 5_000


def wild_cluster_p(fit: Fit, j: int, cluster: Ints, seed: int) -> float | None:
    """Two-sided p value of coefficient j = 0 by the restricted wild cluster bootstrap-t, Rademacher signs.

    Cameron, Gelbach and Miller 2008, doi:10.1162/rest.90.3.414. Works on sums by cluster: no refit. `cluster` (n,) codes
    from 0. None where the clusters' residuals have no spread.
    """
    outcome = fit.design @ fit.coefficients + fit.residuals
    rest = np.delete(fit.design, j, axis=1)
    null = least_squares(rest, outcome)
    cross, own = sums_by_cluster(fit, cluster)
    _, score = sums_by_cluster(Fit(fit.design, fit.coefficients, null.residuals, fit.bread), cluster)
    error = math.sqrt(float(((own @ fit.bread[j]) ** 2).sum()))
    if error == 0:
        return None
    observed = abs(float(fit.coefficients[j])) / error
    signs = _signs(len(score), seed)
    moved = signs @ score @ fit.bread  # (B, k): coefficients of each draw about the null
    pulled = np.einsum("gkl,bl->bgk", cross, moved) @ fit.bread[j]
    scores = signs * (score @ fit.bread[j]) - pulled
    spread = np.sqrt((scores**2).sum(axis=1))
    stat = np.abs(moved[:, j]) / np.where(spread > 0, spread, np.inf)
    return float((stat >= observed * (1 - 1e-9)).mean())


def _signs(groups: int, seed: int) -> Floats:
    if groups <= ENUMERATE_CLUSTERS:
        return np.array(list(itertools.product((-1.0, 1.0), repeat=groups)))
    drawn = np.random.default_rng(seed).integers(0, 2, (DRAWS, groups)) * 2.0 - 1.0
    return np.vstack([np.ones(groups), drawn])  # the data themselves are one of the patterns


def assignment_p(sums: Floats, sizes: Floats, treated: Ints, seed: int) -> float:
    """Two-sided p value of the difference of means, over all ways in which clusters could have been assigned.

    `sums` and `sizes` (G,) by cluster; `treated` the positions of the treated clusters.
    """
    groups, count = len(sums), len(treated)
    observed = _gap(sums, sizes, treated[None, :])[0]
    if math.comb(groups, count) <= ENUMERATE_ASSIGNMENTS:
        ways = np.array(list(itertools.combinations(range(groups), count)))
    else:
        rng = np.random.default_rng(seed)
        drawn = rng.random((ENUMERATE_ASSIGNMENTS - 1, groups)).argsort(axis=1)[:, :count]
        ways = np.vstack([treated[None, :], drawn])
    gaps = np.abs(_gap(sums, sizes, ways))
    return float((gaps >= abs(observed) * (1 - 1e-9)).mean())


def _gap(sums: Floats, sizes: Floats, ways: Ints) -> Floats:
    there, units = sums[ways].sum(axis=1), sizes[ways].sum(axis=1)
    gap: Floats = there / units - (sums.sum() - there) / (sizes.sum() - units)
    return gap
