"""How long outcomes take to arrive: the arrival curve, its median, and the age from which a cohort can be judged.

Predictions without an outcome are censored at the age they have reached, never dropped and never counted as negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import sqlalchemy as sa

from data.sql import DAY_US, Facts, day_number, double, micros, real, whole
from metrics.core.cohorts import Cohorts
from metrics.core.metric import (
    Choice,
    Dimension,
    Direction,
    Estimate,
    Metric,
    Rollup,
    Setting,
    Unit,
    undefined,
)
from metrics.core.shapes import Columns, Counts, Ints
from metrics.core.survival import SurvivalCurve, kaplan_meier, quantile

NONE_YET = -1
DAY_SECONDS = 86_400.0
MATURE = 0.95
SHARE = Setting(
    "share", "0.95", "share of the outcomes that must have arrived for a cohort to count as mature"
)


@dataclass(frozen=True)
class Arrivals:
    """Predictions by day and by the whole days their outcome took (NONE_YET: none so far), (C,); `last`: newest day seen."""

    on: Ints
    age: Ints
    n: Ints
    last: int

    @classmethod
    def of(cls, columns: Columns) -> Arrivals:
        on, age, n = (columns[k].astype(np.int64) for k in ("on", "age", "n"))
        observed = int(columns["observed_us"][0]) // DAY_US if "observed_us" in columns else 0
        return cls(on, age, n, max(observed, int((on + np.maximum(age, 0)).max(initial=0))))


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    p, labels = facts["predictions"], facts["labels"]
    known = sa.select(labels.c.prediction_id, micros(labels.c.labelled_at).label("known_us")).where(
        labels.c.label.is_not(None)
    )
    known_rows = known.subquery("known")
    rows = (
        sa.select(
            micros(p.c.predicted_at).label("us"),
            *(p.c[d].label(d) for d in facts.dims),
            known_rows.c.known_us,
        )
        .select_from(p.outerjoin(known_rows, p.c.prediction_id == known_rows.c.prediction_id))
        .where(facts.within(p.c.predicted_at), facts.pinned(p))
        .subquery("rows_")
    )
    days = whole(sa.func.floor((double(rows.c.known_us) - double(rows.c.us)) / real(DAY_US)))
    age = sa.case((rows.c.known_us.is_(None), NONE_YET), (rows.c.known_us < rows.c.us, 0), else_=days)
    aged = sa.select(
        day_number(rows.c.us).label("day"), *(rows.c[d] for d in facts.dims), age.label("age")
    ).subquery("aged")
    keys = [aged.c.day, *(aged.c[d] for d in facts.dims), aged.c.age]
    return sa.select(*keys, aged.c.day.label("on"), sa.func.count().label("n")).group_by(*keys)


ARRIVALS: Rollup[Arrivals] = Rollup(
    key="model.arrivals",
    title="Outcomes by the days they took to arrive",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version"),
    inner=("on", "age"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=Arrivals.of,
    observed=("labels",),
)


def arrival_curve(cells: Arrivals) -> SurvivalCurve | None:
    """Share of outcomes still out, by age in whole days; None where no prediction was made."""
    if not cells.n.sum():
        return None
    come = cells.age >= 0
    seen = np.where(come, cells.age, np.maximum(cells.last - cells.on, 0))
    # An outcome of age a came in day a + 1 of its life: it is known once that day is over.
    return kaplan_meier((seen + come).astype(float), cells.n * come, cells.n * ~come)


def arrived(curve: SurvivalCurve) -> float:
    """Share of outcomes that arrive at all, as far as can be seen."""
    return 1 - float(curve.survival[-1]) if len(curve.survival) else 0.0


def _median_of(cells: Arrivals, _: Choice) -> Estimate:
    curve = arrival_curve(cells)
    if curve is None:
        return undefined("no predictions in this scope")
    n = int(cells.n.sum())
    if not (cells.age >= 0).any():
        return undefined("no outcome has arrived yet: load labels", n)
    found = quantile(curve, 0.5)
    if found.value is None:
        return undefined(f"fewer than half of the outcomes arrive ({arrived(curve):.0%} so far)", n)
    low, high = (None if x is None else x * DAY_SECONDS for x in (found.low, found.high))
    both = low is not None and high is not None
    told = () if both else ("the upper limit cannot be told yet",)
    return Estimate(
        found.value * DAY_SECONDS, low if both else None, high if both else None, n, warnings=told
    )


def _maturity_of(cells: Arrivals, choice: Choice) -> Estimate:
    days = maturity_days(cells, float(dict(choice.values).get("share", SHARE.default)))
    n = int(cells.n.sum())
    if days is None:
        return undefined(
            "no outcome has arrived yet: load labels" if n else "no predictions in this scope", n
        )
    curve = arrival_curve(cells)
    held = arrived(curve) if curve is not None else 0.0
    told = f"of all predictions {held:.1%} get an outcome at last, as far as can be seen"
    return Estimate(days * DAY_SECONDS, n=n, method="Kaplan-Meier, whole days", warnings=(told,))


def maturity_days(cells: Arrivals, share: float = MATURE) -> int | None:
    """Days after which `share` of the outcomes that will come have come; None where none has come."""
    curve = arrival_curve(cells)
    if curve is None or not (cells.age >= 0).any():
        return None
    level = share * arrived(curve)
    at = int(np.argmax(1 - curve.survival >= level - 1e-12))
    return round(float(curve.time[at]))


def last_mature_day(cells: Arrivals) -> int | None:
    """Last day whose outcomes can be judged; None where all days can, or where no outcome has come at all.

    A day is mature past the maturity age, or once it has as many outcomes as a mature one: 95 % of the final share.
    """
    days, curve = maturity_days(cells), arrival_curve(cells)
    if days is None or curve is None:
        return None
    on, at = np.unique(cells.on, return_inverse=True)
    total, known = (np.bincount(at, x, len(on)) for x in (cells.n, cells.n * (cells.age >= 0)))
    old = on + 1 + days <= cells.last
    full = known >= MATURE * arrived(curve) * total - 1e-9
    young = np.flatnonzero(~(old | full))
    return int(on[young[0]]) - 1 if len(young) else None


COHORTS = Cohorts(
    ARRIVALS,
    "model_id",
    last_mature_day,
    "too young to be judged: the outcomes of these days are still coming in",
)

_metric = partial(
    Metric[Arrivals], dimension=Dimension.TECHNICAL, rollup=ARRIVALS, owner="model owner", unit=Unit.SECONDS,
    direction=Direction.LOWER, apart=("model_id",),
)  # fmt: skip

LABEL_DELAY = _metric(
    key="model.label_delay_median",
    title="Time until an outcome is known (median)",
    question="How long does it take to learn whether the model was right?",
    definition=(
        "Median of the days from prediction to outcome, by Kaplan-Meier: predictions without an outcome count for as long "
        "as they have waited."
    ),
    why="Nothing about the model's quality can be known sooner, and no correction can come sooner.",
    finalise=_median_of,
    interval="Kaplan-Meier, log-log",
    references=("Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452",),
)
MATURITY_AGE = _metric(
    key="model.maturity_age",
    title="Age at which a cohort can be judged",
    question="How old must predictions be before their results can be believed?",
    definition=(
        "Days by which 95 % of the outcomes that arrive at all have arrived, by Kaplan-Meier. Younger cohorts are "
        "estimated, not measured: early outcomes are rarely typical ones."
    ),
    why="Comparing last week, a third of it known, with a finished month is the commonest false alarm there is.",
    finalise=_maturity_of,
    interval="none: whole days of a curve",
    settings=(SHARE,),
    references=("Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452",),
)

LABEL_METRICS = (LABEL_DELAY, MATURITY_AGE)
