"""Expected calibration error with its chance part taken off, and the band in which a perfect model lies.

The plain figure is never 0: a perfectly calibrated model shows 0.054 at n = 200 in ten bins, 0.011 at 5,000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from metrics.core.shapes import Floats
from metrics.core.top import SEED

DRAWS = 1000
FOLDED = math.sqrt(2 / math.pi)  # mean size of a standard normal
_SHIFTS = np.linspace(0.0, 6.0, 601)
_MEANS = _SHIFTS * (1 - 2 * ndtr(-_SHIFTS)) + FOLDED * np.exp(-_SHIFTS * _SHIFTS / 2)  # E|N(shift, 1)|


@dataclass(frozen=True)
class CalibrationError:
    """`plain`: as usually shown. `value`: its chance part removed, with limits. `perfect`: 95 % of perfect models lie below."""

    plain: float
    value: float
    low: float
    high: float
    perfect: float


def calibration_error(n: Floats, score: Floats, positives: Floats, spread: Floats) -> CalibrationError:
    """From bins (B,), all with cases: count, sum of scores, positives, and sum of score x (1 - score)."""
    weight, gap = n / n.sum(), (positives - score) / n
    null = np.sqrt(np.maximum(spread, 1e-30)) / n
    rate = (positives + 0.5) / (n + 1)
    seen = np.sqrt(rate * (1 - rate) / n)
    draw = np.random.default_rng(SEED).standard_normal((DRAWS, len(n)))
    perfect = float(np.quantile(np.abs(draw) @ (weight * null), 0.95))
    value = float(_without_chance(gap, null) @ weight)
    # Each resample errs around what was seen as that errs around the truth, so its chance is one of both.
    again = _without_chance(gap + draw * seen, np.sqrt(null**2 + seen**2)) @ weight
    low, high = (float(np.quantile(again, x)) for x in (0.025, 0.975))
    value = max(value, 0.0)
    return CalibrationError(
        float(np.abs(gap) @ weight), value, max(0.0, min(low, value)), min(1.0, max(high, value)), perfect
    )


def _without_chance(gap: Floats, sd: Floats) -> Floats:
    """Size of each gap less what chance adds to it on average, given its own size; may be below 0 for one bin."""
    size = np.abs(gap) / sd
    shift = np.interp(size, _MEANS, _SHIFTS)
    added = np.interp(shift, _SHIFTS, _MEANS) - shift
    result: Floats = np.where(size > _MEANS[-1], size, size - added) * sd
    return result
