"""Staggered adoption after Callaway and Sant'Anna (2021, doi:10.1016/j.jeconom.2020.12.001), no covariates.

Effects by cohort and period with never- or not-yet-treated comparison units, their influence functions, and four
aggregations. With every cell present the digits are those of R's `did`; a unit with a missing cell serves the
comparisons for which it has both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from metrics.attribution.panel import Panel
from metrics.attribution.result import ROUNDING, Effect, StudyError, by_t
from metrics.core.shapes import Floats, Ints


@dataclass(frozen=True)
class Rollout:
    """A panel whose units start at period `start` (N,); a start at or beyond T means never."""

    panel: Panel
    start: Ints
    not_yet: bool = False
    anticipation: int = 0

    @cached_property
    def cohorts(self) -> tuple[Ints, Ints]:
        """Starts that occur (U,), and which of them each unit has (N,)."""
        starts, code = np.unique(self.start, return_inverse=True)
        return starts, code.astype(np.int64)


@dataclass(frozen=True)
class Cells:
    """Effects of K cohort-period cells: cohort, period, ATT (K,), influence (K, N), size of the cohort (share)."""

    cohort: Ints
    period: Ints
    att: Floats
    influence: Floats
    share: Floats  # (K,) cohort's share of all units

    def after(self) -> Ints:
        return np.flatnonzero(self.period >= self.cohort)

    def before(self, anticipation: int) -> Ints:
        return np.flatnonzero(self.period < self.cohort - anticipation)


@dataclass(frozen=True)
class Part:
    """One aggregated effect: event time, cohort or period; its value and influence (N,)."""

    at: int
    value: float
    influence: Floats


def cells_of(rollout: Rollout) -> Cells:
    """Every ATT(g, t) with units on both sides; the base is the last period before adoption or, before it, before t."""
    panel, start = rollout.panel, rollout.start
    never = start >= panel.periods
    if not rollout.not_yet and not never.any():
        raise StudyError("no unit is never treated; use control_group: not_yet_treated")
    by_period = np.ascontiguousarray(panel.outcome.T)
    found: list[tuple[int, int, float, Floats, float]] = []
    for g in np.unique(start[~never]):
        if g - rollout.anticipation < 1:
            continue
        treated, controls = np.flatnonzero(start == g), np.flatnonzero(never)
        for t in range(1, panel.periods):
            base = g - rollout.anticipation - 1 if t >= g - rollout.anticipation else t - 1
            if rollout.not_yet:
                late = max(t, base) + rollout.anticipation
                controls = np.flatnonzero(never | ((start > late) & (start != g)))
            cell = _cell(by_period[t] - by_period[base], treated, controls)
            if cell is not None:
                found.append((int(g), t, *cell, len(treated) / panel.units))
    if not any(t >= g for g, t, *_ in found):
        raise StudyError(
            "no cohort has a period before and a period after its adoption with comparison units"
        )
    cohort, period, att, influence, share = zip(*found, strict=True)
    return Cells(np.array(cohort), np.array(period), np.array(att), np.array(influence), np.array(share))


def _cell(change: Floats, treated: Ints, controls: Ints) -> tuple[float, Floats] | None:
    """One difference of changes (N,) and its influence function; None without units on a side."""
    influence = np.zeros(len(change))
    means = []
    for side, sign in ((treated, 1.0), (controls, -1.0)):
        known = np.isfinite(change[side])
        rows = side if known.all() else side[known]
        if not len(rows):
            return None
        moved = change[rows]
        mean = float(moved.mean())
        influence[rows] = (moved - mean) * (sign * len(change) / len(rows))
        means.append(mean)
    return means[0] - means[1], influence


def variance(influence: Floats, panel: Panel) -> Floats:
    """Covariance (K, K) of estimates with influence functions (K, N), clusters summed where they are named."""
    rows = np.atleast_2d(influence)
    if panel.cluster is not None:
        groups = int(panel.cluster.max()) + 1
        rows = np.stack([np.bincount(panel.cluster, r, groups) for r in rows])
    cov: Floats = rows @ rows.T / panel.units**2
    return cov


def combined(cells: Cells, keep: Ints, rollout: Rollout, at: int) -> Part:
    """Cells weighted by the sizes of their cohorts, with the weights' own sampling error."""
    share, total = cells.share[keep], float(cells.share[keep].sum())
    att, weight = cells.att[keep], cells.share[keep] / total
    starts, of = rollout.cohorts
    centred = (starts == cells.cohort[keep][:, None]) - share[:, None]
    drift = att @ centred / total - float(att @ share) / total**2 * centred.sum(axis=0)
    return Part(at, float(weight @ att), weight @ cells.influence[keep] + drift[of])


