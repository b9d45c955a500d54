"""Whether an effect lasts: its course over cohorts, a test for decay, and its half-life.

Cohorts are independent estimates with their own intervals. Decay is the slope of a line through them, weighted by their
precision (known variances, normal interval). The half-life is that of an exponential through the same points.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metrics.core.intervals import Interval, Z
from metrics.core.shapes import Floats

LEAST = 3  # cohorts below which no course is told
LONGEST = 3650.0  # days; a longer half-life is none that anybody can see


class Course(StrEnum):
    """`sustained` needs the newest cohort's low end above nothing; `fading` a clear slope towards nothing."""

    SUSTAINED = "sustained"
    FADING = "fading"
    UNCLEAR = "not clear"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Persistence:
    """The course, the slope in units of the effect a day, and the half-life in days where the effect fades."""

    course: Course
    slope: Interval | None = None
    half_life: Interval | None = None
    n: int = 0


def persistence(days: Floats, effects: tuple[Interval, ...]) -> Persistence:
    """The course of an effect. `days`: each cohort's middle day, rising; `effects`: its estimate with a 95 % interval."""
    n = len(effects)
    errors = np.array([(e.high - e.low) / (2 * Z) for e in effects])
    if n < LEAST or not np.all(errors > 0):
        return Persistence(Course.UNKNOWN, n=n)
    x = np.asarray(days, float) - float(days[0])
    y = np.array([e.value for e in effects])
    slope = _slope(x, y, errors)
    sign = math.copysign(1.0, float(np.average(y, weights=errors**-2)))
    newest = effects[-1].low if sign > 0 else -effects[-1].high
    if (slope.high if sign > 0 else -slope.low) < 0 and _begins_clear(effects, sign):
        return Persistence(Course.FADING, slope, _half_life(x, y, errors), n)
    return Persistence(Course.SUSTAINED if newest > 0 else Course.UNCLEAR, slope, None, n)


def _slope(x: Floats, y: Floats, errors: Floats) -> Interval:
    weights = errors**-2
    centred = x - np.average(x, weights=weights)
    spread = float(weights @ centred**2)
    value = float(weights @ (centred * y)) / spread
    return Interval(value, value - Z / math.sqrt(spread), value + Z / math.sqrt(spread))


def _begins_clear(effects: tuple[Interval, ...], sign: float) -> bool:
    """Something can only fade that was there: one of the first two cohorts lies clear of nothing."""
    return any((e.low if sign > 0 else -e.high) > 0 for e in effects[:2])


def _half_life(x: Floats, y: Floats, errors: Floats) -> Interval | None:
    """Half-life in days with its interval; None where no exponential fits or it is too long to be seen."""
    from scipy.optimize import OptimizeWarning, curve_fit  # slow to load, and seldom used

    start = (float(y[0]), math.log(2) / max(float(x[-1]), 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error", OptimizeWarning)
        try:
            found, covariance = curve_fit(
                lambda t, a, rate: a * np.exp(-rate * t), x, y, start, errors, absolute_sigma=True
            )
        except (RuntimeError, OptimizeWarning):
            return None
    rate, error = float(found[1]), math.sqrt(float(covariance[1, 1]))
    if rate <= 0 or math.log(2) / rate > LONGEST:
        return None
    slowest = rate - Z * error
    longest = math.log(2) / slowest if slowest > math.log(2) / LONGEST else LONGEST
    return Interval(math.log(2) / rate, math.log(2) / (rate + Z * error), longest)
