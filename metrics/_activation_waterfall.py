"""The waterfall of hops: the mean way from score to person, cut into legs that add up to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.schema import HOPS
from metrics._activation_figures import whole_mask
from metrics._activation_hop_cells import StepCells
from metrics._activation_hop_rows import TO_SENT
from metrics.core.shapes import Floats, Ints


@dataclass(frozen=True)
class Leg:
    """One step of the way, `start` to `end` (names of hops): mean, median and p90 seconds over n complete chains.

    `unobserved`: hops between the two that no chain has logged.
    """

    start: str
    end: str
    mean: float
    median: float
    p90: float
    n: int
    unobserved: tuple[str, ...] = ()


def waterfall(cells: StepCells) -> tuple[Leg, ...]:
    """Legs from scored to sent over complete chains, in order; their means add up to the mean way of these chains.

    Empty where no chain is complete. Only chains with every hop that occurs in the slice count, none out of order.
    """
    ends = np.array([HOPS.index(str(h).partition("->")[2]) for h in cells.hop], dtype=np.int64)
    full = (cells.mask == whole_mask(cells.mask)) & (cells.broken == 0) & (ends < TO_SENT) & (cells.n > 0)
    legs = []
    for end in np.unique(ends[full]):
        at = full & (ends == end)
        start = str(cells.hop[at][0]).partition("->")[0]
        legs.append(_leg(start, HOPS[end], cells.seconds[at], cells.n[at]))
    return tuple(legs)


def _leg(start: str, end: str, seconds: Floats, n: Ints) -> Leg:
    order = np.argsort(seconds)
    reached = np.cumsum(n[order])
    middle, most = (
        float(seconds[order][np.searchsorted(reached, share * reached[-1])]) for share in (0.5, 0.9)
    )
    between = HOPS[HOPS.index(start) + 1 : HOPS.index(end)]
    mean = float((seconds * n).sum() / n.sum())
    return Leg(start, end, mean, middle, most, int(n.sum()), tuple(between))
