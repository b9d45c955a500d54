"""How far a distribution has moved from its reference: divergences of counts in frozen bins, each with its chance.

A divergence of two samples of one distribution is never 0: with n and m cases in B bins the population stability
index (PSI) is about (1/n + 1/m) times a chi-square of B - 1 degrees of freedom. So every figure here comes with that
yardstick, and no verdict rests on size or on significance alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri, kolmogorov

from metrics.core.intervals import CONFIDENCE, Z
from metrics.core.shapes import Floats

LARGE = 0.1  # PSI from which a shift is worth a look (Siddiqi 2006)
RARE = 0.001  # chance of a false flag of one undrifted test
HALF = 0.5  # added to every bin where one is empty on one side: a logarithm of 0 says nothing
SLACK = 0.5  # CUSUM: half the shift to detect, in standard deviations of a day
LIMIT = 5.0  # CUSUM: one false alarm in about 930 undrifted days (Siegmund 1985)
CLIP = 0.001  # share at each end of the reference at which distances stop growing: one outlier moves nothing
DKW = math.sqrt(math.log(2 / (1 - CONFIDENCE)) / 2)


@dataclass(frozen=True)
class Divergence:
    """A divergence with its 95 % limits, and the chance `p` of one as large between two equal distributions."""

    value: float
    low: float
    high: float
    p: float
    df: int


def _shares(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Shares of both in the bins that either holds, arrays (..., B); rows with an empty bin get half a case in each."""
    empty = ((reference == 0) | (current == 0)).any(axis=-1, keepdims=True)
    q, p = (np.where(empty, x + HALF, x) for x in (reference, current))
    return q / q.sum(axis=-1, keepdims=True), p / p.sum(axis=-1, keepdims=True)


