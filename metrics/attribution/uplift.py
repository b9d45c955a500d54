"""Who gains: uplift scores by T- and DR-learners, and the Qini coefficient with its interval. Randomised data only.

Scores are cross-fitted: no unit is scored by a model that saw it. The Qini coefficient of a score without any worth is
not 0 but scatters about it (on 2,000 units with a standard deviation near 0.02), so it comes with a bootstrap interval
and with the scatter of random scores beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from metrics.attribution.result import StudyError
from metrics.core.intervals import TAIL, Z
from metrics.core.shapes import Floats, Ints

FOLDS, REPEATS, GROUPS, LEAST = 5, 400, 10, 50
METHODS = ("t_learner", "dr_learner")


@dataclass(frozen=True)
class Units:
    """Randomised units: features (n, k), treated 0 or 1 (n,), outcome (n,), and the share that was to be treated."""

    features: Floats
    treated: Floats
    outcome: Floats
    split: float


@dataclass(frozen=True)
class Qini:
    """Area between the uplift curve and random order, per unit; `random_sd`: of scores that are worth nothing."""

    value: float
    low: float
    high: float
    random_sd: float
    n: int

    @property
    def ranks(self) -> bool:
        """Whether the score orders units by what they gain, beyond chance."""
        return self.low > 0


@dataclass(frozen=True)
class Group:
    """Units of one tenth of the score, the highest first: effect with its 95 % interval (Welch, normal)."""

    rank: int
    n: int
    effect: float
    low: float
    high: float


def scores(units: Units, method: str, seed: int) -> Floats:
    """Cross-fitted scores (n,): what each unit is expected to gain. StudyError for arms too small to learn from."""
    if method not in METHODS:
        raise ValueError(f"method {method!r}: one of {', '.join(METHODS)}")
    if min(units.treated.sum(), (1 - units.treated).sum()) < LEAST * FOLDS:
        raise StudyError(
            f"an arm has fewer than {LEAST * FOLDS} units: uplift by segment cannot be learnt from so few"
        )
    found = np.empty(len(units.outcome))
    fold = _folds(units.treated, seed)
    with threadpool_limits(
        1
    ):  # the same digits on every machine, and no threads that spin beside others' work
        for held in range(FOLDS):
            there, out = fold != held, fold == held
            found[out] = _learn(units, there, units.features[out], method, seed)
    return found


def _folds(treated: Floats, seed: int) -> Ints:
    """A fold for each unit, both arms spread evenly."""
    draw = np.random.default_rng(seed)
    fold = np.empty(len(treated), dtype=np.int64)
    for arm in (0, 1):
        mine = draw.permutation(np.flatnonzero(treated == arm))
        fold[mine] = np.arange(len(mine)) % FOLDS
    return fold


def _model(seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=60, max_depth=3, learning_rate=0.08, min_samples_leaf=20, random_state=seed
    )


def _learn(units: Units, there: Floats | Ints, asked: Floats, method: str, seed: int) -> Floats:
    """Predictions for `asked` from the units `there`."""
    x, w, y = units.features[there], units.treated[there], units.outcome[there]
    with_it = _model(seed).fit(x[w == 1], y[w == 1])
    without = _model(seed).fit(x[w == 0], y[w == 0])
    if method == "t_learner":
        return np.asarray(with_it.predict(asked) - without.predict(asked))
    gain = with_it.predict(x) - without.predict(x)
    rest = np.where(
        w == 1, (y - with_it.predict(x)) / units.split, -(y - without.predict(x)) / (1 - units.split)
    )
    return np.asarray(_model(seed).fit(x, gain + rest).predict(asked))


def qini(score: Floats, units: Units, seed: int, repeats: int = REPEATS) -> Qini:
    """The Qini coefficient of a score, its percentile bootstrap interval over units, and the scatter of random scores."""
    draw = np.random.default_rng(seed)
    n = len(score)
    value = coefficient(score, units.treated, units.outcome)
    again = np.empty(repeats)
    chance = np.empty(repeats)
    for at in range(repeats):
        rows = draw.integers(0, n, n)
        again[at] = coefficient(score[rows], units.treated[rows], units.outcome[rows])
        chance[at] = coefficient(draw.random(n), units.treated, units.outcome)
    low, high = np.quantile(again, (TAIL, 1 - TAIL))
    return Qini(value, float(low), float(high), float(chance.std(ddof=1)), n)


def coefficient(score: Floats, treated: Floats, outcome: Floats) -> float:
    """Mean gap between the uplift curve and the straight line to its end, per unit; units of one score as one step."""
    order = np.argsort(-score, kind="stable")
    w, y, s = treated[order], outcome[order], score[order]
    last = np.flatnonzero(np.append(s[1:] != s[:-1], True))
    n_treated, n_control = np.cumsum(w)[last], np.cumsum(1 - w)[last]
    gained = np.cumsum(w * y)[last]
    spared = np.cumsum((1 - w) * y)[last]
    ratio = np.divide(n_treated, n_control, out=np.zeros(len(last)), where=n_control > 0)
    curve = np.concatenate([[0.0], gained - spared * ratio])
    at = np.concatenate([[0], last + 1])
    area = float(np.sum(np.diff(at) * (curve[1:] + curve[:-1]) / 2))
    n = len(score)
    return (area / n - float(curve[-1]) / 2) / n


def groups(score: Floats, units: Units) -> tuple[Group, ...]:
    """The effect in each tenth of the score, the highest first; tenths with an arm of fewer than two are left out."""
    order = np.argsort(-score, kind="stable")
    found = []
    for rank, rows in enumerate(np.array_split(order, GROUPS), start=1):
        w, y = units.treated[rows], units.outcome[rows]
        a, b = y[w == 1], y[w == 0]
        if min(len(a), len(b)) < 2:
            continue
        effect = float(a.mean() - b.mean())
        reach = Z * float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
        found.append(Group(rank, len(rows), effect, effect - reach, effect + reach))
    return tuple(found)
