"""Differences of two AUCs: of two models on the same cases (paired), or of two sets of cases (independent). DeLong 1988."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from metrics.core.discrimination import Ranking
from metrics.core.intervals import Z
from metrics.core.metric import Estimate, undefined
from metrics.core.shapes import Floats, Ints

PAIRED, INDEPENDENT = "paired DeLong", "DeLong, two independent samples"


@dataclass(frozen=True)
class Paired:
    """Cases scored by two models, counted by both bins and outcome, (C,). Bins rise with the score."""

    first: Ints
    second: Ints
    label: Ints
    n: Ints


def difference(value: float, variance: float, bound: float, n: int, method: str) -> Estimate:
    """A difference of AUCs with normal limits, widened by the bins' bound, and its p value."""
    se = math.sqrt(variance)
    low, high = value - Z * se - bound, value + Z * se + bound
    chance = 2 * float(ndtr(-max(abs(value) - bound, 0.0) / se)) if se > 0 else 1.0
    told = (f"p {chance:.2g}" + (f", the bins' bound of {bound:.1e} allowed for" if bound > 0 else ""),)
    return Estimate(value, max(low, -1.0), min(high, 1.0), n, method=method, warnings=told)


def paired(cases: Paired, nothing: str = "no case was scored by both") -> Estimate:
    """AUC of the second model less that of the first, on the same cases."""
    positive, negative = cases.label == 1, cases.label == 0
    m, k = int(cases.n[positive].sum()), int(cases.n[negative].sum())
    if m + k == 0:
        return undefined(nothing)
    if min(m, k) < 2:
        return undefined(f"{m:,} positive and {k:,} negative outcomes: two of each are needed", m + k)
    parts = [_placements(at, cases.n, positive, negative) for at in (cases.first, cases.second)]
    (below_a, above_a, h_a), (below_b, above_b, h_b) = parts
    up, down = below_b - below_a, above_b - above_a
    value, spread = _moments(up[positive], cases.n[positive])
    _, other = _moments(down[negative], cases.n[negative])
    return difference(value, spread / m + other / k, h_a + h_b, m + k, PAIRED)


def _placements(
    at: Ints, n: Ints, positive: np.ndarray, negative: np.ndarray
) -> tuple[Floats, Floats, float]:
    """Of each case, by one model: share of negatives below, share of positives above (ties half), and the bound h."""
    codes, place = np.unique(at, return_inverse=True)
    p, q = (np.bincount(place, n * kind, len(codes)).astype(float) for kind in (positive, negative))
    below, above = (np.cumsum(q) - q / 2) / q.sum(), 1 - (np.cumsum(p) - p / 2) / p.sum()
    return below[place], above[place], float(p @ q / (2 * p.sum() * q.sum()))


def _moments(values: Floats, n: Ints) -> tuple[float, float]:
    total = float(n.sum())
    mean = float(n @ values / total)
    return mean, float(n @ (values - mean) ** 2 / (total - 1))


def independent(one: Ranking, other: Ranking) -> Estimate:
    """AUC of `one` less that of `other`, from different cases; both need two cases of each class."""
    n = round(one.m + one.k + other.m + other.k)
    parts = (one.variance, other.variance)
    if parts[0] is None or parts[1] is None:
        return undefined("one of the two has fewer than two cases of a class", n)
    return difference(one.auc - other.auc, parts[0] + parts[1], one.bound + other.bound, n, INDEPENDENT)
