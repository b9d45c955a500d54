"""Intervals on plain numbers: rates, differences and ratios of rates, means, differences of means.

All are two-sided at 95 %. Only `scipy.special` is needed: statsmodels gives the same figures (the tests hold
us to it) but takes two seconds to import, which every command would pay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from metrics.core.shapes import Floats

CONFIDENCE = 0.95
Z = float(ndtri(0.5 + CONFIDENCE / 2))
TAIL = (1 - CONFIDENCE) / 2
CONSTANT = 1e-14  # relative distance between values that only rounding makes differ
ROUNDING = 1e-12  # a spread this small beside the values it came from is rounding, not spread
SMALLEST_RATIO = 1e-12
LARGEST_RATIO = 1e100


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits, low <= value <= high."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Moment:
    """n values with their mean and centred second moment (sum of squared deviations from the mean)."""

    n: float
    mean: float
    m2: float

    @property
    def variance_of_mean(self) -> float:
        """Squared standard error of the mean; needs n >= 2."""
        return self.m2 / (self.n - 1) / self.n

    @property
    def constant(self) -> bool:
        """Whether all values are equal, up to the rounding of their mean."""
        return self.m2 <= self.n * (CONSTANT * self.mean) ** 2 or self.variance_of_mean <= 0


@dataclass(frozen=True)
class Difference:
    """Welch's difference of two means: standard error, degrees of freedom and two-sided p value."""

    value: float
    low: float
    high: float
    se: float
    df: float
    p: float


