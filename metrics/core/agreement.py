"""How far raters agree, and how far a cheap rater can be trusted: kappa, alpha, and rates corrected for the rater.

Rates are of items; an item's weight undoes the way it was sampled. Everything works on counts of like items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from metrics.core.intervals import Interval, Z, wilson
from metrics.core.shapes import Floats, Ints
from metrics.core.top import SEED

RESAMPLES = 400


@dataclass(frozen=True)
class Weighted:
    """Groups of like items, (G,): items, sum of their weights, sum of the squares of these, value of each item in [0, 1]."""

    n: Floats
    weight: Floats
    weight2: Floats
    value: Floats

    @property
    def mean(self) -> float:
        return float(self.weight @ self.value / self.weight.sum())

    @property
    def variance(self) -> float:
        """Variance of the weighted mean (linearised)."""
        return float(self.weight2 @ (self.value - self.mean) ** 2) / float(self.weight.sum()) ** 2

    @property
    def size(self) -> float:
        """Kish's effective number of items."""
        return float(self.weight.sum()) ** 2 / float(self.weight2.sum())


def weighted_rate(items: Weighted) -> Interval:
    """Weighted share with Wilson's interval at the effective number of items (Korn and Graubard 1998)."""
    return effective(items.mean, items.variance, items.size)


def effective(p: float, variance: float, fallback: float) -> Interval:
    """Wilson's interval for a share of known variance: that of as many items as would give it."""
    p = min(max(p, 0.0), 1.0)
    size = p * (1 - p) / variance if variance > 0 and 0 < p < 1 else fallback
    found = wilson(p * size, size)
    return Interval(p, min(found.low, p), max(found.high, p))


def kappa(both: int, first: int, second: int, neither: int) -> Interval | None:
    """Cohen's kappa of two raters with Fleiss, Cohen and Everitt's interval (1969); None where chance agreement is 1.

    `both`, `neither`: cases on which they agree; `first`, `second`: cases that only that rater marked.
    """
    table = np.array([[both, first], [second, neither]], dtype=float)
    n = table.sum()
    p = table / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    chance = float(row @ column)
    if chance >= 1 - 1e-12:
        return None
    agree = float(np.trace(p))
    value = (agree - chance) / (1 - chance)
    own = sum(p[i, i] * (1 - (row[i] + column[i]) * (1 - value)) ** 2 for i in range(2))
    cross = (1 - value) ** 2 * sum(p[i, 1 - i] * (column[i] + row[1 - i]) ** 2 for i in range(2))
    variance = (own + cross - (value - chance * (1 - value)) ** 2) / (n * (1 - chance) ** 2)
    reach = Z * math.sqrt(max(float(variance), 0.0))
    return Interval(value, max(value - reach, -1.0), min(value + reach, 1.0))


def _alpha(ratings: Floats, marked: Floats, n: Floats) -> Floats:
    """Krippendorff's alpha for yes-or-no ratings, (...,), of groups of like items (..., G); NaN where all ratings are equal."""
    total = (n * ratings).sum(axis=-1)
    ones = (n * marked).sum(axis=-1)
    observed = (n * 2 * marked * (ratings - marked) / (ratings - 1)).sum(axis=-1)
    expected = 2 * ones * (total - ones) / np.maximum(total - 1, 1)
    found: Floats = 1 - observed / np.where(expected > 0, expected, np.nan)
    return found


def _alike(ratings: Ints, marked: Ints, n: Ints) -> tuple[Floats, Floats, Floats]:
    """One group for each kind of item, in a fixed order: the draws then depend on the items alone."""
    kinds, at = np.unique(np.stack([ratings, marked], axis=1), axis=0, return_inverse=True)
    count = np.zeros(len(kinds))
    np.add.at(count, at.reshape(-1), n.astype(float))
    return kinds[:, 0].astype(float), kinds[:, 1].astype(float), count


