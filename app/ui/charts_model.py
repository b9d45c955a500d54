"""Charts of one model: ROC, reliability with counts, scores by outcome."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.judged import bucket_of
from app.measure.model_cards import Bars, ModelDetail, Promises, RocCurve
from app.ui.charts import Chart, band, draw, history, layout, named, thinned
from app.ui.spelled import Spec
from app.ui.theme import REFERENCE_LINE, SERIES

HEIGHT = 300
PERCENT: Spec = {"tickformat": ".0%"}


def detail(found: ModelDetail) -> tuple[tuple[str, Chart], ...]:
    """The charts of a model's page by key, in reading order; what is missing says so in place."""
    absent = words.sentence(found.missing) or "Nothing to draw."
    return (
        ("roc", roc(found.roc) if found.roc else Chart("No ranking to draw", "", {}, absent)),
        (
            "promises",
            promises(found.promises) if found.promises else Chart("No promises to check", "", {}, absent),
        ),
        ("bars", bars(found.bars) if found.bars else Chart("No scores to compare", "", {}, absent)),
        ("trend", trend(found)),
    )


def trend(found: ModelDetail) -> Chart:
    """Ranking by week: measured weeks as a line, young ones dashed and called estimated."""
    drawn = named("Ranking by week", history(found.auc, found.trend))
    young = [r for r in found.estimated if r.value is not None]
    if not drawn.figure or not young:
        return drawn
    dashed: Spec = {
        "type": "scatter", "mode": "lines+markers", "x": [bucket_of(r) for r in young], "y": [r.value for r in young],
        "text": [f"{bucket_of(r)}<br>estimated {r.value:.3f} ({r.low:.3f} to {r.high:.3f})" for r in young],
        "hovertemplate": "%{text}<extra></extra>", "line": {"color": SERIES[0], "width": 1.6, "dash": "dot"},
        "marker": {"size": 5, "symbol": "circle-open"},
    }  # fmt: skip
    figure = {**drawn.figure, "data": [*drawn.figure["data"], dashed]}
    note = "Dotted: estimated, as outcomes of these weeks are still coming in."
    return Chart(drawn.finding, f"{drawn.alt} {note}", figure, f"{drawn.note} {note}".strip())


def roc(curve: RocCurve) -> Chart:
    """True against false positive rate, with the deployed threshold's point."""
    kept = thinned(len(curve.true_positive_rate))
    x, y = (a[kept].tolist() for a in (curve.false_positive_rate, curve.true_positive_rate))
    shown = words.shown(curve.auc.metric, curve.auc.reading)
    traces: list[Spec] = [
        band(curve.band.false_positive_rate, curve.band.low, curve.band.high),
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
         "line": {"color": REFERENCE_LINE, "width": 1.2, "dash": "dash"}},
        {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": SERIES[0], "width": 2.2},
         "hovertemplate": "catches %{y:.0%} of true cases<br>flags %{x:.0%} of the others<extra></extra>"},
    ]  # fmt: skip
    notes: list[Spec] = []
    finding = f"Ranking {shown.value} ({shown.interval}); 0.5 would be chance"
    if curve.operating:
        fpr, tpr = curve.operating
        traces.append({"type": "scatter", "mode": "markers", "x": [fpr], "y": [tpr], "hoverinfo": "skip",
                       "marker": {"size": 11, "color": SERIES[1], "symbol": "diamond"}})  # fmt: skip
        notes.append(
            {"x": fpr, "y": tpr, "text": "as deployed", "showarrow": False, "xanchor": "left", "xshift": 10}
        )
        finding = f"As deployed it catches {tpr * 100:.0f} of 100 true cases and flags {fpr * 100:.0f} of 100 others"
    axes = ({"title": {"text": "flagged among the others"}, "range": [-0.02, 1.02], **PERCENT},
            {"title": {"text": "true cases caught"}, "range": [-0.02, 1.03], **PERCENT})  # fmt: skip
    return Chart(
        finding,
        f"ROC curve. {finding}.",
        {"data": traces, "layout": layout(HEIGHT, *axes, annotations=notes)},
        "The whole curve lies in the band with 95 % confidence.",
    )


