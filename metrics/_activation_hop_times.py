"""How long half of the steps of a hop take, also where only the start and end of a batch run are known.

Steps known to an interval go to Turnbull's estimator as that interval; a midpoint would claim what nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable

from metrics._activation_hop_cells import StepCells
from metrics.core.metric import Choice, Estimate, undefined
from metrics.core.survival import TimeQuantile, kaplan_meier, quantile
from metrics.core.turnbull import interval_quantile, turnbull


def step_quantile(cells: StepCells, p: float) -> TimeQuantile | None:
    """Time by which a share p of the steps has surely ended, seconds; None without any step in order.

    Kaplan-Meier where all are exact, Turnbull where some are known to an interval. ValueError unless 0 < p < 1.
    """
    kept = cells.n > 0
    low, high, n = cells.low[kept], cells.high[kept], cells.n[kept]
    if not n.size:
        return None
    if (high > low).any():
        curve = turnbull(low, high, n)
        return None if curve is None else interval_quantile(curve, p)
    return quantile(kaplan_meier(cells.seconds[kept], n, 0 * n), p)


def hop_quantile(p: float) -> Callable[[StepCells, Choice], Estimate]:
    """Quantile of the seconds of a hop's step, over every activated signal whose step is in order."""

    def finalise(cells: StepCells, _: Choice) -> Estimate:
        kept = cells.n > 0
        n = int(cells.n[kept].sum())
        wide = int(cells.n[kept & (cells.high > cells.low)].sum())
        inverted = int(cells.inverted.sum())
        told = (
            (inverted, f"{inverted:,} out of order by more than 5 s are left out"),
            (wide, f"{wide:,} of {n:,} are known only to the start and end of a batch run"),
        )
        notes = tuple(note for size, note in told if size)
        found = step_quantile(cells, p)
        if found is None or found.value is None:
            return undefined("no step of this hop is logged in order", n, notes)
        both = found.low is not None and found.high is not None
        low, high = (found.low, found.high) if both else (None, None)
        return Estimate(found.value, low, high, n, method=found.method, warnings=notes)

    return finalise
