"""The analyst's view of one model: drift, precision down the list, arrival of outcomes, segments by week, what is left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from app.measure import words
from app.measure.judged import Frame, Judged, bucket_of
from app.report import sql_of
from data.sql import date_of
from metrics import ALL, ROLLUPS, drift, model
from metrics.core.intervals import wilson_limits
from metrics.core.metric import Choice, Metric, Reading
from metrics.core.shapes import Floats

SHAPES = (
    "drift.psi",
    "drift.ks",
    "drift.wasserstein",
    "drift.jensen_shannon",
    "drift.null_share",
    "drift.cusum",
)
MOST_BINS = 5
FEW = 10  # cases below which a square says nothing
ENOUGH = 0.5  # share of the days' squares that must be filled, else a square is a week
MOST_DAYS = 42  # columns of the heat map: six weeks are what a screen can hold
HEAT = "model.precision"
GAP = "fairness.false_positive_rate_difference"
TOLD = (
    "model.average_precision", "model.precision_at_k", "model.recall_at_k", "model.lift_at_k", "model.ece",
    "model.auc_estimated", "model.precision_estimated", "model.latency_p95", "model.cost_per_1000",
    "model.release_age", "model.auc_version_difference",
)  # fmt: skip


@dataclass(frozen=True)
class DriftRow:
    """One score or feature: its figures in the order of SHAPES, the verdict in words, and the bins that add most."""

    feature: str
    figures: tuple[Reading, ...]
    verdict: str
    bins: tuple[drift.Contribution, ...]


@dataclass(frozen=True)
class Curve:
    """Points of a line, with a level to draw across or a place to mark (None where there is none)."""

    x: Floats
    y: Floats
    mark: float | None = None
    limits: tuple[Floats, Floats] | None = None


@dataclass(frozen=True)
class Heat:
    """A metric by segment (rows) and day or week (columns); cells in reading order of both, None where there is none."""

    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Reading | None, ...]], ...]
    each: str = "day"

    @property
    def filled(self) -> float:
        """Share of the squares with enough cases to show."""
        squares = [
            r is not None and r.value is not None and r.n >= FEW for _, cells in self.rows for r in cells
        ]
        return sum(squares) / max(len(squares), 1)


@dataclass(frozen=True)
class Analysis:
    """Everything below a model's charts; empty parts are not drawn."""

    model: str
    figures: tuple[Judged, ...]
    drift: tuple[DriftRow, ...]
    precision: Curve | None
    arrival: Curve | None
    heat: Heat | None
    gap: tuple[Judged, tuple[Reading, ...]] | None
    facts: tuple[tuple[str, str], ...]
    sql: str


def model_analysis(frame: Frame, name: str) -> Analysis:
    """The analyst's view of one model under the page's choice."""
    own = replace(frame, view=replace(frame.view, model=name))
    figures = tuple(j for key in TOLD for j in own.read(ALL[key])[:1])
    return Analysis(
        name, figures, _drift(own), _precision(own), _arrival(own), _heat(own), _gap(own), _facts(own),
        frame.readings.derived("SQL of model.auc", lambda: sql_of(ALL["model.auc"], frame.runtime.warehouse, None)),
    )  # fmt: skip


def _drift(frame: Frame) -> tuple[DriftRow, ...]:
    """Score and features, those that moved most first."""
    read = {key: {_feature(j.reading): j.reading for j in frame.read(ALL[key])} for key in SHAPES}
    scope = replace(frame.scope(ALL["drift.psi"]), by=("feature",))
    found = frame.readings.cells(ROLLUPS["drift.values"], scope)
    rows = []
    for by, cells in found:
        feature = dict(by)["feature"] or ""
        one = drift.shift_of(cells, Choice())
        figures = tuple(read[key][feature] for key in SHAPES if feature in read[key])
        if len(figures) == len(SHAPES):
            bins = drift.contributions(one)[:MOST_BINS] if isinstance(one, drift.Shift) else ()
            rows.append(DriftRow(feature, figures, _verdict(figures[0]), bins))
    return tuple(sorted(rows, key=lambda row: -(row.figures[0].value or 0.0)))


def _feature(reading: Reading) -> str:
    return dict(reading.by).get("feature") or ""


def _verdict(psi: Reading) -> str:
    if psi.value is None:
        return psi.reason
    return next((w for w in psi.warnings if w.startswith(("drift:", "no drift:"))), "")


def _precision(frame: Frame) -> Curve | None:
    """Precision against recall, down the list."""
    found = frame.readings.cells(ROLLUPS["model.scores"], frame.matured(ALL["model.auc"]))
    if not found:
        return None
    bins = model.score_histogram(found[0][1])
    p, q = (np.cumsum(x[::-1]).astype(float) for x in (bins.positives, bins.negatives))
    if not len(p) or p[-1] == 0 or q[-1] == 0:
        return None
    some = (p + q) > 0
    p, q = p[some], q[some]
    return Curve(p / p[-1], p / (p + q), float(p[-1] / (p[-1] + q[-1])), wilson_limits(p, p + q))