def _held(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    kept = (reference > 0) | (current > 0)
    return reference[kept], current[kept]


def psi_terms(reference: Floats, current: Floats) -> Floats:
    """What each bin adds to the PSI: (p - q) ln(p / q), of counts (B,) or (D, B)."""
    q, p = _shares(reference, current)
    terms: Floats = (p - q) * np.log(p / q)
    return terms


def psi(reference: Floats, current: Floats) -> Divergence:
    """Population stability index of two arrays of counts (B,), both with cases; bins empty on both sides do not count."""
    reference, current = _held(reference, current)
    n, m = float(current.sum()), float(reference.sum())
    q, p = _shares(reference, current)
    value = float(((p - q) * np.log(p / q)).sum())
    up, down = np.log(p / q) + 1 - q / p, np.log(p / q) + p / q - 1
    spread = _variance(p, up) / n + _variance(q, down) / m
    return _judged(value, spread, 1 / n + 1 / m, len(p) - 1)


def jensen_shannon(reference: Floats, current: Floats) -> Divergence:
    """Jensen-Shannon distance, 0 to 1: the root of the divergence in bits. Counts (B,), both with cases."""
    reference, current = _held(reference, current)
    n, m = float(current.sum()), float(reference.sum())
    p, q = current / n, reference / m
    middle = (p + q) / 2
    up, down = (np.log(np.where(x > 0, x, middle) / middle) / 2 for x in (p, q))
    value = max(float(p @ up + q @ down), 0.0)
    spread = _variance(p, up) / n + _variance(q, down) / m
    found = _judged(value, spread, (1 / n + 1 / m) / 8, len(p) - 1)
    at, low, high = (math.sqrt(min(x / math.log(2), 1.0)) for x in (found.value, found.low, found.high))
    return Divergence(at, low, high, found.p, found.df)


def _variance(share: Floats, values: Floats) -> float:
    return float(share @ (values - share @ values) ** 2)


def _judged(value: float, spread: float, unit: float, df: int) -> Divergence:
    """Limits from the delta method and the chance part: value - unit x df is unbiased where nothing moved."""
    if df == 0:
        return Divergence(value, value, value, 1.0, 0)
    centre = value - unit * df
    reach = Z * math.sqrt(spread + 2 * df * unit * unit)
    low, high = max(0.0, centre - reach), max(value, centre + reach)
    return Divergence(value, min(low, value), high, float(chdtrc(df, value / unit)), df)


def flagged(reference: Floats, current: Floats) -> bool:
    """The rule of the definitions: PSI beyond chance (chi-square, 0.001) and at least 0.1."""
    found = psi(reference, current)
    unit = 1 / float(current.sum()) + 1 / float(reference.sum())
    return found.df > 0 and found.value >= LARGE and found.value > float(chdtri(found.df, RARE)) * unit


def kolmogorov_smirnov(reference: Floats, current: Floats) -> Divergence:
    """Largest gap of the two cumulative shares over ordered fine bins, counts (B,); limits widened by the bins.

    Between the edges the gap can be larger by at most the greatest share in a bin. Dvoretzky-Kiefer-Wolfowitz limits.
    """
    n, m = float(current.sum()), float(reference.sum())
    p, q = current / n, reference / m
    value = float(np.abs(np.cumsum(p) - np.cumsum(q)).max())
    hidden = float(np.maximum(p, q).max())
    reach = DKW * (1 / math.sqrt(n) + 1 / math.sqrt(m))
    chance = float(kolmogorov(math.sqrt(n * m / (n + m)) * value))
    return Divergence(value, max(0.0, value - reach), min(1.0, value + reach + hidden), chance, 0)


def wasserstein(at: Floats, reference: Floats, current: Floats) -> Divergence | None:
    """Earth mover's distance in standard deviations of the reference; None where that is 0.

    `at`: value of each bin, ascending (B,). Values beyond the reference's 0.1 % and 99.9 % points count as these.
    """
    n, m = float(current.sum()), float(reference.sum())
    below = np.cumsum(reference) / m
    low, high = (at[min(int(np.searchsorted(below, c)), len(at) - 1)] for c in (CLIP, 1 - CLIP))
    x = np.clip(at, low, high)
    p, q = current / n, reference / m
    sd = math.sqrt(_variance(q, x))
    if sd <= 0:
        return None
    gap = (np.cumsum(p) - np.cumsum(q))[:-1]
    value = float(np.abs(gap) @ np.diff(x))
    moved = np.concatenate([[0.0], np.cumsum(np.sign(gap) * np.diff(x))])
    se = math.sqrt(_variance(p, moved) / n + _variance(q, moved) / m)
    ends = (value / sd, max(0.0, value - Z * se) / sd, (value + Z * se) / sd)
    return Divergence(*ends, math.erfc(value / se / math.sqrt(2)) if se > 0 else 1.0, 0)


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's q values (1995), array (K,): the share of false discoveries among those up to each."""
    size = len(p)
    order = np.argsort(p)
    scaled = p[order] * size / np.arange(1, size + 1)
    q: Floats = np.empty(size)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def daily_scores(reference: Floats, days: Floats) -> Floats:
    """Standard normal score of each day's two-sample chi-square, (D,), from counts (B,) and (D, B) (Wilson-Hilferty)."""
    m = float(reference.sum())
    n = days.sum(axis=1, keepdims=True)
    pooled = (reference + days) / (m + n)
    expected = np.where(pooled > 0, pooled, 1.0)
    gap = (days / n - reference / m) ** 2 / expected
    square = gap.sum(axis=1) / (1 / n[:, 0] + 1 / m)
    df = np.maximum((pooled > 0).sum(axis=1) - 1, 1)
    part = 2 / (9 * df)
    scores: Floats = (np.cbrt(square / df) - (1 - part)) / np.sqrt(part)
    return scores


@dataclass(frozen=True)
class Cusum:
    """One-sided cumulative sum after each day, (D,); `began`: index of the day the last rise started, None at 0."""

    sums: Floats
    began: int | None

    @property
    def alarm(self) -> bool:
        return bool(len(self.sums)) and float(self.sums[-1]) > LIMIT


def cusum(scores: Floats) -> Cusum:
    """Page's CUSUM (1954) of daily scores: S = max(0, S + z - 0.5), alarm above 5."""
    sums = np.zeros(len(scores))
    level, began = 0.0, None
    for i, z in enumerate(scores.tolist()):
        level = max(0.0, level + z - SLACK)
        began = None if level == 0 else i if began is None else began
        sums[i] = level
    return Cusum(sums, began)
