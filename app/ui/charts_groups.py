"""Dots with whiskers: one row a group or an experiment, an interval wherever a number has one."""

from __future__ import annotations

from collections.abc import Sequence

from app.measure import words
from app.measure.experiment_cards import ExperimentCard
from app.measure.fairness_cards import RatePanel
from app.measure.judged import Judged
from app.ui.charts import Chart, layout, level
from app.ui.spelled import Spec
from app.ui.theme import SERIES

ROW = 34  # pixels a row
LONGEST = 18  # letters of a label beside the axis


def rates(panel: RatePanel) -> Chart:
    """One rate by group."""
    hidden = [j for j in panel.groups if j.reading.value is None]
    note = "; ".join(f"{j.subject}: {j.reading.reason}" for j in hidden)
    known = [j for j in panel.groups if j.reading.value is not None]
    if not known:
        return Chart(panel.finding, "", {}, words.sentence(note))
    names = [j.subject for j in known]
    return Chart(
        panel.finding,
        f"{panel.metric.title} by group. {panel.finding}.",
        _dots(known, names),
        words.sentence(note),
    )


def effects(cards: Sequence[ExperimentCard]) -> Chart | None:
    """The relative effect of every experiment, which is what experiments of different units have in common."""
    able = [
        (c.name, c.relative) for c in cards if c.relative is not None and c.relative.reading.low is not None
    ]
    if len(able) < 2:
        return None
    clear = [n for n, j in able if (j.reading.low or 0.0) > 0 or (j.reading.high or 0.0) < 0]
    finding = f"{len(clear)} of {len(able)} effects stay clear of zero"
    figure = _dots([j for _, j in able], [name for name, _ in able], zero=True)
    note = "Relative to those left alone. An interval that crosses zero cannot be told from no effect."
    return Chart(
        finding, f"Relative effects of {len(able)} experiments with intervals. {finding}.", figure, note
    )


def _dots(known: Sequence[Judged], names: Sequence[str], *, zero: bool = False) -> Spec:
    how = words.style(known[0].metric)
    values = [(j.reading.value or 0.0) * how.scale for j in known]
    high = [
        ((j.reading.high if j.reading.high is not None else j.reading.value) or 0.0) * how.scale
        for j in known
    ]
    low = [
        ((j.reading.low if j.reading.low is not None else j.reading.value) or 0.0) * how.scale for j in known
    ]
    shown = [words.shown(j.metric, j.reading) for j in known]
    trace: Spec = {
        "type": "scatter", "mode": "markers", "x": values, "y": [_short(n) for n in names],
        "marker": {"size": 9, "color": SERIES[0]},
        "error_x": {"type": "data", "symmetric": False, "array": [h - v for h, v in zip(high, values, strict=True)],
                    "arrayminus": [v - w for v, w in zip(values, low, strict=True)], "width": 5, "thickness": 1.8,
                    "color": SERIES[0]},
        "text": [f"{n}: {s.value} ({s.interval}), n {s.n}" for n, s in zip(names, shown, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    lines = [level(0.0, "no effect", axis="x")] if zero else []
    axis: Spec = {"ticksuffix": how.suffix, "nticks": 5, "showgrid": True}
    if not zero:
        axis |= {
            "range": [0, min(max(high) * 1.08, 100 if how.suffix.endswith("%") else max(high) * 1.08) or 1]
        }
    return {
        "data": [trace],
        "layout": layout(
            60 + ROW * len(known), axis, {"autorange": "reversed", "type": "category", "showgrid": False},
            shapes=[s for s, _ in lines], annotations=[a for _, a in lines],
        ),
    }  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
