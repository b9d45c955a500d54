"""What a page is about: model, experiment, period and knowledge time, and the Scope of each metric that follows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from app.measure import words
from app.measure.readings import Readings
from metrics import ROLLUPS
from metrics.core.metric import Metric, Scope

COVERED = 0.9  # share of the earlier stretch that must hold data before anything is compared with it
TREND_WEEKS = 26  # points of a tile's trend where the period is longer


class Period(StrEnum):
    """How far back from the data's last day. The values are what a reader chooses from, and stand in links."""

    WEEKS_4 = "4 weeks"
    WEEKS_13 = "13 weeks"
    WEEKS_52 = "52 weeks"
    ALL = "all days"

    @property
    def weeks(self) -> int | None:
        """Whole weeks, or None for all there is."""
        return None if self is Period.ALL else int(self.value.split()[0])


@dataclass(frozen=True)
class View:
    """A reader's choice, as the scope bar and the link hold it. Empty text means all."""

    model: str = ""
    experiment: str = ""
    period: Period = Period.WEEKS_13
    as_of: dt.date | None = None


@dataclass(frozen=True)
class Ground:
    """What the warehouse offers a reader: names to choose from, and the days the stored cells cover."""

    models: tuple[str, ...]
    experiments: tuple[str, ...]
    first: dt.date | None
    last: dt.date | None

    @property
    def empty(self) -> bool:
        return self.last is None


def ground(readings: Readings) -> Ground:
    """Models and experiments with stored cells, and the days covered (by trials only where there is nothing else)."""
    models = readings.values(ROLLUPS["model.scores"], "model_id")
    experiments = readings.values(ROLLUPS["value.arms"], "experiment_id")
    spans = [(r, readings.days(r)) for r in ROLLUPS.values() if r.stored]
    dated = [span for rollup, span in spans if span and "experiment_id" not in rollup.dims]
    found = dated or [span for _, span in spans if span]
    if not found:
        return Ground(models, experiments, None, None)
    return Ground(models, experiments, min(s[0] for s in found), max(s[1] for s in found))


@dataclass(frozen=True)
class Window:
    """The days a page speaks of, both included, and the equal stretch before them (None where there is none)."""

    first: dt.date | None
    last: dt.date | None
    before: tuple[dt.date, dt.date] | None = None

    def words(self) -> str:
        return words.days_between(self.first, self.last) if self.first and self.last else "no days yet"


def window(view: View, on: Ground) -> Window:
    """The period counted back from the data's last day (or the as-of day), so old data are not an empty page."""
    if on.first is None or on.last is None:
        return Window(None, None)
    last = min(on.last, view.as_of) if view.as_of else on.last
    if view.period.weeks is None:
        return Window(min(on.first, last), last)
    length = dt.timedelta(weeks=view.period.weeks)
    first = last - length + dt.timedelta(days=1)
    before = (first - length, first - dt.timedelta(days=1))
    covered = (before[1] - max(before[0], on.first)).days + 1
    return Window(max(first, on.first), last, before if covered >= COVERED * length.days else None)


def scope(metric: Metric[object], view: View, days: Window, held: tuple[str, ...]) -> Scope:
    """The Scope of a metric under a view. Experiments are read whole: a trial cut by days is another trial.

    The ledger is asked as it stands, or as it stood at the view's day.
    """
    pins = (("model_id", view.model), ("experiment_id", view.experiment))
    where = tuple((name, value) for name, value in pins if value and name in held)
    whole = "experiment_id" in metric.rollup.dims or metric.rollup.ledger
    return Scope(
        where=where,
        since=None if whole else days.first,
        until=None if whole else days.last,
        as_of=None if view.as_of is None else dt.datetime.combine(view.as_of, dt.time.max, dt.UTC),
    )


def trend_scope(metric: Metric[object], asked: Scope, where: tuple[tuple[str, str], ...]) -> Scope:
    """The same scope by week for one group; experiments by month of assignment, as an effect needs many units."""
    if "experiment_id" in metric.rollup.dims:
        return replace(asked, where=where, by=("month",))
    since = asked.since
    if asked.until and since:
        since = max(since, asked.until - dt.timedelta(weeks=TREND_WEEKS))
        since += dt.timedelta(days=(7 - since.weekday()) % 7)  # whole weeks only: a cut week misleads
    return replace(asked, where=where, by=("week",), since=since)


def describe(readings: Readings, view: View, days: Window, *, models: bool, trials: bool) -> str:
    """The path line's words: what is shown, for which days, from data of when. `models`, `trials`: what it is of."""
    if days.last is None:
        return "no data yet"
    loads = [t for r in ROLLUPS.values() if r.stored and (t := readings.as_of(r)) is not None]
    known = f"as known on {words.date(view.as_of)}" if view.as_of else ""
    fresh = f"data loaded {words.moment(max(loads))}" if loads and not view.as_of else ""
    about = (
        (view.model or "all models") if models else "",
        (view.experiment or ("all experiments" if not models else "")) if trials else "",
        days.words() if models else "whole trials" if trials else "",
        known,
        fresh,
    )
    return " · ".join(part for part in about if part)
