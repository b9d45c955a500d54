"""Early warning: leading indicators and the rules that speak before a target is missed. Every rule names its evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from app.measure import words
from app.measure.judged import (
    Frame,
    Judged,
    Movement,
    bucket_of,
    drawable,
    history,
    movement,
    trends,
    weakest,
)
from metrics import ALL
from metrics.core.intervals import Z
from metrics.core.metric import Reading
from metrics.core.verdict import Comparator, State, Target

HORIZON = 8  # weeks ahead that a trend is drawn out
FEWEST = 6  # weekly points a trend needs
MOST_POINTS = 13
# What comes before results, each with what it warns of. Keys that this catalogue does not have are left out.
LEADING = {
    "leading.alignment": "Technology and business answer the same questions differently.",
    "leading.data_readiness": "Data that a model needs break their contract.",
    "leading.council_turnout": "Those who must decide stay away.",
    "leading.integration_prepared": "Parts are not ready to run together.",
    "adoption.accepted_share": "People stop following the advice.",
    "adoption.overridden_share": "People decide otherwise than advised.",
    "activation.in_window_share": "Signals reach their person after the moment.",
    "activation.loop_closure": "Outcomes do not come back to the model.",
    "model.label_coverage": "Outcomes are not known, so nothing can be judged.",
    "drift.drifted_features": "The world that a model sees is another one.",
    "suppression.clean_stop_rate": "Stops are not obeyed.",
    "delivery.change_failure_rate": "Changes break what ran.",
}


@dataclass(frozen=True)
class Alarm:
    """One rule that speaks. `weight`: 0 asks for attention first."""

    one: Judged
    rule: str
    text: str
    weight: int


@dataclass(frozen=True)
class Indicator:
    """A leading indicator: what it warns of, its number, and what the rules say of it."""

    one: Judged
    warns: str
    trend: tuple[Reading, ...]
    movement: Movement | None
    found: tuple[Alarm, ...]


@dataclass(frozen=True)
class EarlyBoard:
    sentence: str
    warnings: tuple[Alarm, ...]
    indicators: tuple[Indicator, ...]


def early_board(frame: Frame) -> EarlyBoard:
    """Every leading indicator of the catalogue, and the warnings about them and about every number with a target."""
    indicators = tuple(
        i for key, warns in LEADING.items() if (i := _indicator(frame, key, warns)) is not None
    )
    aims = {t.metric for t in frame.targets}
    aimed = tuple(
        j
        for m in ALL.values()
        if m.rollup.stored and m.key in aims and m.key not in LEADING
        for j in frame.read(m)
        if j.has_target
    )
    for key in {j.metric.key for j in aimed}:  # one question about every group, of which each below is a part
        trends(frame, ALL[key])
    ahead = tuple(w for j in aimed if (w := _heading(frame, j, history(frame, j))) is not None)
    found = (*(w for i in indicators for w in i.found), *ahead)
    ordered = tuple(sorted(found, key=lambda w: w.weight))
    return EarlyBoard(_sentence(ordered, len(indicators)), ordered, indicators)


def _indicator(frame: Frame, key: str, warns: str) -> Indicator | None:
    found = frame.read(ALL[key])
    if not found:
        return None
    one = weakest(found)
    trend, moved = history(frame, one), movement(frame, one)
    rules = (_missed(one), _worse(one, moved), _heading(frame, one, trend), _blind(one))
    told = tuple(w for w in rules if w is not None)
    return Indicator(one, warns, drawable(one.metric, trend), moved, told)


def _missed(one: Judged) -> Alarm | None:
    """Rule 1: its target is missed already."""
    if one.verdict.state is not State.NOT_MET or one.verdict.target is None:
        return None
    aim = words.target_words(one.metric, one.verdict.target)
    return Alarm(one, "past its target", f"It is {_said(one)}; the target is {aim}.", 0)


def _worse(one: Judged, moved: Movement | None) -> Alarm | None:
    """Rule 2: clearly worse than in the stretch before, the two intervals apart."""
    if moved is None or not moved.clear or moved.good is not False:
        return None
    ends = words.from_to(one.metric, moved.before, one.reading)
    return Alarm(
        one, "getting worse", f"It went from {ends} since the stretch before; the intervals lie apart.", 1
    )


def _blind(one: Judged) -> Alarm | None:
    """Rule 4: a leading indicator that is not measured warns of nothing."""
    if one.reading.value is not None:
        return None
    return Alarm(one, "not measured", words.sentence(one.reading.reason), 3)


def _heading(frame: Frame, one: Judged, trend: tuple[Reading, ...]) -> Alarm | None:
    """Rule 3: still on the right side, but its trend crosses the target within the horizon."""
    target = one.verdict.target
    if target is None or one.verdict.state is State.NOT_MET or "experiment_id" in one.metric.rollup.dims:
        return None
    weeks = weeks_left(trend[-MOST_POINTS:], target)
    if weeks is None:
        return None
    aim = words.target_number(one.metric, target.threshold)
    when = words.date((frame.days.last or frame.now.date()) + dt.timedelta(weeks=weeks))
    about = words.plural(weeks, "week")
    return Alarm(
        one,
        "heading for its target",
        f"At the pace of the last weeks it crosses {aim} in about {about}, by {when}.",
        2,
    )


def weeks_left(trend: tuple[Reading, ...], target: Target) -> int | None:
    """Whole weeks until a straight line through the weekly values crosses the target; None where it does not in time.

    The line must clearly point the wrong way: its slope's 95 % interval does not hold 0.
    """
    known = [
        (dt.date.fromisoformat(b), r.value) for r in trend if r.value is not None and (b := bucket_of(r))
    ]
    if len(known) < FEWEST:
        return None
    x = np.array([(day - known[-1][0]).days / 7 for day, _ in known])
    y = np.array([v for _, v in known], float)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    level = float(y.mean() - slope * x.mean())  # at the newest week
    rest = y - (level + slope * x)
    error = float(np.sqrt(rest @ rest / (len(y) - 2) / (centred @ centred)))
    wrong_way = -1.0 if target.comparator is Comparator.AT_LEAST else 1.0
    if slope * wrong_way <= Z * error or (level - target.threshold) * wrong_way >= 0:
        return None
    weeks = (target.threshold - level) / slope
    return max(1, round(weeks)) if weeks <= HORIZON else None


def _said(one: Judged) -> str:
    shown = words.shown(one.metric, one.reading)
    return f"{shown.value} ({shown.interval})" if shown.interval else shown.value


def _sentence(found: tuple[Alarm, ...], indicators: int) -> str:
    loud = [w for w in found if w.weight < 3]
    if not indicators:
        return "No leading indicator is measured yet."
    if not loud:
        return f"None of {words.plural(indicators, 'leading indicator')} warns of anything today."
    first = loud[0]
    title = first.one.metric.title
    whose = f" of {first.one.subject}" if first.one.subject else ""
    return f"{words.plural(len(loud), 'early warning')}; the first: {title[0].lower()}{title[1:]}{whose} is {first.rule}."
