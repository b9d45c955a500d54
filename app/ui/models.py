"""The analyst's part of the Models page: figures, drift table, precision curve, arrival of outcomes, segments by week."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.model_analysis import SHAPES, Analysis, Curve, DriftRow, Heat
from app.ui import charts, tables
from app.ui.charts import Chart, Spec, draw, layout
from app.ui.marks import text
from app.ui.theme import SERIES, TARGET_LINE
from metrics import ALL
from metrics.core.metric import Reading

HEIGHT = 280
PERCENT: Spec = {"tickformat": ".0%"}


def analysis(found: Analysis) -> None:
    """Everything an analyst asks for next, each part only where there is something to show."""
    st.html('<h2 class="tl-h">For analysts</h2>')
    with st.grid(2, min_column_width=340, gap="medium"):
        for key, chart in _charts(found):
            with st.container(border=True, height="stretch"):
                draw(chart, key=f"{key}-{found.model}")
    if found.drift:
        st.html('<h2 class="tl-h">Has its world moved?</h2>')
        tables.show(_drift(found.drift))
        with st.expander("Which values make the shift"):
            tables.show(_bins(found.drift))
    if found.heat:
        with st.expander(f"{ALL['model.precision'].title} by segment and week"):
            tables.show(_heat(found.heat))
    with st.expander("Further figures"):
        tables.show(_figures(found))
    with st.expander("What the figures rest on"):
        st.html(
            "".join(
                f'<p class="tl-sub"><b>{text(name)}</b>: {text(value)}</p>' for name, value in found.facts
            )
        )
        st.code(found.sql, language="sql")


def _charts(found: Analysis) -> list[tuple[str, Chart]]:
    drawn: list[tuple[str, Chart]] = []
    if found.precision:
        drawn.append(("precision", precision(found.precision)))
    if found.arrival:
        drawn.append(("arrival", arrival(found.arrival)))
    if found.gap:
        drawn.append(("gap", charts.history(*found.gap)))
    return drawn


def precision(curve: Curve) -> Chart:
    """Precision against recall, with the base rate as the line of a random list."""
    base = curve.mark or 0.0
    at = int(abs(curve.x - 0.5).argmin())
    finding = f"To catch half of the true cases, {curve.y[at] * 100:.0f} of 100 flags are right; at random {base * 100:.0f}"
    shown = [int(i) for i in charts.thinned(len(curve.x))]
    traces: list[Spec] = [
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [base, base], "hoverinfo": "skip",
         "line": {"color": TARGET_LINE, "width": 1.2, "dash": "dash"}},
        {"type": "scatter", "mode": "lines", "x": curve.x[shown].tolist(), "y": curve.y[shown].tolist(),
         "line": {"color": SERIES[0], "width": 2.2},
         "hovertemplate": "catches %{x:.0%}<br>%{y:.0%} of flags right<extra></extra>"},
    ]  # fmt: skip
    if curve.limits:
        traces.insert(0, charts.band(curve.x, *curve.limits))
    axes = ({"title": {"text": "true cases caught"}, "range": [0, 1.02], **PERCENT},
            {"title": {"text": "flags that are right"}, "rangemode": "tozero", **PERCENT})  # fmt: skip
    return Chart(
        finding, f"Precision and recall. {finding}.", {"data": traces, "layout": layout(HEIGHT, *axes)},
        "The band holds each point with 95 % confidence (Wilson).",
    )  # fmt: skip


def arrival(curve: Curve) -> Chart:
    """Share of outcomes known by the age of a prediction."""
    days = int(curve.mark or 0)
    finding = f"Outcomes need {words.plural(days, 'day')} before a cohort can be judged"
    line, label = charts.level(float(days), "mature", axis="x")
    traces: list[Spec] = [
        {"type": "scatter", "mode": "lines", "x": curve.x.tolist(), "y": curve.y.tolist(),
         "line": {"color": SERIES[0], "width": 2.2, "shape": "hv"},
         "hovertemplate": "after %{x:.0f} days<br>%{y:.0%} known<extra></extra>"},
    ]  # fmt: skip
    axes = ({"title": {"text": "days since the prediction"}, "rangemode": "tozero"},
            {"title": {"text": "outcomes known"}, "range": [0, 1.02], **PERCENT})  # fmt: skip
    shape = layout(HEIGHT, *axes, shapes=[line], annotations=[label])
    return Chart(finding, f"Arrival of outcomes by age. {finding}.", {"data": traces, "layout": shape})


def _drift(rows: tuple[DriftRow, ...]) -> tables.Table:
    short = [ALL[key].title.split(" (")[-1].rstrip(")") for key in SHAPES]
    columns = (
        tables.Column("Score or feature"),
        tables.Column("Verdict"),
        *(tables.Column(s, right=True) for s in short),
    )
    cells = tuple(
        (text(r.feature), text(r.verdict), *(_cell(k, f) for k, f in zip(SHAPES, r.figures, strict=True)))
        for r in rows
    )
    return tables.Table("Drift of score and features against the reference", columns, cells)


def _cell(key: str, reading: Reading) -> str:
    shown = words.shown(ALL[key], reading)
    return text(f"{shown.value} ({shown.interval})" if shown.interval else shown.value)


def _bins(rows: tuple[DriftRow, ...]) -> tables.Table:
    columns = (tables.Column("Score or feature"), tables.Column("Values"),
               *(tables.Column(name, right=True) for name in ("Then", "Now", "Adds to the PSI")))  # fmt: skip
    cells = tuple(
        (
            text(r.feature),
            text(b.name),
            *(words.formatted(v, ".1%") for v in (b.reference, b.current)),
            words.formatted(b.psi, ".3f"),
        )
        for r in rows
        for b in r.bins
    )
    return tables.Table("Contribution of each bin to the shift", columns, cells)


def _heat(found: Heat) -> tables.Table:
    columns = (tables.Column("Segment"), *(tables.Column(w, right=True) for w in found.weeks))
    rows = tuple((text(name), *(_point(r) for r in cells)) for name, cells in found.rows)
    return tables.Table("Share of flags that were right, by segment and week, with n", columns, rows)


def _point(reading: Reading | None) -> str:
    if reading is None or reading.value is None:
        return words.DASH
    return f'{reading.value:.0%} <span class="tl-note">n {words.count(reading.n)}</span>'


def _figures(found: Analysis) -> tables.Table:
    columns = (tables.Column("Figure"), *tables.NUMBERS, tables.Column("Told"))
    rows = tuple(
        (text(j.metric.title), *tables.number_cells(j.metric, j.reading), text("; ".join(j.reading.warnings)))
        for j in found.figures
    )
    return tables.Table("Further figures of the model", columns, rows)
