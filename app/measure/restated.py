"""What was said on a day of the past and what is said of the very same predictions now, outcomes having come in since."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from app.measure.judged import Frame
from metrics import ALL
from metrics.core.metric import Metric, Reading, Scope

FIGURES = ("model.auc", "model.precision", "model.recall", "model.base_rate", "model.label_coverage")
MOST = 12  # months offered


@dataclass(frozen=True)
class Restated:
    """One figure of the same predictions, as known at the end of a day and as known now."""

    metric: Metric[object]
    then: Reading
    now: Reading

    @property
    def moved(self) -> bool:
        """Whether what is said now lies outside the interval that was told then."""
        value, low, high = self.now.value, self.then.low, self.then.high
        return value is not None and low is not None and high is not None and not low <= value <= high


def days_to_compare(frame: Frame) -> tuple[dt.date, ...]:
    """Firsts of the months that the page's predictions reach beyond, newest first."""
    first, last = frame.days.first, frame.days.last
    if first is None or last is None:
        return ()
    day = last.replace(day=1)
    found: list[dt.date] = []
    while day > first and len(found) < MOST:
        found.append(day)
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return tuple(found)


def restated(frame: Frame, model: str, on: dt.date) -> tuple[Restated, ...]:
    """Each figure over the days that it judged then: as said at the end of `on`, and as said now."""
    own = replace(frame, view=replace(frame.view, model=model))
    return tuple(_of(own, ALL[key], on) for key in FIGURES)


def _of(frame: Frame, metric: Metric[object], on: dt.date) -> Restated:
    said = dt.datetime.combine(on, dt.time.max, dt.UTC)
    asked = frame.scope(metric)
    until = min(asked.until or on, on)
    then = frame.readings.matured(metric, replace(asked, until=until, as_of=said))
    now: Scope = replace(then, as_of=asked.as_of)  # the same days, whatever has become old enough since
    return Restated(metric, *(frame.readings.read(metric, scope)[0] for scope in (then, now)))
