"""The Models page: each model in executive words, and the curves behind one of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from app.measure import words
from app.measure.judged import ORDER, Frame, Judged, bucket_of, history, trends
from metrics import ALL, ROLLUPS, model
from metrics.core.discrimination import RocBand, roc_band
from metrics.core.metric import Metric, Reading
from metrics.core.shapes import Floats, Ints

FACTS = (
    "model.auc",
    "model.precision",
    "model.recall",
    "model.flagged_share",
    "model.label_coverage",
    "model.predictions",
)
EDGES = np.linspace(0.0, 1.0, 41)  # bars of the drawn histogram; the figures use the fine bins
FEW = 30


@dataclass(frozen=True)
class ModelLine:
    """One model: a sentence on its decisions, a sentence on its ranking, its facts, and its worst verdict."""

    model: str
    sentence: str
    detail: str
    facts: tuple[Judged, ...]
    worst: Judged


@dataclass(frozen=True)
class RocCurve:
    """Corners of the curve and the deployed operating point (None where no decision is recorded)."""

    false_positive_rate: Floats
    true_positive_rate: Floats
    auc: Judged
    operating: tuple[float, float] | None
    band: RocBand


@dataclass(frozen=True)
class Promises:
    """Reliability by tenth: mean score, observed share with limits, labelled predictions."""

    score: Floats
    observed: Floats
    low: Floats
    high: Floats
    n: Ints

    @property
    def worst(self) -> int | None:
        """The tenth furthest from its promise among those whose interval excludes it; None where all keep it."""
        off = (self.score < self.low) | (self.score > self.high)
        able = off & (self.n >= FEW)
        return int(np.argmax(np.where(able, np.abs(self.observed - self.score), -1))) if able.any() else None


@dataclass(frozen=True)
class Bars:
    """Shares of each class by score: `edges` (B + 1,), `positive`, `negative` (B,) sum to 1; medians of both."""

    edges: Floats
    positive: Floats
    negative: Floats
    unlabelled: int
    medians: tuple[float, float]


@dataclass(frozen=True)
class ModelDetail:
    """The curves of one model; `missing` says why where a part is None.

    `estimated`: the ranking expected in weeks whose outcomes are still coming in, and in the last measured one before them.
    """

    model: str
    roc: RocCurve | None
    promises: Promises | None
    bars: Bars | None
    auc: Judged
    trend: tuple[Reading, ...]
    missing: str = ""
    estimated: tuple[Reading, ...] = ()


def model_lines(frame: Frame) -> tuple[ModelLine, ...]:
    """Every model in scope, those that need attention first."""
    read = {key: frame.read(ALL[key]) for key in FACTS}
    every: dict[str, list[Judged]] = defaultdict(list)
    for metric in (m for m in ALL.values() if m.family == "model" and m.rollup.stored):
        for one in frame.read(metric):
            every[_model(one)].append(one)
    names = sorted({_model(j) for j in read["model.predictions"]} - {""})
    lines = [
        _line(frame, name, {k: _of(found, name) for k, found in read.items()}, every[name]) for name in names
    ]
    return tuple(sorted(lines, key=lambda line: (ORDER.index(line.worst.verdict.state), line.model)))


def _model(one: Judged) -> str:
    return dict(one.reading.by).get("model_id") or ""


def _of(found: tuple[Judged, ...], name: str) -> Judged | None:
    return next((j for j in found if _model(j) == name), None)


def _line(frame: Frame, name: str, facts: dict[str, Judged | None], every: list[Judged]) -> ModelLine:
    shown = tuple(j for j in facts.values() if j is not None)
    worst = min(every, key=lambda j: (ORDER.index(j.verdict.state), -j.margin))
    said = decisions(facts["model.precision"], _of(frame.read(ALL["model.precision_estimated"]), name))
    return ModelLine(name, said, _catches(facts), shown, worst)


def decisions(precision: Judged | None, estimated: Judged | None = None) -> str:
    """Of 100 flagged, 63 were right (61 to 65): what a flag is worth, estimated where no cohort is old enough yet."""
    if precision is None or precision.reading.value is None:
        if estimated is not None and estimated.reading.value is not None:
            return f"Estimated, as outcomes are still coming in: {_expected(estimated.reading)}."
        return words.sentence(precision.reading.reason) if precision else "No decision is recorded."
    return f"Of 100 flagged, {_of_hundred(precision.reading)}."


def _of_hundred(reading: Reading) -> str:
    """A share as a number of 100 with its interval: 63 were right (61 to 65)."""
    value, low, high = ((x or 0.0) * 100 for x in (reading.value, reading.low, reading.high))
    places = 0 if value >= 1 else 1
    number, ends = f"{value:.{places}f}", f"({low:.{places}f} to {high:.{places}f})"
    return f"{number} {'was' if number == '1' else 'were'} right {ends}"


def _expected(reading: Reading) -> str:
    value, low, high = ((x or 0.0) * 100 for x in (reading.value, reading.low, reading.high))
    return f"of 100 flagged, about {value:.0f} will prove right ({low:.0f} to {high:.0f})"


def _catches(facts: dict[str, Judged | None]) -> str:
    recall, auc = facts["model.recall"], facts["model.auc"]
    parts = []
    if recall and recall.reading.value is not None:
        shown = words.shown(recall.metric, recall.reading)
        parts.append(f"It catches {shown.value} of the true cases ({shown.interval})")
    if auc and auc.reading.value is not None:
        shown = words.shown(auc.metric, auc.reading)
        parts.append(f"and ranks a true case above another {float(auc.reading.value) * 100:.0f} times in 100")
    return (" ".join(parts).removeprefix("and ").strip() + ".") if parts else ""


def model_detail(frame: Frame, name: str) -> ModelDetail:
    """The curves of one model under the page's view."""
    own = replace(frame, view=replace(frame.view, model=name))
    auc_metric: Metric[object] = ALL["model.auc"]
    auc = own.read(auc_metric)[0]
    matured = own.matured(auc_metric)
    found = frame.readings.cells(ROLLUPS["model.scores"], matured)
    trend = history(own, auc)
    young = _estimates(own, trend)
    if not found:
        return ModelDetail(name, None, None, None, auc, trend, auc.reading.reason, young)
    cells = found[0][1]
    corners = model.roc(cells)
    roc = None
    if corners.true_positive_rate.size:
        fine = model.score_histogram(cells)
        band = roc_band(corners, float(fine.positives.sum()), float(fine.negatives.sum()))
        roc = RocCurve(corners.false_positive_rate, corners.true_positive_rate, auc, _operating(own), band)
    curve = model.reliability(cells)
    promises = Promises(curve.score, curve.observed, curve.low, curve.high, curve.n) if curve.n.size else None
    return ModelDetail(
        name, roc, promises, _bars(model.score_histogram(cells)), auc, trend, auc.reading.reason, young
    )


