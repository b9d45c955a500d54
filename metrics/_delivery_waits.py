"""How long an initiative takes from one milestone to the next: what has not got there yet is censored, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import WHOLE, Facts, day_number, micros, real, whole
from metrics.core.contact import end_of
from metrics.core.metric import Choice, Estimate, Reach, Rollup, Setting, undefined
from metrics.core.shapes import Columns, Counts, Floats, Ints
from metrics.core.survival import SurvivalCurve, kaplan_meier, quantile, survival_at

SECOND = 1_000_000
DAY = 86_400
# step: from, to, whether both must name the same thing (an incident, an experiment)
STEPS = {
    "idea to pilot": ("idea", "pilot_started", False),
    "pilot to production": ("pilot_started", "production", False),
    "idea to production": ("idea", "production", False),
    "incident to restored": ("incident", "restored", True),
    "experiment": ("experiment_started", "experiment_concluded", True),
}
NAMES = tuple(STEPS)
AGE = Setting("days", "90", "age of a pilot, in days, at which its fate is asked for")


@dataclass(frozen=True)
class StepWaits:
    """Waits of one slice, one entry a cell: step (index into NAMES), whether it ended, seconds so far, and how many."""

    step: Ints
    ended: np.ndarray
    seconds: Floats
    n: Ints

    @classmethod
    def of(cls, columns: Columns) -> StepWaits:
        ended = columns["code"].astype(np.int64) == 1
        at = columns["at"].astype(float)
        age = float(columns["observed_us"][0]) / SECOND - at
        seconds = np.where(ended, at, np.maximum(age, 0.0))
        return cls(columns["step_code"].astype(np.int64), ended, seconds, columns["n"].astype(np.int64))

    def curve(self, step: str) -> SurvivalCurve:
        own = self.step == NAMES.index(step)
        n, ended = self.n[own], self.ended[own]
        return kaplan_meier(self.seconds[own], np.where(ended, n, 0), np.where(ended, 0, n))


def _waits(facts: Facts) -> sa.Subquery:
    """One row a milestone that begins a step: day, initiative_id, step_code, us, ended_us (or none)."""
    d = facts["delivery_events"]
    every = sa.select(
        d.c.delivery_id, d.c.initiative_id, d.c.event, sa.func.coalesce(d.c.ref, "").label("ref"),
        micros(d.c.event_at).label("us"),
    ).subquery("milestones")  # fmt: skip
    began, ended = every.alias("began"), every.alias("ended")
    known = (began.c.us <= end_of(facts), *_inside(facts, began))
    parts = []
    for code, (start, stop, named) in enumerate(STEPS.values()):
        on = [ended.c.initiative_id == began.c.initiative_id, ended.c.event == stop, ended.c.us >= began.c.us]
        on += [ended.c.us <= end_of(facts), *([ended.c.ref == began.c.ref] if named else [])]
        parts.append(
            sa.select(
                began.c.delivery_id, began.c.initiative_id, began.c.us,
                sa.literal_column(str(code), sa.Integer()).label("step_code"),
                whole(sa.func.min(ended.c.us)).label("ended_us"),
            )
            .select_from(began.outerjoin(ended, sa.and_(*on)))
            .where(began.c.event == start, *known)
            .group_by(began.c.delivery_id, began.c.initiative_id, began.c.us)
        )  # fmt: skip
    return sa.union_all(*parts).subquery("waits")


def _inside(facts: Facts, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    pins = [rows.c[k] == v for k, v in facts.where if k in rows.c]
    if facts.span is None:
        return pins
    day = 86_400 * SECOND
    return [*pins, rows.c.us >= facts.span.first * day, rows.c.us < (facts.span.last + 1) * day]


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    waits = _waits(facts)
    took = sa.case((waits.c.ended_us.is_(None), waits.c.us), else_=waits.c.ended_us - waits.c.us)
    rows = sa.select(
        day_number(waits.c.us).label("day"), *(waits.c[k] for k in facts.dims), waits.c.step_code,
        sa.case((waits.c.ended_us.is_(None), 0), else_=1).label("code"),
        whole(sa.func.floor(sa.cast(took, sa.Double) / real(SECOND))).label("at"),
    ).subquery("timed_waits")  # fmt: skip
    keys = [rows.c[k] for k in ("day", *facts.dims, "step_code", "code", "at")]
    return sa.select(*keys, whole(sa.func.count()).label("n")).group_by(*keys)


def _same_initiative(facts: Facts) -> sa.Select[tuple[int]]:
    """Days of all milestones of the initiatives that changed rows speak of: an end moves the day of its beginning."""
    changed, every = facts["delivery_events"], facts[WHOLE]
    rows = (
        sa.select(micros(every.c.event_at).label("us"))
        .where(every.c.initiative_id.in_(sa.select(changed.c.initiative_id)))
        .subquery("theirs")
    )
    days = sa.select(day_number(rows.c.us).label("day")).subquery("their_days")
    return sa.select(days.c.day).distinct()


WAITS: Rollup[StepWaits] = Rollup(
    key="delivery.waits",
    title="Time between milestones",
    tables=("delivery_events", "data_watermarks"),
    dims=("initiative_id",),
    inner=("step_code", "code", "at"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=StepWaits.of,
    touched=(("delivery_events", _same_initiative), ("data_watermarks", None)),
    reach=(("delivery_events", Reach.ALL),),
    observed=("delivery_events",),
)


def median(step: str) -> Callable[[StepWaits, Choice], Estimate]:
    """Kaplan-Meier median of a step; what is still under way is censored at its age."""

    def finalise(cells: StepWaits, _: Choice) -> Estimate:
        curve = cells.curve(step)
        if not curve.n:
            return undefined(f"no {step} has begun in this scope")
        found, done = quantile(curve, 0.5), int(curve.events.sum())
        if found.value is None:
            return undefined(
                f"not reached: {done:,} of {curve.n:,} have ended, fewer than half by the longest time",
                curve.n,
            )
        if found.low is None or found.high is None:
            notes = ("the upper limit is not reached: there is no bound",)
            return Estimate(
                found.value, None, None, curve.n, float(done), float(curve.n), found.method, warnings=notes
            )
        return Estimate(
            found.value, found.low, found.high, curve.n, float(done), float(curve.n), found.method
        )

    return finalise


def in_production(cells: StepWaits, choice: Choice) -> Estimate:
    """Share of pilots in production by an age; pilots younger than that count for as long as they were followed."""
    text = choice[AGE.name]
    days = float(text) if text.replace(".", "", 1).isdigit() else 0.0
    if days <= 0:
        raise ValueError(f"days={text!r}: give a number of days above 0, e.g. 90")
    curve = cells.curve("pilot to production")
    if not curve.n:
        return undefined("no pilot has begun in this scope")
    found = survival_at(curve, days * DAY)
    if found is None:
        return undefined(f"no pilot was followed for {days:g} days", curve.n)
    share = found.complement()
    return Estimate(share.value, share.low, share.high, curve.n, method="one less Kaplan-Meier, log-log")
