"""What a baseline comes to over all its rows, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtrit

from app.govern.baselines.examine import Sums
from app.govern.baselines.layout import Layout
from metrics.core.intervals import TAIL, wilson


@dataclass(frozen=True)
class Level:
    """A baseline's overall figure; the interval is None where one row says nothing of its spread."""

    value: float
    low: float | None
    high: float | None
    n: float
    method: str


def level_of(sums: Sums, layout: Layout) -> Level:
    """Counts give their ratio (Wilson); values give their mean, rows weighted by n (Student's t over rows)."""
    if layout.shared:
        interval = wilson(sums.numerator, sums.denominator)
        return Level(
            sums.numerator / sums.denominator, interval.low, interval.high, sums.denominator, "Wilson"
        )
    weighted = "n" in layout.names
    method = f"mean over rows{' weighted by n' if weighted else ''}, Student's t over rows"
    if sums.rows < 2:
        return Level(sums.mean, None, None, sums.n, f"{method}; one row has no interval")
    reach = float(stdtrit(sums.rows - 1, 1 - TAIL)) * math.sqrt(sums.m2 / sums.n / (sums.rows - 1))
    return Level(sums.mean, sums.mean - reach, sums.mean + reach, sums.n, method)