def by_event(cells: Cells, rollout: Rollout) -> tuple[Part, ...]:
    """The effect at each time since adoption."""
    event = cells.period - cells.cohort
    return tuple(combined(cells, np.flatnonzero(event == e), rollout, int(e)) for e in np.unique(event))


def simple(cells: Cells, rollout: Rollout) -> Part:
    """Mean over all cells after adoption, weighted by cohort size."""
    return combined(cells, cells.after(), rollout, 0)


def dynamic(cells: Cells, rollout: Rollout) -> Part:
    """Mean over the times since adoption, each with the same weight."""
    return _average([p for p in by_event(cells, rollout) if p.at >= 0])


def group(cells: Cells, rollout: Rollout) -> Part:
    """Mean within each cohort, then over cohorts weighted by size."""
    after = cells.after()
    cohorts = np.unique(cells.cohort[after])
    att, influence, share = [], [], []
    for g in cohorts:
        keep = after[cells.cohort[after] == g]
        att.append(float(cells.att[keep].mean()))
        influence.append(cells.influence[keep].mean(axis=0))
        share.append(float(cells.share[keep[0]]))
    whole = Cells(cohorts, cohorts, np.array(att), np.array(influence), np.array(share))
    return combined(whole, np.arange(len(cohorts)), rollout, 0)


def calendar(cells: Cells, rollout: Rollout) -> Part:
    """Mean within each period, then over periods with the same weight."""
    after = cells.after()
    periods = np.unique(cells.period[after])
    return _average([combined(cells, after[cells.period[after] == t], rollout, int(t)) for t in periods])


def _average(parts: list[Part]) -> Part:
    return Part(0, float(np.mean([p.value for p in parts])), np.mean([p.influence for p in parts], axis=0))


AGGREGATIONS: dict[str, Callable[[Cells, Rollout], Part]] = {
    "group": group, "simple": simple, "dynamic": dynamic, "calendar": calendar,
}  # fmt: skip


def effect_of(part: Part, panel: Panel, method: str) -> Effect:
    """A part as an effect, Student's t on the clusters less one."""
    groups = panel.units if panel.cluster is None else int(panel.cluster.max()) + 1
    se = float(np.sqrt(variance(part.influence, panel)[0, 0]))
    return by_t(part.value, se, groups - 1, method, panel.largest)


def wald(cells: Cells, rollout: Rollout) -> tuple[float, int, Floats]:
    """Joint statistic that all cells before adoption are 0, its rank, and (K, 2) effects with standard errors."""
    before = cells.before(rollout.anticipation)
    if not len(before):
        return 0.0, 0, np.empty((0, 2))
    cov = variance(cells.influence[before], rollout.panel)
    att = cells.att[before]
    if float(np.diag(cov).max()) <= (ROUNDING * rollout.panel.largest) ** 2:
        return 0.0, 0, np.empty((0, 2))  # no spread: nothing to test with
    rank = int(np.linalg.matrix_rank(cov))
    return float(att @ np.linalg.pinv(cov) @ att), rank, np.column_stack([att, np.sqrt(np.diag(cov))])


def forbidden_share(rollout: Rollout) -> float:
    """Weight that two-way effects give to comparisons with units already treated (Goodman-Bacon 2021, theorem 1)."""
    periods = rollout.panel.periods
    starts, counts = np.unique(np.minimum(rollout.start, periods), return_counts=True)
    size, on = counts / counts.sum(), (periods - starts) / periods
    total = bad = 0.0
    for k in range(len(starts)):
        for late in range(k + 1, len(starts)):
            pair = size[k] * size[late] * (on[k] - on[late])
            total += pair * (1 - on[k]) + pair * on[late]
            bad += pair * on[late]
    return float(bad / total) if total > 0 else 0.0
