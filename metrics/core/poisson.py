"""The exact interval of a Poisson count (Garwood 1936)."""

from __future__ import annotations

from scipy.special import gammaincinv

from metrics.core.intervals import TAIL


def garwood(k: int) -> tuple[float, float]:
    """95 % limits of the mean behind a count k >= 0: each tail holds at most 2.5 %. ValueError for k < 0."""
    if k < 0:
        raise ValueError(f"a count is 0 or more, got {k}")
    low = float(gammaincinv(k, TAIL)) if k else 0.0
    return low, float(gammaincinv(k + 1, 1 - TAIL))
