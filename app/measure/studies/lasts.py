"""Whether a study's effect lasts: by cohort month where units were randomised month after month, else by its newest period."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from app.measure.studies.periods import periods_of
from app.measure.studies.spec import Spec
from app.measure.studies.table import Table
from metrics.attribution.result import Answer, StudyError, by_t
from metrics.core.intervals import Interval
from metrics.core.persistence import Course, persistence
from metrics.core.shapes import Floats, Ints

LEAST_ARM = 20  # units of a cohort's arm below which it stands in no course
MOST_COHORTS = 60


@dataclass(frozen=True)
class Cohort:
    """Units that came into the study together: `at` places them in time, in days or in periods."""

    label: str
    at: float
    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Lasts:
    """The course of the effect. `slope` a day (or period) and `half_life` only where cohorts are independent."""

    course: Course
    why: str
    unit: str = ""
    cohorts: tuple[Cohort, ...] = ()
    slope: Interval | None = None
    half_life: Interval | None = None


def lasts_of(spec: Spec, table: Table, answer: Answer) -> Lasts | None:
    """The course of a study's effect; None where the study has no time in it."""
    if spec.design != "randomised":
        return _by_newest(answer)
    if spec.period is None or spec.log_outcome or spec.denominator is not None or spec.cluster is not None:
        return None
    cohorts, unit = _cohorts(spec, table)
    if not cohorts:
        return None
    found = persistence(
        np.array([c.at for c in cohorts]), tuple(Interval(c.estimate, c.low, c.high) for c in cohorts)
    )
    return Lasts(found.course, _WHY[found.course], unit, cohorts, found.slope, found.half_life)


_WHY = {
    Course.FADING: "later cohorts gain clearly less than earlier ones",
    Course.SUSTAINED: "the newest cohort still gains, and no decay is seen",
    Course.UNCLEAR: "the newest cohort's interval holds no effect, and no decay is proven",
    Course.UNKNOWN: "fewer than three cohorts are large enough",
}


def _cohorts(spec: Spec, table: Table) -> tuple[tuple[Cohort, ...], str]:
    """The effect in each month of a date, or in each period of a number, oldest first."""
    from app.measure.studies.trial import arms_of

    treated, rows, _ = arms_of(spec, table)
    assert spec.period is not None
    periods = periods_of(table, spec.period)
    codes, labels, at, unit = periods.codes, periods.labels, periods.at, "period"
    if periods.dated:
        codes, labels, at, unit = *_months(periods.at, periods.codes), "day"
    outcome = table.numbers(spec.outcome)[rows]
    found = [
        _cohort(outcome[mine], treated[mine], labels[i], float(at[i]))
        for i in range(len(labels))
        if len(labels) <= MOST_COHORTS
        and len(mine := np.flatnonzero((codes[rows] == i) & np.isfinite(outcome)))
    ]
    return tuple(c for c in found if c is not None), unit


def _months(at: Floats, codes: Ints) -> tuple[Ints, tuple[str, ...], Floats]:
    """Rows' months (n,), their names, and the ordinal of each month's middle; `at` (T,) are days since year 1."""
    month = np.array([dt.date.fromordinal(int(day)).isoformat()[:7] for day in at])
    names, of = np.unique(month, return_inverse=True)
    middle = [dt.date.fromisoformat(f"{name}-15").toordinal() for name in names]
    return of[codes].astype(np.int64), tuple(str(n) for n in names), np.array(middle, dtype=float)


def _cohort(outcome: Floats, treated: Floats, label: str, at: float) -> Cohort | None:
    """Welch's difference in one cohort; None where an arm is too small to stand for it."""
    with_it, without = outcome[treated == 1], outcome[treated == 0]
    if min(len(with_it), len(without)) < LEAST_ARM:
        return None
    parts = [float(v.var(ddof=1)) / len(v) for v in (with_it, without)]
    total = sum(parts)
    if total <= 0:
        return None
    df = total**2 / sum(p**2 / (len(v) - 1) for p, v in zip(parts, (with_it, without), strict=True))
    try:
        effect = by_t(float(with_it.mean() - without.mean()), total**0.5, df, "Welch")
    except StudyError:
        return None
    assert effect.estimate is not None
    assert effect.low is not None
    assert effect.high is not None
    return Cohort(label, at, effect.estimate, effect.low, effect.high, len(outcome))


def _by_newest(answer: Answer) -> Lasts | None:
    """Periods of one panel share their comparison, so no decay is tested: only whether the newest one still gains."""
    late = [p for p in answer.path if p.at >= 0]
    if not late or late[-1].low is None or late[-1].high is None:
        return None
    newest = late[-1]
    sign = 1.0 if answer.effect.estimate is None or answer.effect.estimate >= 0 else -1.0
    clear = (newest.low if sign > 0 else -newest.high) > 0  # type: ignore[operator]
    course = Course.SUSTAINED if clear else Course.UNCLEAR
    where = newest.label or f"period {newest.at:g} after the start"
    held = "is clear of none" if clear else "cannot be told from none"
    return Lasts(
        course, f"the effect at {where} {held}; periods share their comparison, so decay is not tested"
    )
