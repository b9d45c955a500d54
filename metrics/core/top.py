"""What the top of a ranking holds, from counts in score-ordered bins: average precision and the first k.

The order inside a bin is unknown, so each figure has the values of the best and the worst order beside its own:
with all positives of every bin first and last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, logit

from metrics.core.intervals import Z
from metrics.core.shapes import Floats, Ints

RESAMPLES = 200
SEED = 20_260_101  # one seed for all: the same counts give the same limits


@dataclass(frozen=True)
class Ordered:
    """A figure with the values under the worst and the best order inside the bins: worst <= value <= best."""

    value: float
    worst: float
    best: float


def _average_precision(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Average precision under the worst and the best order, (...,), of counts (..., B) by ascending score."""
    p, q = p[..., ::-1], q[..., ::-1]
    above_p, above_q = np.cumsum(p, axis=-1) - p, np.cumsum(q, axis=-1) - q

    def part(negatives: Floats) -> Floats:
        """Sum over a bin's positives of (positives so far) / (all so far) with so many negatives before them."""
        gained = digamma(above_p + p + negatives + 1) - digamma(above_p + negatives + 1)
        total: Floats = (p - negatives * gained).sum(axis=-1)
        return total

    m = np.maximum(p.sum(axis=-1), 1e-300)
    return np.clip(part(above_q + q) / m, 0, 1), np.clip(part(above_q) / m, 0, 1)


def average_precision(p: Ints | Floats, q: Ints | Floats) -> Ordered:
    """Average precision of positives and negatives per bin (B,), both with cases; the middle of its ordering interval."""
    worst, best = (float(x) for x in _average_precision(p.astype(float), q.astype(float)))
    return Ordered((worst + best) / 2, worst, best)


def average_precision_limits(p: Ints | Floats, q: Ints | Floats) -> tuple[float, float]:
    """Limits of the average precision on the logit scale, its error from Poisson resamples of the counts, order included."""
    draw = np.random.default_rng(SEED)
    shape = (RESAMPLES, len(p))
    again = _average_precision(draw.poisson(p, shape).astype(float), draw.poisson(q, shape).astype(float))
    found = average_precision(p, q)
    value = min(max(found.value, 1e-9), 1 - 1e-9)
    reach = Z * float(((again[0] + again[1]) / 2).std(ddof=1)) / (value * (1 - value))
    low, high = (float(expit(logit(value) + side * reach)) for side in (-1, 1))
    below, above = found.value - found.worst, found.best - found.value
    return max(0.0, min(low, found.value) - below), min(1.0, max(high, found.value) + above)


def hits(p: Ints | Floats, q: Ints | Floats, k: int) -> Ordered:
    """Positives among the k highest scores, 1 <= k <= all; a bin cut by k gives its share."""
    size = (p + q).astype(float)[::-1]
    positive = p.astype(float)[::-1]
    taken = np.clip(k - (np.cumsum(size) - size), 0, size)
    held = np.maximum(size, 1)
    worst = np.maximum(taken - (size - positive), 0)
    best = np.minimum(taken, positive)
    return Ordered(float((taken * positive / held).sum()), float(worst.sum()), float(best.sum()))


def first(k: str, n: int) -> int:
    """How many cases a setting names: a share of n (`10%`, rounded up) or a number. ValueError for anything else."""
    try:
        if k.endswith("%") and 0 < float(k[:-1]) <= 100:
            return max(1, math.ceil(float(k[:-1]) / 100 * n - 1e-9))
        if int(k) > 0:
            return int(k)
    except ValueError as wrong:
        raise ValueError(f"k={k!r}: write a share such as 10% or a number such as 500") from wrong
    raise ValueError(f"k={k!r}: write a share such as 10% or a number such as 500")
