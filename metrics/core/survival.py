"""Kaplan-Meier on counts: distinct or grouped times, never person rows.

Everywhere: persons who leave at a time are at risk at it, and events precede censorings at the same time.
A late entrant (left truncation) is at risk only after the time of entry. Intervals are 95 %.

statsmodels' SurvfuncRight has the same curve, but no band, no log-log quantile and two seconds of import;
CumIncidenceRight drops the standard errors of weighted rows. So the formulas are here, on int64 counts, and the
tests hold them to statsmodels, lifelines and R's printed figures.

Grouped times: where each time is replaced by the mean of its bucket [a, a (1 + w)), a quantile moves by at most
w of itself, as truth and answer lie in the same bucket; w = 2^-8 keeps it within 0.4 %. Censorings inside
the crossing bucket count as at risk to its end, which moves S there by at most the share they are of those at risk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metrics.core.intervals import TAIL, Z
from metrics.core.shapes import Floats, Ints

TIE = 1e-10  # a curve this close to a level has reached it: products of ratios miss exact halves by rounding


class Transform(StrEnum):
    """Scale on which the pointwise interval is symmetric. R's survfit defaults to log, lifelines to log-log."""

    LOG_LOG = "log-log"
    LOG = "log"


@dataclass(frozen=True, slots=True, eq=False)
class RiskTable:
    """Distinct times (T, ascending), with at_risk (T), events (causes, T) and censored (T)."""

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Kaplan-Meier steps at T distinct times, ascending; each array has shape (T,), all finite.

    `survival`: S just after each time. `greenwood`: the sum of d / (n (n - d)), the variance of log S; once S
    is 0 it is undefined and keeps its last value.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints
    survival: Floats
    greenwood: Floats

    @property
    def n(self) -> int:
        """Persons in the curve."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def variance(self) -> Floats:
        """Greenwood's variance of S; 0 where S is 0, where the formula says nothing (see `band`)."""
        return self.survival**2 * self.greenwood

    @property
    def emptied_early(self) -> bool:
        """Whether S fell to 0 while persons were still to enter: with delayed entry the curve then misleads."""
        return bool((self.survival[:-1] == 0).any())


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Pointwise 95 % limits, shape (T,) each, within [0, 1]."""

    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Probability:
    """A probability at a time: limits, standard error (None where undefined) and number at risk."""

    value: float
    low: float
    high: float
    se: float | None
    at_risk: int

    def complement(self) -> Probability:
        """1 - value, with the limits exchanged: incidence from survival."""
        return Probability(1 - self.value, 1 - self.high, 1 - self.low, self.se, self.at_risk)


@dataclass(frozen=True, slots=True)
class TimeQuantile:
    """Time by which a share p has had the event; None = not reached. `low` may exist where `high` does not."""

    p: float
    value: float | None
    low: float | None
    high: float | None
    method: str


def risk_table(time: Floats, events: Ints, censored: Ints, entered: Ints | None = None) -> RiskTable:
    """Distinct times with those at risk. `time` (G) seconds >= 0, any order; `events` (causes, G) counts.

    `censored` (G), `entered` (G): persons who come under observation at that time, at risk only after it (they
    leave later, among events or censored); everyone else is at risk from the start. Groups without a count
    are dropped. ValueError for a time that is negative or not finite, negative counts, more leaving than at risk.
    """
    came = np.zeros_like(censored) if entered is None else entered
    grid, at = distinct_times(time, (*events, censored, came))
    caused = np.stack([sum_at(at, row, grid.size) for row in events])
    lost, joined = sum_at(at, censored, grid.size), sum_at(at, came, grid.size)
    at_risk = persons_at_risk(grid, caused.sum(axis=0) + lost, joined)
    keep = (caused.sum(axis=0) + lost) > 0  # a time at which persons only enter is no step of the curve
    return RiskTable(grid[keep], at_risk[keep], caused[:, keep], lost[keep])


def distinct_times(time: Floats, counts: Sequence[Ints]) -> tuple[Floats, Ints]:
    """Distinct times ascending, and where each group falls; checks times and counts of shape (G,)."""
    for values in counts:
        if values.shape != time.shape:
            raise ValueError(f"counts need one value per time: {values.shape} against {time.shape}")
        if not np.issubdtype(values.dtype, np.integer) or (values < 0).any():
            raise ValueError("counts must be integers >= 0")
    bad = np.flatnonzero(~(np.isfinite(time) & (time >= 0)))
    if bad.size:
        raise ValueError(f"group {bad[0]}: time {time[bad[0]]} must be finite and >= 0")
    grid, at = np.unique(time.astype(float), return_inverse=True)
    return grid, at.astype(np.int64)


def sum_at(at: Ints, counts: Ints, size: int) -> Ints:
    """Integer sums of `counts` (G) at the places `at` (G), shape (size,)."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, at, counts.astype(np.int64))  # not bincount: that sums in floating point
    return total


