"""The rows of the attribution contest: 50,000 units x 20 periods in long form, as columns. numpy only: peers read it too."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNITS, PERIODS, FIRST = int(os.environ.get("THROUGHLINE_BENCH_UNITS", "50000")), 20, 10
COHORTS = (0, 8, 12, 16)  # first treated period; 0 is never
FEW = 2_000  # units of the rows that warm a contender up before the clock starts


@dataclass(frozen=True)
class Rows:
    """Columns (n,) of the rows, unit by unit: codes of unit and period, flags, outcomes of the three studies.

    `arm` is the same in all rows of a unit, `cohort` too; `on` is 1 for treated units from period FIRST on.
    """

    unit: np.ndarray
    period: np.ndarray
    arm: np.ndarray
    cohort: np.ndarray
    on: np.ndarray
    y_trial: np.ndarray
    y_did: np.ndarray
    y_roll: np.ndarray

    def first(self, units: int) -> Rows:
        return Rows(**{name: column[: units * PERIODS] for name, column in vars(self).items()})


def make(units: int = UNITS) -> Rows:
    """Levels of units and periods, AR(1) errors with rho 0.5, an effect of 0.3 in each study."""
    rng = np.random.default_rng(20261121)
    noise = rng.normal(0, 1, (units, PERIODS))
    for t in range(1, PERIODS):
        noise[:, t] = 0.5 * noise[:, t - 1] + np.sqrt(0.75) * noise[:, t]
    plain = rng.normal(10, 2, (units, 1)) + rng.normal(0, 1, PERIODS) + noise
    arm, cohort = rng.permutation(np.arange(units) % 2), rng.permutation(np.resize(COHORTS, units))
    time = np.arange(PERIODS)
    on = arm[:, None] * (time >= FIRST)
    rolled = (cohort[:, None] > 0) & (time >= cohort[:, None])
    wide = {
        "y_trial": plain + 0.3 * arm[:, None],
        "y_did": plain + 0.3 * on,
        "y_roll": plain + 0.3 * rolled,
        "on": on,
    }
    return Rows(
        unit=np.repeat(np.arange(units), PERIODS), period=np.tile(time, units), arm=np.repeat(arm, PERIODS),
        cohort=np.repeat(cohort, PERIODS), **{k: v.ravel() for k, v in wide.items()},
    )  # fmt: skip


def save(path: Path) -> None:
    np.savez(path, **vars(make()))


def load(path: Path) -> Rows:
    with np.load(path) as held:
        return Rows(**{name: held[name] for name in held.files})
