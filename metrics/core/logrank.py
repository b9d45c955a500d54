"""Log-rank test of k survival curves on counts, with delayed entry; statsmodels' survdiff takes rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from metrics.core.shapes import Floats, Ints
from metrics.core.survival import TIE, distinct_times, persons_at_risk, sum_at


@dataclass(frozen=True, slots=True)
class LogRank:
    """Chi-square statistic, degrees of freedom, p value; observed and expected events per group."""

    statistic: float
    df: int
    p: float
    observed: tuple[int, ...]
    expected: tuple[float, ...]


def log_rank(
    time: Floats, group: Ints, events: Ints, censored: Ints, entered: Ints | None = None
) -> LogRank | None:
    """Mantel's log-rank test that all groups share one curve (Mantel 1966); arguments (G,), one row a count.

    `group` numbers the groups from 0; see `risk_table` for the rest. None where there is nothing to compare: fewer
    than two groups ever at risk, or no event while two are.
    """
    came = np.zeros_like(censored) if entered is None else entered
    grid, at = distinct_times(time, (events, censored, came))
    if not grid.size:
        return None
    groups = int(group.max()) + 1
    cell, shape = group * grid.size + at, (groups, grid.size)
    d, lost, joined = (sum_at(cell, c, groups * grid.size).reshape(shape) for c in (events, censored, came))
    n = persons_at_risk(grid, d + lost, joined)
    expected, variance = _log_rank_moments(d.sum(axis=0).astype(float), n.astype(float))
    return _chi_square(d.sum(axis=1), expected, variance)


def _log_rank_moments(deaths: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Expected events (groups) and their covariance (groups, groups), hypergeometric at each time."""
    total = n.sum(axis=0)
    share = n / np.maximum(total, 1)
    spread = deaths * (total - deaths) / np.maximum(total - 1, 1)
    expected = share @ deaths
    variance: Floats = np.diag(share @ spread) - (share * spread) @ share.T
    return expected, variance


def _chi_square(observed: Ints, expected: Floats, variance: Floats) -> LogRank | None:
    """Groups that were never compared carry no variance; one of the rest is redundant, as the sums agree."""
    held = np.flatnonzero(np.diag(variance) > TIE * max(float(expected.sum()), 1.0))
    if held.size < 2:
        return None
    gap = (observed - expected)[held[1:]]
    solved = np.linalg.lstsq(variance[np.ix_(held[1:], held[1:])], gap, rcond=1e-12)
    statistic, df = float(gap @ solved[0]), int(solved[2])
    return LogRank(
        statistic, df, float(chdtrc(df, statistic)), tuple(observed.tolist()), tuple(expected.tolist())
    )
