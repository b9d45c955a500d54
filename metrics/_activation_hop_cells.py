"""The cells of hops: steps between neighbouring hops, and whole chains from score to person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.schema import HOPS
from metrics._activation_grid import SECOND
from metrics.core.shapes import Columns, Floats, Ints


@dataclass(frozen=True)
class StepCells:
    """Steps of one slice, one entry a cell: steps counted, their mean seconds, and the chain they belong to.

    low, high: bounds of the seconds; equal to them unless the step is known only to the start and end of a batch run
    that are further apart than a tenth of the window.
    """

    hop: np.ndarray
    mask: Ints
    broken: Ints
    n: Ints
    inverted: Ints
    seconds: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, columns: Columns) -> StepCells:
        n = columns["n"].astype(np.int64)
        seconds, low, high = (
            columns[k].astype(float) / np.maximum(n, 1) / SECOND for k in ("us", "low_us", "high_us")
        )
        ints = (columns[k].astype(np.int64) for k in ("mask", "broken"))
        mask, broken = ints
        code = columns["step"].astype(np.int64)
        hop = np.array([f"{HOPS[c // 100]}->{HOPS[c % 100]}" for c in code], dtype=object)
        return cls(hop, mask, broken, n, columns["inverted"].astype(np.int64), seconds, low, high)


WAITS = ("manual_us", "manual_worked_us", "total_us", "total_worked_us")


@dataclass(frozen=True)
class ChainCells:
    """Chains of one slice, one entry a cell: mask of hops up to sent, n, and seconds waited (all, manual).

    The pairs hold seconds of wall-clock and of working time.
    """

    mask: Ints
    broken: Ints
    n: Ints
    observed: Ints
    manual: Ints
    manual_seconds: tuple[float, float]
    total_seconds: tuple[float, float]

    @classmethod
    def of(cls, columns: Columns) -> ChainCells:
        mask, broken, n, observed, manual = (
            columns[k].astype(np.int64) for k in ("mask", "broken", "n", "observed", "manual")
        )
        by_hand, by_hand_worked, total, total_worked = (
            float(columns[k].astype(float).sum()) / SECOND for k in WAITS
        )
        return cls(mask, broken, n, observed, manual, (by_hand, by_hand_worked), (total, total_worked))
