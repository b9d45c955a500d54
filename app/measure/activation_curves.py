"""The curve of the Activation page: cumulative incidence of activation, against its window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.measure.judged import Frame
from metrics import ALL, ROLLUPS
from metrics._activation_figures import ACTIVATED, CONVERTED, SUPPRESSED, incidence_curves
from metrics.core.incidence import incidence_at, incidence_band
from metrics.core.shapes import Floats

WINDOWS_SHOWN = 3.0  # times the window: beyond it nothing is in time


@dataclass(frozen=True)
class Curve:
    """Cumulative incidence by time since scoring.

    `time` (T,) in seconds, or in windows where signals have different ones (`window` is then None); `activated`,
    `low`, `high`, `stopped` (suppression or conversion first) (T,) are shares. `at_window`: share at the window's end.
    """

    time: Floats
    activated: Floats
    low: Floats
    high: Floats
    stopped: Floats
    window: float | None
    at_window: tuple[float, float, float] | None
    n: int


def curve_of(frame: Frame) -> Curve | None:
    """The curve of all signals in scope; None where none was followed."""
    found = frame.readings.cells(
        ROLLUPS["activation.states"], frame.scope(ALL["activation.incidence_in_window"])
    )
    if not found:
        return None
    cells = found[0][1]
    windows = np.unique(cells.window[cells.n > 0])
    one = float(windows[0]) if windows.size == 1 else None
    curves = incidence_curves(cells, in_windows=one is None)
    if not curves.n or not curves.time.size:
        return None
    end = WINDOWS_SHOWN * (one or 1.0)
    kept = curves.time <= end
    limits = incidence_band(curves, ACTIVATED)
    mark = incidence_at(curves, ACTIVATED, one or 1.0)
    stopped = curves.incidence[SUPPRESSED] + curves.incidence[CONVERTED]
    return Curve(
        curves.time[kept], curves.incidence[ACTIVATED][kept], limits.low[kept], limits.high[kept], stopped[kept], one,
        (mark.value, mark.low, mark.high) if mark else None, curves.n,
    )  # fmt: skip