def _estimates(frame: Frame, trend: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Estimated ranking by week, from the last week that was measured to the newest."""
    weeks = [bucket_of(r) or "" for r in trend]
    last = max((w for w, r in zip(weeks, trend, strict=True) if r.value is not None), default="")
    if not weeks or weeks[-1] == last:
        return ()
    found = trends(frame, ALL["model.auc_estimated"])
    return tuple(sorted((r for r in found if (bucket_of(r) or "") >= last), key=lambda r: bucket_of(r) or ""))


def _operating(frame: Frame) -> tuple[float, float] | None:
    """Where the deployed decisions sit on the curve: (false positive rate, true positive rate)."""
    rates = [frame.read(ALL[f"fairness.{k}_positive_rate"]) for k in ("false", "true")]
    values = [r[0].reading.value for r in rates if r]
    known = [v for v in values if v is not None]
    return (known[0], known[1]) if len(known) == 2 else None


def _bars(fine: model.ScoreHistogram) -> Bars | None:
    positives, negatives = fine.positives.astype(float), fine.negatives.astype(float)
    if positives.sum() == 0 or negatives.sum() == 0:
        return None
    top = fine.score[-1]
    edges = EDGES * max(
        min(1.0, float(np.ceil(top * 20) / 20)), 0.05
    )  # a rare outcome's scores fill the width
    tall = [np.histogram(fine.score, edges, weights=x)[0] / x.sum() for x in (positives, negatives)]
    medians = (_median(fine.score, positives), _median(fine.score, negatives))
    return Bars(edges, tall[0], tall[1], int(fine.unlabelled.sum()), medians)


def _median(score: Floats, weight: Floats) -> float:
    return float(score[np.searchsorted(np.cumsum(weight), weight.sum() / 2)])