def wilson_limits(k: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Wilson score limits of k / n, arrays of one shape, n > 0 (Wilson 1927; Newcombe 1998, method 3)."""
    p, square = k / n, Z * Z
    centre = (p + square / (2 * n)) / (1 + square / n)
    reach = Z * np.sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    return np.where(k == 0, 0.0, centre - reach), np.where(k == n, 1.0, centre + reach)


def wilson(k: float, n: float) -> Interval:
    """A rate k / n with its Wilson interval. ValueError unless 0 <= k <= n and n > 0."""
    if not (0 <= k <= n and n > 0):
        raise ValueError(f"a rate needs 0 <= k <= n and n > 0, got k={k}, n={n}")
    low, high = wilson_limits(np.array([k], dtype=float), np.array([n], dtype=float))
    return Interval(k / n, float(low[0]), float(high[0]))


def newcombe(k1: float, n1: float, k2: float, n2: float) -> Interval:
    """Difference of rates k1/n1 - k2/n2, from their Wilson limits (Newcombe 1998, method 10)."""
    a, b = wilson(k1, n1), wilson(k2, n2)
    value = a.value - b.value
    down = math.hypot(a.value - a.low, b.high - b.value)
    up = math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, max(-1.0, value - down), min(1.0, value + up))


def koopman(k1: float, n1: float, k2: float, n2: float) -> Interval:
    """Ratio of rates (k1/n1) / (k2/n2), by inverting the score test (Koopman 1984, Biometrics 40:513).

    Exists for k1 = 0 (the low limit is 0) and for rates of 1, where the logarithmic interval does not.
    ValueError where k2 is 0: the ratio has no upper limit.
    """
    if not (0 < k2 <= n2 and 0 <= k1 <= n1 and n1 > 0):
        raise ValueError(f"a ratio of rates needs a reference above 0, got {k1}/{n1} over {k2}/{n2}")
    value = (k1 / n1) / (k2 / n2)
    low = 0.0 if k1 == 0 else 1 / _koopman_upper(k2, n2, k1, n1)
    return Interval(value, min(low, value), max(_koopman_upper(k1, n1, k2, n2), value))


def _koopman_upper(k1: float, n1: float, k2: float, n2: float) -> float:
    """Ratio above the estimate at which the score test just rejects; found on the log scale."""
    from scipy.optimize import brentq  # slow to load, and seldom used

    def excess(log_ratio: float) -> float:
        return _ratio_score(math.exp(log_ratio), k1, n1, k2, n2) - Z

    start = math.log(max((k1 / n1) / (k2 / n2), SMALLEST_RATIO))
    step = 1.0
    while excess(start + step) <= 0:  # the score grows without bound in the ratio, as k2 > 0
        step *= 2
    return math.exp(brentq(excess, start, start + step, xtol=1e-13))


def _ratio_score(ratio: float, k1: float, n1: float, k2: float, n2: float) -> float:
    """Score statistic of "the ratio is `ratio`", positive above the estimate."""
    # the reference rate most likely under that ratio: the smaller root of a quadratic, in its stable form
    b = n1 * ratio + k1 + n2 + k2 * ratio
    root = math.sqrt(max(b * b - 4 * (n1 + n2) * ratio * (k1 + k2), 0.0))
    p2 = min(2 * (k1 + k2) / (b + root), 1.0, 1 / ratio)
    p1 = min(ratio * p2, 1.0)
    variance = p1 * (1 - p1) / n1 + ratio * ratio * p2 * (1 - p2) / n2
    gap = ratio * k2 / n2 - k1 / n1
    return gap / math.sqrt(variance) if variance > 0 else 0.0


def student(values: Moment) -> Interval:
    """Mean with Student's t interval; needs n >= 2."""
    reach = float(stdtrit(values.n - 1, 1 - TAIL)) * math.sqrt(values.variance_of_mean)
    return Interval(values.mean, values.mean - reach, values.mean + reach)


def welch(a: Moment, b: Moment) -> Difference:
    """Difference of means a - b, variances unequal (Welch 1947); each needs n >= 2, one a spread above 0."""
    variance = a.variance_of_mean + b.variance_of_mean
    df = _satterthwaite(a, b)
    value, se = a.mean - b.mean, math.sqrt(variance)
    reach = float(stdtrit(df, 1 - TAIL)) * se
    p = 2 * float(stdtr(df, -abs(value) / se))
    return Difference(value, value - reach, value + reach, se, df, p)


def _satterthwaite(a: Moment, b: Moment) -> float:
    total = a.variance_of_mean + b.variance_of_mean
    share_a, share_b = a.variance_of_mean / total, b.variance_of_mean / total
    return 1 / (share_a**2 / (a.n - 1) + share_b**2 / (b.n - 1))


def relative(a: Moment, b: Moment) -> Interval | None:
    """(mean a - mean b) / mean b with Fieller's interval (Fieller 1954), for independent arms and mean b > 0.

    None where mean b cannot be told from 0: the set of ratios that fit is then unbounded.
    """
    t = float(stdtrit(_satterthwaite(a, b), 1 - TAIL))
    va, vb = a.variance_of_mean, b.variance_of_mean
    if b.mean <= t * math.sqrt(vb) or abs(a.mean) > LARGEST_RATIO * b.mean:
        return None
    g = (t * math.sqrt(vb) / b.mean) ** 2
    ratio = a.mean / b.mean
    reach = t / b.mean * math.sqrt(va * (1 - g) + ratio * ratio * vb)
    low, high = (ratio - reach) / (1 - g), (ratio + reach) / (1 - g)
    return Interval(ratio - 1, low - 1, high - 1)


def bounded_mean(n: float, total: float, squares: float, floor: float, ceiling: float) -> Interval:
    """Mean of n >= 2 values in [floor, ceiling] from their sum and sum of squares; Student's t in bounds.

    Where all values are equal the spread says nothing, so the interval is the one that a rule of three gives:
    up to 1 - 0.025^(1/n) of future values may lie elsewhere in the bounds and none have been seen yet.
    """
    mean = min(max(total / n, floor), ceiling)
    m2 = squares - n * mean * mean
    if m2 <= max(ROUNDING * max(squares, n * mean * mean), n * (CONSTANT * (ceiling - floor)) ** 2):
        unseen = 1 - TAIL ** (1 / n)
        return Interval(mean, mean - unseen * (mean - floor), mean + unseen * (ceiling - mean))
    reach = student(Moment(n, mean, m2))
    return Interval(mean, max(reach.low, floor), min(reach.high, ceiling))
