"""Studies in which nothing happened, as the app would be handed them: what a nominal 5 % is worth is counted on these.

Every kind is a function of a seed. Errors follow AR(1), clusters number 6 to 40, treated units 1 to 5 where a design is
meant for few; the rows reach the design by its own specification and are graded by the app's own function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from app.measure.studies.run import DESIGNS
from app.measure.studies.spec import Source, Spec
from app.measure.studies.table import Table
from metrics.attribution.grade import ATTRIBUTED, grade
from metrics.attribution.result import Answer

Rng = np.random.Generator
Study = tuple[Spec, Table]


@dataclass(frozen=True)
class Judged:
    """One study of nothing: whether it may be called attributed, and whether its interval leaves 0 out (None: it has none)."""

    attributed: bool
    rejected: bool | None


def spec(design: str, **more: object) -> Spec:
    always = {
        "name": "null", "design": design, "source": Source(), "direction": "higher_is_better", "coding_confirmed": True,
        "outcome": "y", "chosen_on_baseline": False, "other_interventions": (),
    }  # fmt: skip
    return Spec(**{**always, **more})  # type: ignore[arg-type]


def table(**columns: object) -> Table:
    held = pa.table({n: pa.array(np.asarray(v)) for n, v in columns.items()})
    return Table(held, "null.csv", ".", np.arange(2, held.num_rows + 2), "")


def answer(study: Study, seed: int) -> Answer:
    asked, rows = study
    return DESIGNS[asked.design](asked, rows, seed)


def judged(make: Callable[[Rng], Study], seed: int) -> Judged:
    study = make(np.random.default_rng(seed))
    found = answer(study, seed)
    e = found.effect
    rejected = None if e.low is None or e.high is None else not e.low <= 0 <= e.high
    return Judged(grade(study[0].design, found.diagnostics) in ATTRIBUTED, rejected)


def ar(rng: Rng, rows: int, length: int, rho: float) -> np.ndarray:
    """Stationary AR(1) series (rows, length) of variance 1."""
    noise = rng.normal(0, np.sqrt(1 - rho * rho), (rows, length))
    noise[:, 0] = rng.normal(0, 1, rows)
    for t in range(1, length):
        noise[:, t] += rho * noise[:, t - 1]
    return noise


def half(rng: Rng, n: int) -> np.ndarray:
    return rng.permutation(np.arange(n) % 2)


ARMS = {"arm": "arm", "treated": 1, "control": 0, "expected_split": 0.5}


def plain(rng: Rng) -> Study:
    n = int(rng.integers(60, 400))
    return spec("randomised", **ARMS), table(arm=half(rng, n), y=rng.normal(0, 1, n))


def skewed(rng: Rng) -> Study:
    n = int(rng.integers(200, 600))
    return spec("randomised", **ARMS), table(arm=half(rng, n), y=rng.lognormal(0, 1, n))


def adjusted(rng: Rng) -> Study:
    n = int(rng.integers(60, 400))
    before = rng.normal(10, 2, n)
    rows = table(arm=half(rng, n), before=before, y=before + rng.normal(0, 1 + (before > 11), n))
    return spec("randomised", **ARMS, pre_outcome="before"), rows


def clustered(rng: Rng) -> Study:
    groups = int(rng.integers(6, 41))
    size = rng.integers(5, 40, groups)
    of = np.repeat(np.arange(groups), size)
    y = rng.normal(0, 0.6, groups)[of] + rng.normal(0, 1, len(of))
    return spec("randomised", **ARMS, cluster="site"), table(site=of, arm=half(rng, groups)[of], y=y)


def logged(rng: Rng) -> Study:
    n = int(rng.integers(60, 400))
    return spec("randomised", **ARMS, log_outcome=True), table(arm=half(rng, n), y=rng.lognormal(2, 1, n))


def ratio(rng: Rng) -> Study:
    n = int(rng.integers(200, 600))
    base = rng.poisson(8, n) + 1.0
    return spec("randomised", **ARMS, denominator="base"), table(
        arm=half(rng, n), base=base, y=rng.binomial(base.astype(int), 0.3) + 0.0
    )


def stratified(rng: Rng) -> Study:
    n = int(rng.integers(80, 400))
    of = np.arange(n) % 4
    arm = np.concatenate([half(rng, int((of == s).sum())) for s in range(4)])
    order = np.argsort(of, kind="stable")
    where = np.empty(n, dtype=int)
    where[order] = arm
    return spec("randomised", **ARMS, stratum="s"), table(s=of, arm=where, y=rng.normal(0, 1, n) + of)


def long(y: np.ndarray, **by_unit: object) -> Table:
    """A panel (N, T) in long form, with columns that are the same in every row of a unit."""
    n, periods = y.shape
    columns = {name: np.repeat(np.asarray(v), periods) for name, v in by_unit.items()}
    return table(
        unit=np.repeat(np.arange(n), periods), period=np.tile(np.arange(periods), n), y=y.ravel(), **columns
    )


def levels(rng: Rng, units: int, periods: int, rho: float) -> np.ndarray:
    return rng.normal(20, 3, (units, 1)) + rng.normal(0, 1, periods) + ar(rng, units, periods, rho)


def two_groups(rng: Rng, units: int, treated: int, rho: float) -> Study:
    flag = np.zeros(units, dtype=int)
    flag[rng.choice(units, treated, replace=False)] = 1
    asked = spec("did", unit="unit", period="period", treated_unit="ai", treated_from=8)
    return asked, long(levels(rng, units, 12, rho), ai=flag)


def did_half(rng: Rng) -> Study:
    units = int(rng.integers(6, 41))
    return two_groups(rng, units, units // 2, 0.8)


def did_few(rng: Rng) -> Study:
    return two_groups(rng, int(rng.integers(20, 41)), int(rng.integers(1, 6)), 0.8)


def did_clusters(rng: Rng) -> Study:
    groups = int(rng.integers(6, 41))
    of = np.repeat(np.arange(groups), 4)
    y = levels(rng, len(of), 12, 0.5) + ar(rng, groups, 12, 0.8)[of]
    asked = spec("did", unit="unit", period="period", treated_unit="ai", treated_from=8, cluster="site")
    return asked, long(y, ai=half(rng, groups)[of], site=of)


def rolled_out(rng: Rng, units: int, rho: float, **more: object) -> Study:
    start = rng.permutation(np.resize([0, 0, 6, 8, 10], units))
    asked = spec("staggered", unit="unit", period="period", cohort="start", **more)
    return asked, long(levels(rng, units, 12, rho), start=start)


def staggered_many(rng: Rng) -> Study:
    return rolled_out(rng, int(rng.integers(20, 41)), 0.8)


def staggered_few(rng: Rng) -> Study:
    return rolled_out(rng, int(rng.integers(8, 20)), 0.5)


def staggered_later(rng: Rng) -> Study:
    return rolled_out(rng, int(rng.integers(20, 41)), 0.5, control_group="not_yet_treated")


def controlled(rng: Rng, treated: int, donors: int, rho: float, method: str) -> Study:
    """Two common factors with loadings of their own, so that donors can follow the treated."""
    units, periods = treated + donors, 20
    factors = ar(rng, 2, periods, 0.8)
    y = 20 + rng.uniform(0, 1, (units, 2)) @ factors * 2 + 0.7 * ar(rng, units, periods, rho)
    asked = spec(
        "synthetic_control", unit="unit", period="period", treated_from=12, method=method,
        treated_units=tuple(range(treated)),
    )  # fmt: skip
    return asked, long(y)


def synthetic_one(rng: Rng) -> Study:
    return controlled(rng, 1, int(rng.integers(19, 26)), float(rng.choice([0.0, 0.5, 0.8])), "sdid")


def synthetic_plain(rng: Rng) -> Study:
    return controlled(rng, 1, int(rng.integers(19, 26)), 0.5, str(rng.choice(["sc", "demeaned_sc"])))


def synthetic_few(rng: Rng) -> Study:
    return controlled(rng, int(rng.integers(2, 6)), 19, 0.5, "sdid")


def series(rng: Rng, rho: float) -> Study:
    n = 72
    y = 50 + 0.05 * np.arange(n) + 2 * ar(rng, 1, n, rho)[0]
    return spec("interrupted_series", period="t", treated_from=48), table(t=np.arange(n), y=y)


def series_white(rng: Rng) -> Study:
    return series(rng, 0.0)


def series_half(rng: Rng) -> Study:
    return series(rng, 0.5)


def series_strong(rng: Rng) -> Study:
    return series(rng, 0.8)


def counts(rng: Rng) -> Study:
    n = 72
    mean = np.exp(3 + 0.3 * np.sin(2 * np.pi * np.arange(n) / 12))
    y = rng.negative_binomial(20, 20 / (20 + mean)) + 0.0
    asked = spec(
        "interrupted_series", period="t", treated_from=48, family="quasipoisson", season_period=12.0, harmonics=1, flow=True
    )  # fmt: skip
    return asked, table(t=np.arange(n), y=y)


def followed(rng: Rng, rho: float) -> Study:
    """One series with one to three control series that it follows, for the Bayesian model."""
    n, count = 72, int(rng.integers(1, 4))
    other = 50 + 3 * ar(rng, count, n, 0.7)
    y = 10 + rng.uniform(0.2, 0.6, count) @ other + ar(rng, 1, n, rho)[0]
    names = ("a", "b", "c")[:count]
    asked = spec("interrupted_series", period="t", treated_from=48, controls=names)
    return asked, table(t=np.arange(n), y=y, **dict(zip(names, other, strict=True)))


def followed_white(rng: Rng) -> Study:
    return followed(rng, 0.0)


def followed_half(rng: Rng) -> Study:
    return followed(rng, 0.5)


def followed_strong(rng: Rng) -> Study:
    return followed(rng, 0.8)


# The kinds of each design, and how many of 40 studies are of each; dear kinds are few.
KINDS: dict[str, tuple[tuple[Callable[[Rng], Study], int], ...]] = {
    "randomised": (
        (plain, 6),
        (skewed, 6),
        (adjusted, 6),
        (clustered, 10),
        (logged, 4),
        (ratio, 4),
        (stratified, 4),
    ),
    "did": ((did_half, 16), (did_few, 12), (did_clusters, 12)),
    "staggered": ((staggered_many, 14), (staggered_few, 12), (staggered_later, 14)),
    "synthetic_control": ((synthetic_one, 30), (synthetic_plain, 9), (synthetic_few, 1)),
    "interrupted_series": ((series_white, 10), (series_half, 10), (series_strong, 10), (counts, 10)),
    "series_with_controls": ((followed_white, 14), (followed_half, 13), (followed_strong, 13)),
}


def kind_of(design: str, seed: int) -> Callable[[Rng], Study]:
    """Which kind the study of a seed is: every 40 in a row hold each kind in its share, spread out."""
    turns = [(at / weight, make) for make, weight in KINDS[design] for at in range(weight)]
    order = sorted(range(len(turns)), key=lambda i: turns[i][0])
    return turns[order[seed % len(order)]][1]
