"""Errors that know what goes together: variances from the sums of buckets of persons or things.

Every bucket holds all predictions of each of its persons, so what is between buckets holds what is between persons, and
64 sums tell the variance without a person's row leaving the warehouse (random groups: Wolter 2007, chapter 2). In the
limit of a person a bucket it is the cluster-robust variance of Liang and Zeger (1986).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit

from metrics.core.agreement import effective
from metrics.core.intervals import TAIL, Interval, Z
from metrics.core.shapes import Floats

FEWEST = 30  # buckets with cases, below which their spread tells no error


@dataclass(frozen=True)
class Spread:
    """A figure with its clustered variance from `buckets` of them, and its variance if all cases were independent."""

    value: float
    variance: float
    independent: float
    buckets: int

    @property
    def reach(self) -> float:
        """Two-sided 95 % point of Student's t for so many buckets."""
        return float(stdtrit(self.buckets - 1, 1 - TAIL))

    @property
    def wider(self) -> float:
        """How many times as wide the interval is as that of independent cases."""
        return math.sqrt(self.variance / self.independent) if self.independent > 0 else math.nan


def _variance(influence: Floats) -> float:
    """Variance of a figure from the summed influence of each bucket, (G,)."""
    g = len(influence)
    return float(g / (g - 1) * ((influence - influence.mean()) ** 2).sum())


def rate(part: Floats, whole: Floats) -> Spread:
    """A share of sums by bucket, (G,), sum of `whole` above 0; buckets without cases do not count."""
    held = whole > 0
    k, n = part[held], whole[held]
    p = float(k.sum() / n.sum())
    return Spread(p, _variance((k - p * n) / n.sum()), p * (1 - p) / float(n.sum()), len(k))


@dataclass(frozen=True)
class Placed:
    """Sums of each bucket, (G,): positives, negatives, and their placements (share below, share above) with squares."""

    positives: Floats
    negatives: Floats
    below: Floats
    above: Floats
    below2: Floats
    above2: Floats


def auc(placed: Placed) -> Spread:
    """AUC with at least two of each class: DeLong's influence of each case, summed by bucket (Obuchowski 1997)."""
    held = placed.positives + placed.negatives > 0
    p, q, below, above = (x[held] for x in (placed.positives, placed.negatives, placed.below, placed.above))
    m, k = float(p.sum()), float(q.sum())
    value = float(below.sum() / m)
    influence = (below - value * p) / m + (above - value * q) / k
    alone = (float(placed.below2.sum()) - m * value**2) / (m - 1) / m
    alone += (float(placed.above2.sum()) - k * value**2) / (k - 1) / k
    return Spread(value, _variance(influence), max(alone, 0.0), len(p))


def rate_limits(found: Spread, n: float) -> Interval:
    """Wilson's interval at the effective number of cases, with Student's t for the buckets."""
    return effective(found.value, found.variance * (found.reach / Z) ** 2, n)


def auc_limits(found: Spread, bound: float) -> Interval:
    """Limits on the logit scale, widened by the binning bound; the whole scale where the value is at an end."""
    value = min(max(found.value, 0.0), 1.0)
    if value in (0.0, 1.0):
        return Interval(value, 0.0, 1.0)
    reach = found.reach * math.sqrt(found.variance) / (value * (1 - value))
    low, high = (float(expit(logit(value) + side * reach)) for side in (-1, 1))
    return Interval(value, max(0.0, low - bound), min(1.0, high + bound))


def buckets_of(*sums: Floats) -> int:
    """Buckets with any case."""
    return int(np.count_nonzero(np.sum(sums, axis=0)))
