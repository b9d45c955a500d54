"""The analyst's part of the Models page: figures, drift table, precision curve, arrival of outcomes, segments by week."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.measure import words
from app.measure.judged import Frame
from app.measure.model_analysis import FEW, SHAPES, Analysis, Curve, DriftRow, Heat
from app.measure.restated import Restated, days_to_compare, restated
from app.ui import charts, tables
from app.ui.charts import TINT, Chart, draw, layout
from app.ui.marks import text
from app.ui.spelled import Spec
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
        with st.container(border=True):
            draw(heat(found.heat), key=f"heat-{found.model}")
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
        drawn.append(("gap", charts.named("Widest gap in wrong flags", charts.history(*found.gap))))
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


def heat(found: Heat) -> Chart:
    """A square for each segment and day (or week): the darker, the more flags were right. Too few cases stay empty."""
    names = [name for name, _ in found.rows]
    shown = [[r if r is not None and r.n >= FEW else None for r in cells] for _, cells in found.rows]
    values = [r.value for cells in shown for r in cells if r is not None and r.value is not None]
    if not values:
        return Chart(
            "Too few flags for a map of segments and days",
            "",
            {},
            f"A square needs {FEW} flags with an outcome.",
        )
    whole = {name: _pooled(cells) for name, cells in found.rows}
    able = {name: share for name, share in whole.items() if share is not None}
    low, high = (pick(able, key=lambda name: able[name]) for pick in (min, max))
    finding = (
        f"Flags are right most often in {high} ({able[high]:.0%}), least often in {low} ({able[low]:.0%})"
    )
    figure: Spec = {
        "type": "heatmap", "x": list(found.days), "y": names,
        "z": [[None if r is None else r.value for r in cells] for cells in shown],
        "text": [[_square(r) for r in cells] for cells in shown],
        "hovertemplate": "%{y}<br>%{x}<br>%{text} flags right<extra></extra>", "hoverongaps": False, "xgap": 1, "ygap": 1,
        "zmin": min(values), "zmax": max(values), "colorscale": [[0, TINT], [1, SERIES[0]]],
        "colorbar": {"thickness": 10, "tickformat": ".0%", "outlinewidth": 0},
    }  # fmt: skip
    axes = ({"type": "date", "tickformat": "%-d %b", "nticks": 6}, {"type": "category", "showgrid": False})
    shape = layout(120 + 34 * len(names), *axes)
    note = f"Each square is a segment's flags of one {found.each}; squares of fewer than {FEW} with an outcome stay empty."
    return Chart(
        finding,
        f"Heat map by segment and {found.each}. {finding}.",
        {"data": [figure], "layout": shape},
        note,
    )


def _square(reading: Reading | None) -> str:
    return (
        "" if reading is None or reading.value is None else f"{reading.value:.0%} of {words.count(reading.n)}"
    )


def _pooled(cells: tuple[Reading | None, ...]) -> float | None:
    """Share of flags that were right over all days of a segment."""
    known = [r for r in cells if r is not None and r.numerator is not None and r.denominator]
    total = sum(r.denominator or 0 for r in known)
    return sum(r.numerator or 0 for r in known) / total if total else None


def restate(frame: Frame, name: str) -> None:
    """A day of the past to choose, and what was said then beside what is said now of the same predictions."""
    days = days_to_compare(frame)
    if not days:
        return
    with st.expander("What did we say then, and what do we say now"):
        chosen = st.selectbox(
            "What was known on",
            days,
            index=None,
            format_func=words.date,
            placeholder="Choose a day",
            key=f"restate-{name}",
        )
        if chosen is not None:
            with st.spinner("Asking the warehouse what was known then"):
                tables.show(_restated(restated(frame, name, chosen), chosen))


def _restated(found: tuple[Restated, ...], on: dt.date) -> tables.Table:
    names = (f"As said on {words.date(on)}", "As said now", "Outcomes known")
    columns = (tables.Column("Figure"), *(tables.Column(n, right=True) for n in names), tables.Column(""))
    rows = tuple(
        (
            text(r.metric.title), _cell(r.metric.key, r.then), _cell(r.metric.key, r.now),
            f"{words.count(r.then.n)} to {words.count(r.now.n)}", "outside what was said" if r.moved else "",
        )
        for r in found
    )  # fmt: skip
    return tables.Table("The same predictions, then and now", columns, rows)


def _figures(found: Analysis) -> tables.Table:
    columns = (tables.Column("Figure"), *tables.NUMBERS, tables.Column("Told"))
    rows = tuple(
        (text(j.metric.title), *tables.number_cells(j.metric, j.reading), text("; ".join(j.reading.warnings)))
        for j in found.figures
    )
    return tables.Table("Further figures of the model", columns, rows)