def promises(curve: Promises) -> Chart:
    """Observed share against mean score with whiskers, and under it how many predictions each point rests on."""
    at = curve.worst
    finding = "Outcomes keep the promise in every tenth of the score"
    if at is not None:
        said, seen = curve.score[at] * 100, curve.observed[at] * 100
        ends = f"{curve.low[at] * 100:.0f} to {curve.high[at] * 100:.0f}"
        finding = f"Where it promises {said:.0f} %, {seen:.0f} % came true ({ends})"
    score, observed = curve.score.tolist(), curve.observed.tolist()
    whiskers = {"type": "data", "symmetric": False, "array": (curve.high - curve.observed).tolist(),
                "arrayminus": (curve.observed - curve.low).tolist(), "width": 4, "thickness": 1.4}  # fmt: skip
    traces: list[Spec] = [
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
         "line": {"color": REFERENCE_LINE, "width": 1.2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers+lines", "x": score, "y": observed, "error_y": whiskers,
         "line": {"color": SERIES[0], "width": 1.5}, "marker": {"size": 7}, "customdata": curve.n.tolist(),
         "hovertemplate": "promised %{x:.0%}, came true %{y:.0%}<br>n %{customdata:,}<extra></extra>"},
        {"type": "bar", "x": score, "y": curve.n.tolist(), "yaxis": "y2", "width": 0.04,
         "marker": {"color": SERIES[5]}, "hovertemplate": "%{y:,} predictions<extra></extra>"},
    ]  # fmt: skip
    shape = layout(
        HEIGHT + 40,
        {"title": {"text": "promised (mean score)"}, "range": [-0.02, 1.02], "anchor": "y2", **PERCENT},
        {"title": {"text": "came true"}, "domain": [0.3, 1], "range": [-0.03, 1.03], **PERCENT},
        yaxis2={"domain": [0, 0.2], "title": {"text": "count"}, "nticks": 3, "fixedrange": True, "automargin": True,
                "rangemode": "tozero"},
    )  # fmt: skip
    total = int(curve.n.sum())
    return Chart(
        finding,
        f"Reliability diagram of {words.count(total)} labelled predictions. {finding}.",
        {"data": traces, "layout": shape},
    )


def bars(found: Bars) -> Chart:
    """Where the scores of true cases and of the others lie: two rows of bars on one scale."""
    above, below = found.medians
    true, others = (words.formatted(v, ".2f") for v in (above, below))
    finding = f"Half of the true cases score above {true}, half of the others below {others}"
    middle = ((found.edges[1:] + found.edges[:-1]) / 2).tolist()
    rows = (("true cases", found.positive, SERIES[1], "y"), ("others", found.negative, SERIES[0], "y2"))
    traces: list[Spec] = [
        {"type": "bar", "x": middle, "y": tall.tolist(), "yaxis": axis, "marker": {"color": colour},
         "hovertemplate": name + " near %{x:.2f}: %{y:.1%}<extra></extra>"}
        for name, tall, colour, axis in rows
    ]  # fmt: skip
    notes: list[Spec] = [
        {"xref": "paper", "x": 1, "yref": f"{axis} domain", "y": 1, "text": name, "showarrow": False,
         "xanchor": "right", "yanchor": "top", "font": {"color": colour, "size": 13}}
        for name, _, colour, axis in rows
    ]  # fmt: skip
    side: Spec = {
        "tickformat": ".0%",
        "nticks": 4,
        "rangemode": "tozero",
        "fixedrange": True,
        "automargin": True,
    }
    shape = layout(
        HEIGHT, {"title": {"text": "score"}, "range": [0, float(found.edges[-1])], "anchor": "y2"},
        {**side, "domain": [0.54, 1]}, yaxis2={**side, "domain": [0, 0.46]}, bargap=0.08, annotations=notes,
    )  # fmt: skip
    note = (
        f"{words.plural(found.unlabelled, 'prediction')} without an outcome yet are not in these bars."
        if found.unlabelled
        else ""
    )
    return Chart(
        finding, f"Histogram of scores by outcome. {finding}.", {"data": traces, "layout": shape}, note
    )


def draw_all(found: ModelDetail) -> None:
    """Draw a model's charts, two abreast where there is room."""
    with st.grid(2, min_column_width=340, gap="medium"):
        for key, chart in detail(found):
            with st.container(border=True, height="stretch"):
                draw(chart, key=f"{key}-{found.model}")
