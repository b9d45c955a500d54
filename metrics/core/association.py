"""How two series move together: Spearman's rank correlation of their changes, with its interval. Association, not cause.

Changes, not levels: two series that both grow are correlated whatever they are. The interval is Fisher's z with the
standard error of Bonett and Wright 2000 (doi:10.1007/BF02294183) for ranks.
"""

from __future__ import annotations

import math

import numpy as np

from metrics.core.intervals import Z
from metrics.core.metric import Estimate, undefined
from metrics.core.shapes import Floats

LEAST = 8  # pairs of changes below which no interval means anything
METHOD = "Spearman's rank correlation of changes, Fisher's z with Bonett and Wright's standard error"


def association(first: Floats, second: Floats) -> Estimate:
    """Two series of equal length in order of time, NaN where a value is unknown. A change needs two neighbours known."""
    from scipy.stats import rankdata  # slow to load, and seldom used

    steps = np.column_stack([np.diff(np.asarray(first, float)), np.diff(np.asarray(second, float))])
    pairs = steps[~np.isnan(steps).any(axis=1)]
    n = len(pairs)
    if n < LEAST:
        return undefined(f"{n} changes are known on both sides; {LEAST} are the least", n)
    a, b = rankdata(pairs[:, 0]), rankdata(pairs[:, 1])
    if a.std() == 0 or b.std() == 0:
        return undefined("one of the two never changes", n)
    r = float(np.corrcoef(a, b)[0, 1])
    bounded = min(max(r, -0.9999), 0.9999)
    error = Z * math.sqrt((1 + bounded**2 / 2) / (n - 3))
    middle = math.atanh(bounded)
    low, high = math.tanh(middle - error), math.tanh(middle + error)
    return Estimate(r, min(low, r), max(high, r), n, method=METHOD)
