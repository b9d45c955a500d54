"""One or few treated units: synthetic difference-in-differences, demeaned and plain synthetic control, and DiD.

Arkhangelsky et al. (2021, doi:10.1257/aer.20190159) with the R package's regularisation. Inference is by placebo:
each untreated unit takes the part of the treated one; p value and interval come from the same ranks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metrics.attribution.result import ROUNDING, Effect
from metrics.attribution.simplex import simplex_weights
from metrics.core.shapes import Floats, Ints

TINY = 1e-6  # regularisation that only makes a solution unique
PLACEBOS = 400  # draws of placebo groups where not all can be tried


@dataclass(frozen=True)
class Blocks:
    """Outcomes of donors (N0, T) and the mean of the treated (T,), of `count` units, treated from period `first`."""

    donors: Floats
    treated: Floats
    first: int
    count: int = 1


@dataclass(frozen=True)
class Fitted:
    """An estimate with its donor weights (N0,), its path (T,), the fit before and the optimality gap."""

    estimate: float
    weights: Floats
    path: Floats
    rmse: float
    gap: float


def noise(donors: Floats, first: int) -> float:
    """Standard deviation of the donors' period-to-period changes before treatment."""
    changes = np.diff(donors[:, :first], axis=1)
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0


def _weighted(blocks: Blocks, ridge: float, *, intercept: bool) -> tuple[Floats, float, float]:
    before = slice(0, blocks.first)
    found = simplex_weights(
        blocks.donors[:, before].T, blocks.treated[before], ridge * blocks.first, intercept=intercept
    )
    return found.values, found.rmse, found.gap


def sdid(blocks: Blocks) -> Fitted:
    """Synthetic difference-in-differences: weights on donors and on periods before treatment."""
    sigma = noise(blocks.donors, blocks.first)
    late = blocks.donors.shape[1] - blocks.first
    zeta = (blocks.count * late) ** 0.25 * sigma
    unit, rmse, gap = _weighted(blocks, zeta**2, intercept=True)
    before, after = blocks.donors[:, : blocks.first], blocks.donors[:, blocks.first :].mean(axis=1)
    period = simplex_weights(before, after, (TINY * sigma) ** 2 * len(before), intercept=True)
    return _fitted(blocks, unit, period.values, rmse, max(gap, period.gap))


def demeaned(blocks: Blocks) -> Fitted:
    """Synthetic control that may differ in level: follows the shape of the treated series."""
    sigma = noise(blocks.donors, blocks.first)
    unit, rmse, gap = _weighted(blocks, (TINY * sigma) ** 2, intercept=True)
    return _fitted(blocks, unit, np.full(blocks.first, 1 / blocks.first), rmse, gap)


def plain(blocks: Blocks) -> Fitted:
    """Synthetic control of Abadie and Gardeazabal on all outcomes before treatment."""
    sigma = noise(blocks.donors, blocks.first)
    unit, rmse, gap = _weighted(blocks, (TINY * sigma) ** 2, intercept=False)
    return _fitted(blocks, unit, np.zeros(blocks.first), rmse, gap)


def did(blocks: Blocks) -> Fitted:
    """Every donor and every period before treatment counts the same."""
    n = len(blocks.donors)
    path = blocks.treated - blocks.donors.mean(axis=0)
    before = path[: blocks.first]
    return _fitted(
        blocks, np.full(n, 1 / n), np.full(blocks.first, 1 / blocks.first), float(before.std()), 0.0
    )


METHODS: dict[str, Callable[[Blocks], Fitted]] = {
    "sdid": sdid, "demeaned_sc": demeaned, "sc": plain, "did": did,
}  # fmt: skip
NAMES = {
    "sdid": "synthetic difference-in-differences",
    "demeaned_sc": "demeaned synthetic control",
    "sc": "synthetic control",
    "did": "difference-in-differences (same weight for every donor)",
}


def _fitted(blocks: Blocks, unit: Floats, period: Floats, rmse: float, gap: float) -> Fitted:
    difference = blocks.treated - unit @ blocks.donors
    path = difference - period @ difference[: blocks.first]
    path[np.abs(path) <= 16 * ROUNDING * np.abs(blocks.treated).max()] = (
        0.0  # else placebos would rank last digits
    )
    return Fitted(float(path[blocks.first :].mean()), unit, path, rmse, gap)


def placebos(blocks: Blocks, method: str, seed: int) -> tuple[Fitted, ...]:
    """The method on donors that take the treated units' part: all groups of their size, or a seeded draw of them."""
    n, size = len(blocks.donors), blocks.count
    if n - size < 2:
        return ()
    return tuple(METHODS[method](_as_if(blocks, list(g))) for g in _groups(n, size, seed))


def _groups(n: int, size: int, seed: int) -> list[tuple[int, ...]]:
    if math.comb(n, size) <= PLACEBOS:
        return list(itertools.combinations(range(n), size))
    rng = np.random.default_rng(seed)
    if size == 1:  # each at most once
        return [(int(i),) for i in rng.permutation(n)[:PLACEBOS]]
    drawn: Ints = rng.random((PLACEBOS, n)).argsort(axis=1)[:, :size]
    return [tuple(int(i) for i in row) for row in drawn]


def _as_if(blocks: Blocks, group: list[int]) -> Blocks:
    rest = np.delete(blocks.donors, group, axis=0)
    return Blocks(rest, blocks.donors[group].mean(axis=0), blocks.first, blocks.count)


def by_placebo(value: float, others: Floats, name: str) -> Effect:
    """An effect with placebo standard error, rank p value, and the interval of effects that the ranks do not reject."""
    method = f"{name}, placebo inference"
    count = len(others)
    if count < 2:
        return Effect(value, method=method, reason=f"{count} placebos: no inference is possible")
    if not others.any():
        return Effect(value, method=method, reason="no placebo moves at all: nothing to judge the effect by")
    p = (1 + float((np.abs(others) >= abs(value) * (1 - 1e-12)).sum())) / (count + 1)
    se = float(others.std(ddof=1))
    allowed = math.floor(0.05 * (count + 1))  # ranks that are rejected at 5 %
    if allowed < 1:
        reason = f"{count} placebos cannot reach p = 0.05: there is no 95 % interval"
        return Effect(value, se, p_value=p, method=method, reason=reason)
    reach = float(np.sort(np.abs(others))[::-1][allowed - 1])
    return Effect(value, se, value - reach, value + reach, p, method)
