"""The arms of an experiment: the rollup of units and outcomes, and the pure comparisons of two arms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa
from scipy.special import chdtrc

from data.sql import Facts, day_number, double, micros, real
from metrics.core.decisions import finite
from metrics.core.estimates import count, share, share_difference
from metrics.core.intervals import Moment, relative, student, welch
from metrics.core.metric import Choice, Estimate, Rollup, Setting, undefined
from metrics.core.shapes import Columns, Counts, Moments, merge

SPLIT = Setting("expected_split", "0.5", "share of units meant for the treated arm, of it and its comparison")
SRM_LIMIT = 0.001
SHAPES = (Counts(("units", "responders", "exposed")), Moments("outcome"))


@dataclass(frozen=True)
class Arm:
    """Units of one slice: all, those with an outcome above 0, those exposed; moments of the outcome."""

    units: int
    responders: int
    exposed: int
    outcome: Moment

    @classmethod
    def of(cls, columns: Columns) -> Arm:
        whole = merge(SHAPES, columns, np.zeros(len(columns["units"]), dtype=np.int64), 1)
        moment = Moment(*(float(whole[name][0]) for name in SHAPES[1].columns))
        units, responders, exposed = (int(whole[name][0]) for name in SHAPES[0].columns)
        return cls(units, responders, exposed, moment)

    @property
    def measured(self) -> int:
        """Units whose outcome is known."""
        return round(self.outcome.n)


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    units = facts["experiment_units"]
    outcome = double(units.c.outcome)
    rows = (
        sa.select(
            day_number(micros(units.c.assigned_at)).label("day"),
            *(units.c[d].label(d) for d in facts.dims),
            sa.case((finite(outcome), outcome), else_=sa.null()).label("outcome"),
            sa.case((units.c.exposed_at.is_not(None), 1), else_=0).label("exposed"),
        )
        .where(facts.within(units.c.assigned_at), facts.pinned(units))
        .subquery("assigned")
    )
    keys = [rows.c.day, *(rows.c[d] for d in facts.dims)]
    known = sa.func.sum(sa.case((rows.c.outcome.is_not(None), 1), else_=0))
    return sa.select(
        *keys,
        sa.func.count().label("units"),
        sa.func.sum(sa.case((rows.c.outcome > real(0), 1), else_=0)).label("responders"),
        sa.func.sum(rows.c.exposed).label("exposed"),
        known.label("outcome_n"),
        sa.func.coalesce(sa.func.avg(rows.c.outcome), real(0)).label("outcome_mean"),
        (sa.func.coalesce(sa.func.var_pop(rows.c.outcome), real(0)) * double(known)).label("outcome_m2"),
    ).group_by(*keys)


ARMS: Rollup[Arm] = Rollup(
    key="value.arms",
    title="Units and outcomes by experiment, arm and stratum",
    tables=("experiment_units",),
    dims=("experiment_id", "arm", "stratum"),
    shapes=SHAPES,
    select=_select,
    cells=Arm.of,
)


def _expected(choice: Choice) -> float:
    """The registered share of treated units; ValueError where it is no share."""
    text = choice[SPLIT.name]
    try:
        portion = float(text)
    except ValueError:
        portion = float("nan")
    if not 0 < portion < 1:
        raise ValueError(f"expected_split={text!r}: give a number between 0 and 1, e.g. 0.5 for halves")
    return portion


def _srm_p(treated: Arm, control: Arm, expected: float) -> float:
    """Chi-square test (1 df) that units were split as registered."""
    n = treated.units + control.units
    gap = treated.units - n * expected
    return float(chdtrc(1, gap * gap / (n * expected * (1 - expected))))


def srm_of(treated: Arm, control: Arm, choice: Choice) -> Estimate:
    n = treated.units + control.units
    if n == 0:
        return undefined("no units in either arm")
    return Estimate(
        _srm_p(treated, control, _expected(choice)), n=n, numerator=treated.units, denominator=n,
        method="chi-square, 1 degree of freedom",
    )  # fmt: skip


def _cautions(treated: Arm, control: Arm, choice: Choice) -> tuple[str, ...]:
    """What a reader must know before believing a difference: a broken split, outcomes that are missing."""
    expected, n = _expected(choice), treated.units + control.units
    if n == 0:
        return ()
    found = []
    p = _srm_p(treated, control, expected)
    if p < SRM_LIMIT:
        portion = 100 * treated.units / n
        found.append(
            f"the split {portion:.1f}:{100 - portion:.1f} is not the registered "
            f"{100 * expected:g}:{100 - 100 * expected:g} (p = {p:.1g}): "
            "assignment or logging is broken, the difference may be wrong"
        )
    missing = n - treated.measured - control.measured
    if missing:
        found.append(f"{missing:,} of {n:,} units have no outcome and are left out")
    return tuple(found)


def _unmeasured(treated: Arm, control: Arm) -> str:
    """Why two means cannot be compared, in words; empty where they can."""
    for name, arm in (("treated arm", treated), ("comparison", control)):
        if arm.measured < 2:
            return f"the {name} has {arm.measured} units with an outcome: two or more are needed"
    if treated.outcome.constant and control.outcome.constant:
        return "every unit of an arm has the same outcome: there is no spread to judge a difference by"
    return ""


def _compared(
    answer: Callable[[Arm, Arm, int], Estimate],
) -> Callable[[Arm, Arm, Choice], Estimate]:
    """A comparison of two arms that says why when it cannot be made, and always carries the cautions."""

    def compare(treated: Arm, control: Arm, choice: Choice) -> Estimate:
        n = treated.measured + control.measured
        cautions = _cautions(treated, control, choice)
        reason = _unmeasured(treated, control)
        if reason:
            return undefined(reason, n, cautions)
        return replace(answer(treated, control, n), warnings=cautions)

    return compare


def _mean_difference(treated: Arm, control: Arm, n: int) -> Estimate:
    gap = welch(treated.outcome, control.outcome)
    return Estimate(gap.value, gap.low, gap.high, n, method=f"Welch t, {gap.df:,.0f} degrees of freedom")


def _relative_difference(treated: Arm, control: Arm, n: int) -> Estimate:
    if control.outcome.mean <= 0:
        return undefined("the comparison's mean is not above 0: a relative difference means nothing", n)
    lift = relative(treated.outcome, control.outcome)
    if lift is None:
        return undefined("the comparison's mean cannot be told from 0: a relative difference has no bound", n)
    return Estimate(
        lift.value,
        lift.low,
        lift.high,
        n,
        treated.outcome.mean - control.outcome.mean,
        control.outcome.mean,
        "Fieller",
    )


def responder_difference_of(treated: Arm, control: Arm, choice: Choice) -> Estimate:
    nothing = "an arm has no unit with an outcome yet"
    a, b = (treated.responders, treated.measured), (control.responders, control.measured)
    return replace(share_difference(a, b, nothing), warnings=_cautions(treated, control, choice))


def units_of(arm: Arm, _: Choice) -> Estimate:
    return count(arm.units, "no units in this scope")


def mean_of(arm: Arm, _: Choice) -> Estimate:
    if arm.measured < 2:
        return undefined(
            f"{arm.measured} of {arm.units:,} units have an outcome: two or more are needed", arm.measured
        )
    if arm.outcome.constant:
        same = f"all {arm.measured:,} outcomes are {arm.outcome.mean:g}: no spread to give an interval from"
        return undefined(same, arm.measured)
    mean = student(arm.outcome)
    missing = arm.units - arm.measured
    cautions = (f"{missing:,} of {arm.units:,} units have no outcome and are left out",) if missing else ()
    total = mean.value * arm.measured
    return Estimate(
        mean.value, mean.low, mean.high, arm.measured, total, arm.measured, "Student t", warnings=cautions
    )


def exposed_of(arm: Arm, _: Choice) -> Estimate:
    return share(arm.exposed, arm.units, "no units in this scope")


mean_difference_of = _compared(_mean_difference)
relative_difference_of = _compared(_relative_difference)