def krippendorff(ratings: Ints, marked: Ints, n: Ints) -> Interval | None:
    """Alpha (Krippendorff 2004) of items rated twice or more, with a bootstrap of the items; None where all ratings are equal.

    Groups of like items, (G,): ratings each (2 or more), of which marked, and how many such items.
    """
    m, h, count = _alike(ratings, marked, n)
    value = float(_alpha(m, h, count)) if len(n) else math.nan
    if math.isnan(value):
        return None
    draw = np.random.default_rng(SEED).poisson(count, (RESAMPLES, len(count))).astype(float)
    again = _alpha(m, h, draw)
    again = again[~np.isnan(again)]
    low, high = (float(np.quantile(again, x)) for x in (0.025, 0.975)) if len(again) else (value, value)
    return Interval(value, max(min(low, value), -1.0), min(max(high, value), 1.0))


@dataclass(frozen=True)
class RateSeen:
    """A rate seen in `n` cases (may be effective numbers, so no whole ones)."""

    p: float
    n: float


def rogan_gladen(seen: RateSeen, sensitivity: RateSeen, specificity: RateSeen) -> Interval | None:
    """True rate behind an imperfect judge (Rogan and Gladen 1978), interval of Lang and Reiczigel (2014).

    The judge is checked on other items than those of `seen`. None where it does not tell good from bad better than
    chance: sensitivity + specificity <= 1.
    """
    found = _behind(seen, sensitivity, specificity)
    return _clipped(found) if found else None


def rogan_gladen_within(
    human: Interval, share: float, rest: RateSeen, sensitivity: RateSeen, specificity: RateSeen
) -> Interval | None:
    """The same where the judge is checked on a `share` of the very items: the human's word there, the corrected rate elsewhere.

    Its value is Rogan and Gladen's of all items; the two parts rest on different items, so their errors add (MOVER). One
    interval as if the check were on other items holds the truth 98 to 99 times in 100.
    """
    found = _behind(rest, sensitivity, specificity)
    if found is None:
        return None
    value = share * human.value + (1 - share) * found.value
    down = math.hypot(share * (human.value - human.low), (1 - share) * (found.value - found.low))
    up = math.hypot(share * (human.high - human.value), (1 - share) * (found.high - found.value))
    return _clipped(Interval(value, value - down, value + up))


def _clipped(found: Interval) -> Interval:
    value, low, high = (min(max(x, 0.0), 1.0) for x in (found.value, found.low, found.high))
    return Interval(value, min(low, value), max(high, value))


def _behind(seen: RateSeen, sensitivity: RateSeen, specificity: RateSeen) -> Interval | None:
    """The rate behind the judge's, with limits, none of them held to [0, 1]."""
    power = sensitivity.p + specificity.p - 1
    if power <= 0:
        return None
    value = (seen.p + specificity.p - 1) / power
    square = Z * Z
    p = (seen.n * seen.p + square / 2) / (seen.n + square)
    se, sp = ((x.n * x.p + 1) / (x.n + 2) for x in (sensitivity, specificity))
    if se + sp <= 1:
        return Interval(min(max(value, 0.0), 1.0), 0.0, 1.0)
    centre = (p + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / (sensitivity.n + 2), sp * (1 - sp) / (specificity.n + 2)
    shift = 2 * square * (centre * of_se - (1 - centre) * of_sp)
    spread = p * (1 - p) / (seen.n + square) + centre**2 * of_se + (1 - centre) ** 2 * of_sp
    reach = Z * math.sqrt(spread) / (se + sp - 1)
    low, high = centre + shift - reach, centre + shift + reach
    return Interval(value, min(low, value), max(high, value))


def prediction_powered(human: Weighted, judge_there: Floats, judge_alone: Weighted | None) -> Interval:
    """Rate of items read by a human, sharpened by a judge that read more (Angelopoulos et al. 2023, tuned weight).

    `human`: items read by both; `judge_there`: the judge's verdicts on these, (G,); `judge_alone`: items only the judge
    read. The judge's faults cancel, whatever they are: it can only sharpen, never bias.
    """
    if judge_alone is None:
        return weighted_rate(human)
    there = Weighted(human.n, human.weight, human.weight2, judge_there)
    cross = float(human.weight2 @ ((human.value - human.mean) * (judge_there - there.mean)))
    cross /= float(human.weight.sum()) ** 2
    both = there.variance + judge_alone.variance
    tune = min(max(cross / both, 0.0), 1.0) if both > 0 else 0.0
    value = human.mean + tune * (judge_alone.mean - there.mean)
    variance = human.variance + tune * tune * both - 2 * tune * cross
    return effective(value, variance, human.size)