def persons_at_risk(grid: Floats, leaving: Ints, joining: Ints) -> Ints:
    """Persons at risk at each time of `grid` (T), from those leaving and joining, (..., T)."""
    net = np.cumsum(joining - leaving, axis=-1)
    at_risk: Ints = -net[..., -1:] + net - (joining - leaving)  # those who never enter late start at risk
    short = np.argwhere(at_risk < leaving)
    if short.size:
        when = grid[short[0, -1]]
        raise ValueError(f"time {when:g}: more persons leave than are at risk; entry must precede leaving")
    return at_risk


def kaplan_meier(time: Floats, events: Ints, censored: Ints, entered: Ints | None = None) -> SurvivalCurve:
    """Product-limit curve (Kaplan and Meier 1958) with Greenwood's variance (1926); arguments (G,).

    See `risk_table` for the arguments and errors. No groups, or only zero counts, give a curve of length 0.
    """
    table = risk_table(time, events[np.newaxis], censored, entered)
    d, n = table.events[0].astype(float), table.at_risk.astype(float)
    survival = np.cumprod((n - d) / n)
    left = np.where((n > d) & (survival > 0), n - d, np.inf)  # no term where S falls to 0, nor after it
    return SurvivalCurve(
        table.time, table.at_risk, table.events[0], table.censored, survival, np.cumsum(d / (n * left))
    )


def unseen_share(n: float) -> float:
    """Exact 97.5 % upper limit of a share of which none was seen among n (Clopper and Pearson 1934)."""
    return float(-np.expm1(math.log(TAIL) / n))


def band(curve: SurvivalCurve, transform: Transform = Transform.LOG_LOG) -> Band:
    """Pointwise limits of S at the curve's times (Kalbfleisch and Prentice 1980, log-log; log as in R).

    Both formulas are undefined at S = 1 and S = 0, where R prints NA. There the limit is the exact binomial one:
    at S = 1 for the persons at risk; at S = 0 the last limit above it times that of those who left last.
    """
    s = curve.survival
    inside = (s > 0) & (s < 1)
    share, reach = s[inside], Z * np.sqrt(curve.greenwood[inside])
    low, high = np.zeros(s.size), np.ones(s.size)
    if transform is Transform.LOG:
        low[inside], high[inside] = share * np.exp(-reach), np.minimum(share * np.exp(reach), 1.0)
    else:
        bend = np.exp(reach / -np.log(share))
        low[inside], high[inside] = share**bend, share ** (1 / bend)
    low[s == 1] = TAIL ** (1 / curve.at_risk[s == 1])
    if (s == 0).any():
        end = int(np.argmax(s == 0))
        high[end:] = (high[end - 1] if end else 1.0) * unseen_share(float(curve.at_risk[end]))
    return Band(low, high)


def quantile(curve: SurvivalCurve, p: float, transform: Transform = Transform.LOG_LOG) -> TimeQuantile:
    """First time at which S <= 1 - p, its limits those at which the band crosses (Brookmeyer and Crowley 1982).

    A side is None where its curve never crosses: not reached. ValueError unless 0 < p < 1.
    """
    check_share(p)
    steps, limits = curve.events > 0, band(curve, transform)
    value, low, high = (
        _first_at_most(curve.time[steps], line[steps], 1 - p)
        for line in (curve.survival, limits.low, limits.high)
    )
    return TimeQuantile(p, value, low, high, f"Kaplan-Meier, {transform}")


def check_share(p: float) -> None:
    """ValueError unless 0 < p < 1."""
    if not 0 < p < 1:
        raise ValueError(f"a quantile needs 0 < p < 1, got {p}")


def _first_at_most(time: Floats, line: Floats, level: float) -> float | None:
    reached = np.flatnonzero(line <= level + TIE)
    return float(time[reached[0]]) if reached.size else None


def place(time: Floats, survival: Floats, t: float) -> tuple[int, int] | None:
    """Row of the last step at or before t (-1: none), and row whose persons are those at risk at t.

    None where nobody was followed to t: beyond the last time the curve is unknown, unless S is 0.
    """
    step, risk = int(np.searchsorted(time, t, "right")) - 1, int(np.searchsorted(time, t, "left"))
    if risk < time.size:
        return step, risk
    return (step, step) if time.size and survival[-1] == 0 else None


def survival_at(
    curve: SurvivalCurve, t: float, transform: Transform = Transform.LOG_LOG
) -> Probability | None:
    """S(t) with its interval; None where nobody was followed to t. `.complement()` is 1 - S(t)."""
    rows = place(curve.time, curve.survival, t)
    if rows is None:
        return None
    step, risk = rows
    n = int(curve.at_risk[risk])
    if step < 0 or curve.survival[step] == 1:
        return Probability(1.0, TAIL ** (1 / n), 1.0, None, n)
    limits, value = band(curve, transform), float(curve.survival[step])
    se = math.sqrt(curve.variance[step]) if value > 0 else None
    return Probability(value, float(limits.low[step]), float(limits.high[step]), se, n)
