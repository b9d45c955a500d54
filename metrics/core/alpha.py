"""Krippendorff's alpha for ordinal answers of two coders or more, some of which may be missing (Krippendorff 2004)."""

from __future__ import annotations

import numpy as np

from metrics.core.agreement import RESAMPLES
from metrics.core.intervals import Interval
from metrics.core.shapes import Floats, Ints
from metrics.core.top import SEED


def ordinal_alpha(ratings: Floats) -> Interval | None:
    """Alpha with a percentile bootstrap over units. `ratings` (units, coders): ordered values, NaN where missing.

    Units rated fewer than twice say nothing and are left out. None where no two ratings differ, or none can be paired.
    """
    scale = np.unique(ratings[~np.isnan(ratings)])
    counts = np.stack([(ratings == value).sum(axis=1) for value in scale], axis=1) if scale.size else None
    if counts is None:
        return None
    counts = counts[counts.sum(axis=1) > 1]
    value = _alpha(counts, np.ones(len(counts)))
    if value is None:
        return None
    draw = np.random.default_rng(SEED).multinomial(
        len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES
    )
    again = np.array([a for a in (_alpha(counts, w) for w in draw) if a is not None])
    low, high = (float(np.quantile(again, x)) for x in (0.025, 0.975)) if again.size else (value, value)
    return Interval(value, min(low, value), max(high, value))


def _alpha(counts: Ints, weight: Ints | Floats) -> float | None:
    """Alpha of units with so many ratings of each value, (units, values), each unit taken `weight` times."""
    pairable = counts.sum(axis=1)
    share = weight / np.maximum(pairable - 1, 1)
    seen = (counts * share[:, np.newaxis]).T @ counts - np.diag((counts * share[:, np.newaxis]).sum(axis=0))
    n_c = seen.sum(axis=1)
    n = n_c.sum()
    if n <= 1:
        return None
    distance = _ordinal(n_c)
    expected = float(n_c @ distance @ n_c) / float(n - 1)
    return None if expected <= 0 else 1 - float((seen * distance).sum()) / expected


def _ordinal(n_c: Floats) -> Floats:
    """Squared distance of each pair of values: the ratings between them, ends counted half."""
    upto = np.cumsum(n_c)
    between = np.abs(
        upto[:, np.newaxis] - upto[np.newaxis, :] - (n_c[:, np.newaxis] - n_c[np.newaxis, :]) / 2
    )
    distance: Floats = between**2
    return distance
