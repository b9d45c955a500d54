"""Our part of the attribution contest: what the app's estimators answer, from arrays."""

from __future__ import annotations

import csv
from collections.abc import Callable

import numpy as np

from metrics.attribution import did, donors, interrupted, randomised, rollout
from metrics.attribution.did import Adoption
from metrics.attribution.donors import Control
from metrics.attribution.interrupted import Interrupted
from metrics.attribution.panel import Panel
from metrics.attribution.randomised import Trial
from metrics.attribution.series import Series
from metrics.attribution.staggered import Rollout
from metrics.attribution.structural import impacts
from metrics.attribution.synthetic import METHODS, Blocks, by_placebo, placebos
from tests.bench.attribution_rows import FIRST, PERIODS, Rows
from tests.cases import CASES

Answer = dict[str, float]


def ours_trial(held: Rows) -> Answer:
    """The whole answer: CR2 with its degrees of freedom, the other methods beside it; compared is CR1's figure."""
    none = np.empty((len(held.y_trial), 0))
    found = randomised.estimate(Trial(held.y_trial, held.arm.astype(float), none, cluster=held.unit))
    (same,) = [a for a in found.alternatives if a.method.startswith("CR1")]
    assert same.estimate is not None
    assert same.se is not None
    return {"effect": same.estimate, "se": same.se}


def _panel(held: Rows, outcome: np.ndarray) -> Panel:
    units = int(held.unit[-1]) + 1
    cells = np.full(units * PERIODS, np.nan)
    cells[held.unit * PERIODS + held.period] = outcome
    labels = tuple(map(str, range(PERIODS)))
    return Panel(cells.reshape(units, -1), np.arange(PERIODS) * 1.0, labels, np.empty((units, 0)))


def ours_did(held: Rows) -> Answer:
    """The whole answer: effect, event study, gates, the other methods; compared is the two-way figure."""
    treated = held.arm[::PERIODS].astype(float)
    found = did.estimate(Adoption(_panel(held, held.y_did), treated, FIRST))
    (same,) = [a for a in found.alternatives if a.method.startswith("two-way")]
    assert same.estimate is not None
    assert same.se is not None
    return {"effect": same.estimate, "se": same.se}


def ours_roll(held: Rows) -> Answer:
    """The whole answer: four aggregations, both comparison groups, path and gates; compared is the simple one."""
    cohort = held.cohort[::PERIODS]
    start = cohort + (cohort == 0) * PERIODS
    found = rollout.estimate(Rollout(_panel(held, held.y_roll), start), "simple").effect
    assert found.estimate is not None
    assert found.se is not None
    return {"effect": found.estimate, "se": found.se}


def ours_control(_: Rows) -> Answer:
    """Proposition 99: synthetic difference-in-differences with the placebos of all 38 states."""
    blocks = _california()
    fit = METHODS["sdid"](blocks)
    others = placebos(blocks, "sdid", 0)
    found = by_placebo(fit.estimate, np.array([o.estimate for o in others]), "")
    assert found.estimate is not None
    assert found.p_value is not None
    return {"effect": found.estimate, "p": found.p_value}


def ours_control_whole(_: Rows) -> Answer:
    """The same as the app answers it: four methods with placebos each, pretended dates, leave one out, all gates."""
    blocks = _california()
    names = tuple(map(str, range(len(blocks.donors))))
    labels = tuple(map(str, range(len(blocks.treated))))
    found = donors.estimate(Control(blocks, labels, names, "sdid", 0)).effect
    assert found.estimate is not None
    assert found.p_value is not None
    return {"effect": found.estimate, "p": found.p_value}


def _california() -> Blocks:
    with (CASES / "attribution" / "california_prop99.csv").open() as file:
        held = [
            (r["State"], int(r["Year"]), float(r["PacksPerCapita"]))
            for r in csv.DictReader(file, delimiter=";")
        ]
    states = sorted({s for s, _, _ in held} - {"California"})
    years = sorted({y for _, y, _ in held})
    cells = {(s, y): v for s, y, v in held}
    others = np.array([[cells[s, y] for y in years] for s in states])
    return Blocks(others, np.array([cells["California", y] for y in years]), years.index(1989))


def _series() -> Series:
    rng = np.random.default_rng(1)
    controls = rng.normal(0, 1, (730, 3)).cumsum(axis=0) * 0.3 + rng.normal(0, 1, (730, 3))
    y = 100 + controls @ np.array([1.0, 0.5, 0.2]) + rng.normal(0, 1, 730) + 2.0 * (np.arange(730) >= 640)
    return Series(y, np.arange(730.0), 640, tuple(map(str, range(730))), controls)


def ours_gibbs(_: Rows) -> Answer:
    """One model, 2,000 draws after 200: the counterfactual of every period, its band, the effect."""
    (found,) = impacts(_series(), (0.01,))
    assert found.effect.estimate is not None
    return {"effect": found.effect.estimate}


def ours_gibbs_whole(_: Rows) -> Answer:
    """The same as the app answers it: three priors, each tried at ten pretended dates, and the gates."""
    found = interrupted.estimate(Interrupted(_series(), "gaussian", flow=True)).effect
    assert found.estimate is not None
    return {"effect": found.estimate}


OURS: dict[str, Callable[[Rows], Answer]] = {
    "ours, randomised": ours_trial, "ours, difference-in-differences": ours_did, "ours, staggered": ours_roll,
    "ours, synthetic control with 38 placebos": ours_control, "ours, synthetic control, the whole answer": ours_control_whole,
    "ours, structural series": ours_gibbs, "ours, structural series, the whole answer": ours_gibbs_whole,
}  # fmt: skip
