"""Weights that are at least 0 and sum to 1, chosen so that a weighted series follows a target: exact, by NNLS.

min |A w - b|^2 + ridge |w|^2 over the simplex is a nearest-point problem, and non-negative least squares on the
differences with one row of ones solves it exactly. An unscaled general optimiser returns uniform weights without an
error (measured: Proposition 99 becomes -41.7); the optimality gap is therefore computed and handed back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from metrics.attribution.result import StudyError
from metrics.core.shapes import Floats

PERFECT = 1e-6  # objective over the squares at hand below which a fit is perfect and its gap is measured against this


@dataclass(frozen=True)
class Weights:
    """Weights (k,), the root mean square of what is left, and the duality gap relative to the objective."""

    values: Floats
    rmse: float
    gap: float


def simplex_weights(series: Floats, target: Floats, ridge: float = 0.0, *, intercept: bool) -> Weights:
    """Weights on the columns of `series` (m, k) that follow `target` (m,); `intercept`: levels may differ."""
    if intercept:
        series, target = series - series.mean(axis=0), target - target.mean()
    k = series.shape[1]
    left = series - target[:, None]
    scale = float(np.sqrt((left**2).mean())) or 1.0
    rows = [left / scale]
    if ridge > 0:
        rows.append(math.sqrt(ridge) / scale * np.eye(k))
    stacked = np.vstack(rows)
    try:
        found, _ = nnls(
            np.vstack([stacked, np.ones(k)]), np.append(np.zeros(len(stacked)), 1.0), maxiter=30 * k + 100
        )
    except RuntimeError as error:
        raise StudyError(f"no weights were found for {k} donors: {error}; use fewer donors") from error
    if not found.sum() > 0:
        raise StudyError("no weights were found: look for donors that are far larger than the treated unit")
    values: Floats = found / found.sum()
    gradient = stacked.T @ (stacked @ values)
    objective = float(values @ gradient)
    gap = (objective - float(gradient.min())) / max(objective, PERFECT * len(left))
    return Weights(values, float(np.sqrt(((left @ values) ** 2).mean())), max(gap, 0.0))
