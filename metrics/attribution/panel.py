"""Units by periods: the table that difference-in-differences and synthetic controls work on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metrics.attribution.result import largest
from metrics.core.shapes import Floats, Ints

ROUNDS, SETTLED = 500, 1e-12
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Panel:
    """Outcomes (N, T), NaN where a cell is missing; `cluster` (N,) codes; `weight` (N,); `covariates` (N, k).

    `at` (T,) orders the periods, `labels` are the file's words for them.
    """

    outcome: Floats
    at: Floats
    labels: tuple[str, ...]
    covariates: Floats
    cluster: Ints | None = None
    weight: Floats | None = None
    seed: int = 0

    @property
    def units(self) -> int:
        return int(self.outcome.shape[0])

    @property
    def periods(self) -> int:
        return int(self.outcome.shape[1])

    @cached_property
    def largest(self) -> float:
        """The largest outcome in absolute size."""
        return largest(self.outcome)

    @property
    def groups(self) -> Ints:
        """Cluster of each unit; the unit itself where no cluster is named."""
        return np.arange(self.units) if self.cluster is None else self.cluster


def residual(values: Floats, known: Bools) -> Floats:
    """`values` (N, T) less unit and period effects over the known cells; 0 elsewhere. By alternating projections."""
    if known.all():  # nothing is missing: one step gives what the projections settle at
        by_unit, by_period = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
        centred: Floats = values - by_unit - by_period + values.mean()
        return centred
    left = np.where(known, values, 0.0)
    rows, columns = known.sum(axis=1, keepdims=True), known.sum(axis=0, keepdims=True)
    scale = float(np.abs(left).max()) or 1.0
    for _ in range(ROUNDS):
        by_row = left.sum(axis=1, keepdims=True) / np.maximum(rows, 1)
        left = np.where(known, left - by_row, 0.0)
        by_column = left.sum(axis=0, keepdims=True) / np.maximum(columns, 1)
        left = np.where(known, left - by_column, 0.0)
        if float(np.abs(by_row).max()) < SETTLED * scale and float(np.abs(by_column).max()) < SETTLED * scale:
            break
    return left


def two_way(panel: Panel, treated: Floats) -> tuple[float, float]:
    """Two-way fixed-effects coefficient of `treated` (N, T) and its CR1 standard error by cluster."""
    known = np.isfinite(panel.outcome)
    d, y = residual(treated, known), residual(panel.outcome, known)
    square = float((d * d).sum())
    if square <= SETTLED * known.sum():
        return float("nan"), float("nan")
    beta = float((d * y).sum()) / square
    scores = np.bincount(panel.groups, (d * (y - beta * d)).sum(axis=1))
    groups = len(scores)
    if groups < 2:
        return beta, float("nan")
    return beta, float(np.sqrt((scores @ scores) * groups / (groups - 1)) / square)