def _arrival(frame: Frame) -> Curve | None:
    """Share of outcomes known by age in days, with the age from which a cohort can be judged."""
    found = frame.readings.cells(ROLLUPS["model.arrivals"], frame.scope(ALL["model.maturity_age"]))
    curve = model.arrival_curve(found[0][1]) if found else None
    days = model.maturity_days(found[0][1]) if found else None
    if curve is None or days is None:
        return None
    return Curve(np.r_[0.0, curve.time], np.r_[0.0, 1 - curve.survival], float(days))


def _heat(frame: Frame) -> Heat | None:
    """Precision by day (by week where days are too thin) and the first protected attribute; small groups stay hidden."""
    metric = ALL[HEAT]
    names = [d for d in frame.readings.dimensions(metric.rollup) if d.startswith("attr_")]
    if not names:
        return None
    days = _squares(frame, names[0], "day", MOST_DAYS)
    return (
        days
        if days is not None and days.filled >= ENOUGH
        else _squares(frame, names[0], "week", 7 * MOST_DAYS)
    )


def _squares(frame: Frame, attribute: str, each: str, length: int) -> Heat | None:
    """The map of the last days that may be judged, a column a day or a week."""
    metric = ALL[HEAT]
    asked, last = frame.scope(metric), _last_day(frame, metric)
    if last is not None:
        since = max(asked.since or last, last - dt.timedelta(days=length - 1))
        asked = replace(asked, since=since, until=last)
    found = frame.readings.read(metric, replace(asked, by=(each, attribute)))
    starts = tuple(sorted({b for r in found if (b := bucket_of(r))}))
    cells = {(dict(r.by).get(attribute), bucket_of(r)): r for r in found}
    groups = sorted({g for g, _ in cells if g is not None})
    rows = tuple((f"{words.named(attribute)} {g}", tuple(cells.get((g, d)) for d in starts)) for g in groups)
    return Heat(starts, rows, each) if rows and len(starts) > 1 else None


def _last_day(frame: Frame, metric: Metric[object]) -> dt.date | None:
    """Newest day that may be judged."""
    limits = frame.matured(metric).limits
    return min((date_of(day) for _, _, day in limits), default=frame.days.last)


def _gap(frame: Frame) -> tuple[Judged, tuple[Reading, ...]] | None:
    """The widest gap between groups, whichever groups they are, week by week."""
    metric = ALL[GAP]
    now = frame.read(metric)
    asked = replace(frame.scope(metric), by=("week",))
    trend = tuple(sorted(frame.readings.read(metric, asked), key=lambda r: bucket_of(r) or ""))
    if not now or now[0].reading.value is None or len(trend) < 2:
        return None
    return now[0], trend


def _facts(frame: Frame) -> tuple[tuple[str, str], ...]:
    """What the figures rest on: grid, rounding, rows left out, cohorts that are not mature."""
    bound, lost, age = (
        frame.read(ALL[k])[0].reading
        for k in ("model.auc_bound", "model.unusable_scores", "model.maturity_age")
    )
    facts = [
        (
            "Grid",
            "2,048 log-odds bins on [-12, 12], joined with the tenths of [0, 1] and the deployed decision",
        )
    ]
    if bound.value is not None:
        facts.append(("Largest rounding of the AUC (h)", f"{bound.value:.1e}"))
    if lost.value is not None:
        why = f" ({', '.join(lost.warnings)})" if lost.warnings else ""
        facts.append(("Left out: scores that are no probability", f"{words.count(lost.numerator or 0)}{why}"))
    facts += _waiting(frame, age)
    facts.append(
        ("Estimated, not measured", "all figures named so: the map from score to outcome may have changed")
    )
    return tuple(facts)


def _waiting(frame: Frame, age: Reading) -> list[tuple[str, str]]:
    """Predictions that no realised figure counts: their outcome has not come, or their cohort is too young."""
    known = frame.read(ALL["model.label_coverage"])[0].reading
    found = []
    if known.value is not None:
        out = round((known.denominator or 0) - (known.numerator or 0))
        found.append(
            (
                "Left out: no outcome yet",
                f"{words.count(out)} of {words.count(known.denominator or 0)} predictions; none counts as a negative",
            )
        )
    if age.value is None or frame.days.last is None:
        return found
    limits = frame.matured(ALL["model.auc"]).limits
    days = words.plural(round(age.value / 86_400), "day")
    if not limits:
        return [*found, ("Left out: too young", f"none; outcomes need {days}")]
    last = limits[0][2]
    young = replace(frame.scope(ALL["model.predictions"]), since=date_of(last + 1))
    n = sum(r.value or 0 for r in frame.readings.read(ALL["model.predictions"], young))
    told = f"{words.count(n)} predictions after {_date(last)}, as outcomes need {days}; they are estimated"
    return [*found, ("Left out: too young", told)]


def _date(day: int) -> str:
    return words.date(date_of(day))
