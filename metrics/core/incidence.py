"""Aalen-Johansen: cumulative incidence with competing causes, on counts of distinct or grouped times.

1 - Kaplan-Meier, with the other causes censored, overstates the incidence; it is not offered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from metrics.core.intervals import Z
from metrics.core.shapes import Floats, Ints
from metrics.core.survival import (
    TIE,
    Band,
    Probability,
    TimeQuantile,
    check_share,
    place,
    risk_table,
    unseen_share,
)

METHOD = "Aalen-Johansen, log-log"


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceCurves:
    """Steps at T distinct times, ascending, for C causes; all finite.

    `time`, `at_risk`, `censored`, `survival` (free of every cause) have shape (T,); `events`, `incidence` and
    `variance` have shape (C, T). At each time the incidences and the survival add up to 1.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints
    survival: Floats
    incidence: Floats
    variance: Floats

    @property
    def n(self) -> int:
        """Persons in the curves."""
        return int(self.events.sum() + self.censored.sum())


def aalen_johansen(
    time: Floats, events: Ints, censored: Ints, entered: Ints | None = None
) -> IncidenceCurves:
    """Cumulative incidence of each cause (Aalen and Johansen 1978); `events` (causes, G), the rest (G,).

    Arguments, ties and errors as in `survival.risk_table`: all causes precede censorings at the same time.
    The variance is the Greenwood-type delta method with multinomial counts (Marubini and Valsecchi 1995, 10.12):
    without censoring it is F (1 - F) / n.
    """
    table = risk_table(time, events, censored, entered)
    d, n = table.events.astype(float), table.at_risk.astype(float)
    survival = np.cumprod((n - d.sum(axis=0)) / n)
    before = np.concatenate(([1.0], survival))[: n.size]
    incidence = np.cumsum(before * d / n, axis=1)
    variance = _variance(d, n, before, incidence)
    return IncidenceCurves(
        table.time, table.at_risk, table.events, table.censored, survival, incidence, variance
    )


def _variance(d: Floats, n: Floats, before: Floats, incidence: Floats) -> Floats:
    """Sum over s <= t of (F(t) - F(s))^2 a + b - 2 (F(t) - F(s)) c, as running sums, so one pass suffices."""
    total = d.sum(axis=0)
    left = np.where(n > total, n - total, np.inf)  # nothing follows a last step, so its term is 0
    a = total / (n * left)
    b = before**2 * d * (n - d) / n**3
    c = before * d / n**2
    square = np.cumsum(a) * incidence**2
    cross = np.cumsum(a * incidence + c, axis=1) * incidence
    rest = np.cumsum(a * incidence**2 + b + 2 * c * incidence, axis=1)
    variance: Floats = np.maximum(square - 2 * cross + rest, 0.0)
    return variance


def incidence_band(curves: IncidenceCurves, cause: int) -> Band:
    """Pointwise limits of one cause's incidence on the log(-log F) scale (Choudhury 2002; R's survfit "log-log").

    Undefined at F = 0 and F = 1; there the exact binomial limit of those at risk, as in `survival.band`.
    """
    f, variance = curves.incidence[cause], curves.variance[cause]
    seen = np.cumsum(curves.events[cause]) > 0
    whole = (curves.survival == 0) & (f > 1 - TIE)
    inside = seen & ~whole
    low, high = np.zeros(f.size), np.ones(f.size)
    share = f[inside]
    bend = np.exp(Z * np.sqrt(variance[inside]) / (-np.log(share) * share))
    low[inside], high[inside] = share**bend, share ** (1 / bend)
    high[~seen] = [unseen_share(float(n)) for n in curves.at_risk[~seen]]
    if whole.any():
        end = int(np.argmax(whole))
        last = low[end - 1] if end else 0.0
        low[end:] = 1 - (1 - last) * unseen_share(float(curves.at_risk[end]))
    return Band(low, high)


def incidence_at(curves: IncidenceCurves, cause: int, t: float) -> Probability | None:
    """F_cause(t) with its interval; None where nobody was followed to t."""
    rows = place(curves.time, curves.survival, t)
    if rows is None:
        return None
    step, risk = rows
    n = int(curves.at_risk[risk])
    if step < 0 or not curves.events[cause, : step + 1].any():
        return Probability(0.0, 0.0, unseen_share(n), None, n)
    limits, value = incidence_band(curves, cause), min(float(curves.incidence[cause, step]), 1.0)
    spread = float(curves.variance[cause, step])
    se = math.sqrt(spread) if value < 1 else None
    return Probability(value, float(limits.low[step]), float(limits.high[step]), se, n)


def incidence_quantile(curves: IncidenceCurves, cause: int, p: float) -> TimeQuantile:
    """First time by which a share p of all persons has had the cause, the limits from the band.

    Where competing causes leave fewer than p, it is never reached: None. ValueError unless 0 < p < 1.
    """
    check_share(p)
    limits, steps = incidence_band(curves, cause), curves.events[cause] > 0
    times = curves.time[steps]
    found: list[float | None] = []
    for line in (curves.incidence[cause], limits.high, limits.low):
        reached = np.flatnonzero(line[steps] >= p - TIE)
        found.append(float(times[reached[0]]) if reached.size else None)
    return TimeQuantile(p, found[0], found[1], found[2], METHOD)
