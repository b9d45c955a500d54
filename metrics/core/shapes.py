"""The closed set of additive shapes: what a rollup cell may hold, and the only ways cells merge.

Averages of ratios, AUCs, quantiles or p-values cannot be written here, so they cannot be averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.generic]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """Integer counts; merged by addition."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Sums:
    """Sums of quantities bounded by construction (a score, a squared error); merged by addition.

    Never sums of squares of money or time: those lose their digits and belong in `Moments`.
    """

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Moments:
    """Count, mean and centred second moment of `name`, in columns `<name>_n`, `<name>_mean`, `<name>_m2`.

    Merged by the pairwise update of Chan, Golub and LeVeque (1979), which keeps the digits that a sum of
    squares loses (an offset of 1e9 turns a variance of 1 into 3e5).
    """

    name: str

    @property
    def columns(self) -> tuple[str, str, str]:
        return f"{self.name}_n", f"{self.name}_mean", f"{self.name}_m2"


Shape = Counts | Sums | Moments


def columns_of(shapes: tuple[Shape, ...]) -> tuple[str, ...]:
    """All cell columns of a rollup, in the order declared."""
    return tuple(name for shape in shapes for name in shape.columns)


def merge_moments(
    n: Floats, mean: Floats, m2: Floats, group: Ints, groups: int
) -> tuple[Floats, Floats, Floats]:
    """Merge cells by group: arrays of length cells -> arrays of length groups. Empty groups have mean 0."""
    total = _sums(n, group, groups)
    filled = np.where(n > 0, mean, 0.0)  # an empty cell's mean is NULL; it weighs nothing
    # Centre on one cell's mean per group first, so that a large common offset cancels before the division.
    held = np.flatnonzero(n > 0)[::-1]
    offset = np.zeros(groups)
    offset[group[held]] = filled[held]
    grand = offset + _sums(n * (filled - offset[group]), group, groups) / np.maximum(total, 1.0)
    within = _sums(np.where(n > 0, m2, 0.0), group, groups)
    return total, grand, within + _sums(n * (filled - grand[group]) ** 2, group, groups)


def _sums(values: NDArray[np.generic], group: Ints, groups: int) -> Floats:
    return np.bincount(group, values.astype(float), groups).astype(float)


def merge(shapes: tuple[Shape, ...], cells: Columns, group: Ints, groups: int) -> Columns:
    """Merge the cells of each group. `group` gives the group of each cell, in [0, groups)."""
    merged: Columns = {}
    for shape in shapes:
        match shape:
            case Counts(names):
                for name in names:
                    # bincount of weights is exact below 2**53, far above any count of rows
                    merged[name] = np.rint(np.bincount(group, cells[name].astype(float), groups)).astype(
                        np.int64
                    )
            case Sums(names):
                for name in names:
                    merged[name] = _sums(cells[name], group, groups)
            case Moments():
                names3 = shape.columns
                n, mean, m2 = (cells[name].astype(float) for name in names3)
                merged |= dict(zip(names3, merge_moments(n, mean, m2, group, groups), strict=True))
    return merged
