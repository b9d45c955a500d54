"""Incident days: days on which fewer signals were in time than their own groups' usual shares explain.

Each group (a model) is compared with its own share over the period, so that a day of many slow signals is no incident.
The spread of ordinary days is taken from the data (days of one batch stand or fall together), and the false discovery
rate over all days is held at 5 % (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from metrics.core.shapes import Floats

RATE = 0.05
FEWEST_DAYS = 14
MAD_TO_SD = 1.4826
RULE = (
    "Marked are days on which fewer signals were in time than their models' usual shares explain, judged against the "
    "spread of ordinary days; of 20 marks about one is chance."
)


def incident_days(good: Floats, n: Floats) -> NDArray[np.bool_]:
    """Which of D days are incidents; `good` and `n` have shape (D, G): in time, and judged, by day and group.

    None is where there are fewer than FEWEST_DAYS days with signals.
    """
    judged = n.sum(axis=1) > 0
    if judged.sum() < FEWEST_DAYS:
        return np.zeros(len(n), dtype=bool)
    share = good.sum(axis=0) / np.maximum(n.sum(axis=0), 1)
    spread = np.sqrt((n * share * (1 - share)).sum(axis=1))
    able = judged & (spread > 0)
    z = np.zeros(len(n))
    z[able] = (good.sum(axis=1) - (n * share).sum(axis=1))[able] / spread[able]
    usual = MAD_TO_SD * float(np.median(np.abs(z[able] - np.median(z[able])))) if able.any() else 1.0
    p = np.where(able, ndtr(z / max(usual, 1.0)), 1.0)
    return _discovered(p)


def _discovered(p: Floats) -> NDArray[np.bool_]:
    """Benjamini-Hochberg: which p values may be called discoveries."""
    order = np.argsort(p)
    limits = RATE * np.arange(1, p.size + 1) / p.size
    passed = np.flatnonzero(p[order] <= limits)
    found = np.zeros(p.size, dtype=bool)
    if passed.size:
        found[order[: passed[-1] + 1]] = True
    return found
