"""Turnbull's estimator: the distribution of a time known only to lie in an interval, on weighted intervals.

For hops of which only a batch run's start and end are known, and for propagation delays bounded by the last
violating send and the first block. Midpoints would invent precision; this says only what the intervals say.
Neither statsmodels nor scipy fits arbitrary intervals, so the algorithm is here; lifelines is the tests' oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metrics.core.intervals import Z
from metrics.core.shapes import Floats, Ints
from metrics.core.survival import TimeQuantile, check_share

METHOD = "Turnbull, likelihood ratio"
GAP = 1e-10  # aim: log likelihood per person left to gain, bounded by the Kuhn-Tucker conditions
ENOUGH = 1e-7  # the gap that counts as converged
STALL = 1e-15  # relative gain of a round below which only rounding is left
UNSURE = 1e-3  # log likelihood in all that a test of a limit may leave open, beside Z^2 / 2 = 1.92
ROUNDS = 20_000
ACTIVE = 400  # most supports for a Newton step; its cost grows with their cube
NEGLIGIBLE = 1e-3  # a mass this small beside an even share is left out of a Newton step
LEAPS = (1.0, 0.5, 0.125, 0.01)
RIDGE = 1e-12  # relative; keeps the curvature of supports that no data tell apart factorable
LONGEST = 1e4  # longest leap, in EM steps
NEAR = 1e-7  # masses this close to a share have reached it: EM ends near, not at, exact halves
SMALLEST = 1e-300  # keeps a share revivable: exact 0 is a fixed point of EM


@dataclass(frozen=True, slots=True, eq=False)
class IntervalCounts:
    """Distinct intervals (I): `low`, `high` (inf = not yet), `weight` in persons, each covering a run of supports.

    `left`, `right` (S): the innermost intervals, the only places where the estimate can put mass. Interval i
    covers supports `first[i]` to `last[i]`, both included.
    """

    low: Floats
    high: Floats
    weight: Ints
    left: Floats
    right: Floats
    first: Ints
    last: Ints


@dataclass(frozen=True, slots=True, eq=False)
class TurnbullCurve:
    """Mass (S) on innermost intervals [left, right] (S), ascending; right may be inf. Masses add up to 1.

    Where the mass lies inside an interval is unknowable. `gap`: relative distance from the maximum likelihood,
    `converged`: whether it is below tolerance. `counts`: the data, for the limits of a quantile.
    """

    left: Floats
    right: Floats
    mass: Floats
    gap: float
    converged: bool
    counts: IntervalCounts

    @property
    def n(self) -> int:
        """Persons in the curve."""
        return int(self.counts.weight.sum())


def interval_counts(low: Floats, high: Floats, weight: Ints) -> IntervalCounts:
    """Group and check the intervals; arguments (G,). low = high is an exact time, high = inf "not by low".

    Intervals are closed, but a time known only to exceed `low` exceeds it strictly: as in Kaplan-Meier, events
    precede censorings. Rows of weight 0 are dropped. ValueError unless 0 <= low <= high, low finite, weights >= 0.
    """
    bad = np.flatnonzero(~(np.isfinite(low) & (low >= 0) & (high >= low)))
    if bad.size:
        i = int(bad[0])
        raise ValueError(f"group {i}: interval [{low[i]}, {high[i]}] needs 0 <= low <= high and a finite low")
    if not np.issubdtype(weight.dtype, np.integer) or (weight < 0).any():
        raise ValueError("weights must be integers >= 0")
    held = weight > 0
    pairs, at = np.unique(
        np.stack([low[held], high[held]], axis=1).astype(float), axis=0, return_inverse=True
    )
    total = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(total, at.reshape(-1), weight[held].astype(np.int64))
    return _with_supports(pairs[:, 0], pairs[:, 1], total)


def _with_supports(low: Floats, high: Floats, weight: Ints) -> IntervalCounts:
    """Innermost intervals: a left end directly followed by a right end, in the order [ before ] before (."""
    values, at = np.unique(np.concatenate([low, high]), return_inverse=True)
    starts = 3 * at[: low.size] + 2 * np.isinf(high)
    ends = 3 * at[low.size :] + 1
    keys = np.unique(np.concatenate([starts, ends]))  # a start's key is 0 or 2 modulo 3, an end's 1
    inner = np.flatnonzero((keys[:-1] % 3 != 1) & (keys[1:] % 3 == 1))
    begin, end = keys[inner], keys[inner + 1]
    first = np.searchsorted(begin, starts, "left")
    last = np.searchsorted(end, ends, "right") - 1
    return IntervalCounts(low, high, weight, values[begin // 3], values[end // 3], first, last)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Masses (S), log likelihood per person, its gradient (S), likelihoods (I) and gap to the maximum."""

    mass: Floats
    value: float
    slope: Floats
    likely: Floats
    gap: float


def turnbull(low: Floats, high: Floats, weight: Ints) -> TurnbullCurve | None:
    """Maximum likelihood distribution for interval-censored times (Turnbull 1976); None without any weight.

    EM, each round followed by a constrained Newton step (Wang 2008) or, with many supports, by squared
    extrapolation (Varadhan and Roland 2008), until the log likelihood per person is within 1e-10 of its maximum by
    the Kuhn-Tucker conditions (Gentleman and Geyer 1994) or only rounding is left. Arguments: `interval_counts`.
    """
    counts = interval_counts(low, high, weight)
    supports = counts.left.size
    if not supports:
        return None
    model = _Model(counts, split=supports, share=1.0)
    fit = model.maximise(np.full(supports, 1.0 / supports), lambda f: f.gap <= GAP)
    return TurnbullCurve(counts.left, counts.right, fit.mass, fit.gap, fit.gap <= ENOUGH, counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The likelihood of the masses, of which the first `split` must add up to `share`."""

    counts: IntervalCounts
    split: int
    share: float

    def at(self, mass: Floats) -> _Fit:
        """One pass over the intervals: each covers a run of supports, so running sums serve both ways."""
        c, supports = self.counts, mass.size
        weight = c.weight / c.weight.sum()
        below = np.concatenate(([0.0], np.cumsum(mass)))
        likely = np.maximum(below[c.last + 1] - below[c.first], SMALLEST)
        pull = weight / likely
        opened = np.bincount(c.first, pull, supports)
        closed = np.bincount(c.last + 1, pull, supports + 1)[:supports]
        slope = np.cumsum(opened - closed)
        best = self.share * slope[: self.split].max()
        if self.share < 1:
            best += (1 - self.share) * slope[self.split :].max()
        return _Fit(mass, float(weight @ np.log(likely)), slope, likely, float(best - mass @ slope))

    def feasible(self, mass: Floats) -> Floats:
        """The same proportions, with the first `split` masses scaled to add up to `share`."""
        held = np.maximum(mass, SMALLEST)
        held[: self.split] *= self.share / held[: self.split].sum()
        if self.share < 1:
            held[self.split :] *= (1 - self.share) / held[self.split :].sum()
        return held

    def maximise(self, start: Floats, done: Callable[[_Fit], bool]) -> _Fit:
        """Two EM steps a round, which always climb, then a leap from there if it climbs higher."""
        fit = self.at(self.feasible(start))
        for _ in range(ROUNDS):
            if done(fit):
                break
            one = self.at(self.feasible(fit.mass * fit.slope))
            two = self.at(self.feasible(one.mass * one.slope))
            active = self._active(two)
            far = _extrapolated(fit.mass, one.mass, two.mass) if active is None else self._newton(two, active)
            before, fit = fit.value, self._climb(two, far)
            if fit.value - before <= STALL * abs(before):
                break
        return fit

    def _climb(self, fit: _Fit, far: Floats) -> _Fit:
        """The first point from `far` back towards the fit that is higher, if any of a few is."""
        for share in LEAPS:
            leap = self.at(self.feasible(share * far + (1 - share) * fit.mass))
            if leap.value > fit.value:
                return leap
        return fit

    def _active(self, fit: _Fit) -> Ints | None:
        """Supports with a mass to speak of, and peaks of the gradient.

        None if too many for a Newton step, and for a split model, whose answer EM decides in a few rounds.
        """
        if self.share < 1:
            return None
        edge = np.concatenate(([-np.inf], fit.slope, [-np.inf]))
        peak = (edge[1:-1] >= edge[:-2]) & (edge[1:-1] > edge[2:])
        active = np.flatnonzero(peak | (fit.mass > NEGLIGIBLE / fit.mass.size))
        return active if active.size <= ACTIVE else None

    def _newton(self, fit: _Fit, active: Ints) -> Floats:
        """Maximum of the quadratic approximation on the active supports, masses >= 0 (Wang 2008)."""
        from scipy.linalg import solve_triangular  # slow to load, and seldom used
        from scipy.optimize import nnls

        c, size = self.counts, active.size + 1
        pull = c.weight / c.weight.sum() / fit.likely**2
        first, past = np.searchsorted(active, c.first), np.searchsorted(active, c.last, "right")
        corners = (first * size + first, first * size + past, past * size + first, past * size + past)
        signed = np.bincount(np.concatenate(corners), np.concatenate([pull, -pull, -pull, pull]), size * size)
        # each interval adds its pull to the square of supports it covers: corners, summed along both ways
        curvature = np.cumsum(np.cumsum(signed.reshape(size, size), axis=0), axis=1)[:-1, :-1]
        # no constraint on the sum is needed: the likelihood less the sum of masses has its maximum where that is 1
        far = np.zeros(fit.mass.size)
        try:
            root = np.linalg.cholesky(curvature + RIDGE * np.trace(curvature) * np.eye(active.size))
            target = solve_triangular(root, 2 * fit.slope[active] - 1, lower=True)
            far[active] = nnls(root.T, target)[0]
        except (np.linalg.LinAlgError, RuntimeError):  # beyond rounding: stay, EM goes on alone
            return fit.mass
        return far


def _extrapolated(start: Floats, one: Floats, two: Floats) -> Floats:
    """Squared extrapolation of two EM steps; a mass that it would make negative takes half its EM step."""
    step, bend = one - start, two - 2 * one + start
    curvature = float(np.sqrt(bend @ bend))
    length = min(max(float(np.sqrt(step @ step)) / max(curvature, SMALLEST), 1.0), LONGEST)
    far = start + 2 * length * step + length**2 * bend
    return np.where(far > 0, far, two / 2)


def distribution_at(curve: TurnbullCurve, t: float) -> tuple[float, float]:
    """Least and greatest share that may have had the event by t: all that the intervals say."""
    surely, possibly = curve.mass[curve.right <= t].sum(), curve.mass[curve.left <= t].sum()
    return min(float(surely), 1.0), min(float(possibly), 1.0)


def interval_quantile(curve: TurnbullCurve, p: float) -> TimeQuantile:
    """Time by which a share p has surely had the event: the right end of the innermost interval that holds it.

    Limits: the times t at which a likelihood ratio test does not reject F(t) = p (Thomas and Grunkemeier 1975),
    widened to the ends of the innermost intervals. Where every time is censored the test is conservative (Banerjee
    and Wellner 2001) and the bootstrap is not valid. A side at infinity is None: not reached.
    ValueError unless 0 < p < 1.
    """
    check_share(p)
    holds = int(np.argmax(np.cumsum(curve.mass) >= p - NEAR))
    top = _Model(curve.counts, curve.mass.size, 1.0).at(curve.mass).value
    lowest = _furthest(curve, p, top, range(holds, 0, -1))
    highest = _furthest(curve, p, top, range(holds + 1, curve.mass.size))
    low = curve.left[holds if lowest is None else lowest - 1]
    high = curve.right[holds if highest is None else highest]
    return TimeQuantile(p, _finite(curve.right[holds]), _finite(low), _finite(high), METHOD)


def _finite(time: float) -> float | None:
    return float(time) if np.isfinite(time) else None


def _furthest(curve: TurnbullCurve, p: float, top: float, splits: range) -> int | None:
    """Last split, walking away from the estimate, that the test does not reject; the fit worsens all the way."""
    accepted, rejected = -1, len(splits)
    while rejected - accepted > 1:
        middle = (accepted + rejected) // 2
        if _fits(curve, p, top, splits[middle]):
            accepted = middle
        else:
            rejected = middle
    return None if accepted < 0 else splits[accepted]


def _fits(curve: TurnbullCurve, p: float, top: float, split: int) -> bool:
    """Whether the first `split` supports may hold p in all; stops as soon as either answer is certain."""
    bar = top - Z * Z / 2 / curve.n

    def decided(fit: _Fit) -> bool:
        return fit.value >= bar or fit.value + fit.gap < bar or fit.gap <= UNSURE / curve.n

    model = _Model(curve.counts, split, p)
    start = 0.9 * curve.mass + 0.1 / curve.mass.size  # masses at 0 must be able to grow
    return model.maximise(start, decided).value >= bar
