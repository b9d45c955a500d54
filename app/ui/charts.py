"""Charts as plotly dictionaries: a title that states the finding, intervals drawn, a target that survives the dark.

Dictionaries, not graph objects: building them is ten times faster. Nothing here reads a store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from app.measure import words
from app.measure.judged import Judged, bucket_of, drawable
from app.measure.manner import manner
from app.measure.takeaway import file_name
from app.ui.marks import text
from app.ui.spelled import Spec, Spelled
from app.ui.theme import REFERENCE_LINE, SERIES, TARGET_LINE
from metrics.core.metric import Reading
from metrics.core.shapes import Floats

MOST_POINTS = 500
TINT = "rgba(14,127,191,0.16)"
# One button, by mouse, touch and keyboard: the picture is made by the browser itself, and nothing leaves it.
CONFIG: Spec = {
    "displayModeBar": "hover", "modeBarButtons": [["toImage"]], "displaylogo": False, "responsive": True,
    "setBackground": "opaque",
}  # fmt: skip
SHARP = 2  # pixels of the picture for one of the screen


@dataclass(frozen=True)
class Chart:
    """A figure with the sentence above it and the words a screen reader hears."""

    finding: str
    alt: str
    figure: Spec
    note: str = ""


@dataclass(frozen=True)
class Flag:
    """A day to mark on a line: a letter, and what is told where one points at it."""

    day: dt.date
    letter: str
    told: str


def draw(chart: Chart | None, key: str) -> None:
    """Draw a chart under its finding; a chart that cannot be drawn says why in its note."""
    if chart is None:
        return
    below = f'<p class="tl-note">{text(chart.note)}</p>' if chart.note else ""
    st.html(f'<h2 class="tl-h">{text(chart.finding)}</h2>{below}')
    if chart.figure:
        st.plotly_chart(Spelled(chart.figure), key=key, config=_config(chart), alt=chart.alt)


def _config(chart: Chart) -> Spec:
    """The chart's own name for the picture that a reader takes away."""
    options = {"format": "png", "filename": file_name(chart.alt or chart.finding), "scale": SHARP}
    return {**CONFIG, "toImageButtonOptions": options}


def named(what: str, chart: Chart) -> Chart:
    """A chart whose finding says what it is of."""
    if not chart.figure:
        return chart
    finding = f"{what}: {chart.finding[0].lower()}{chart.finding[1:]}"
    return replace(chart, finding=finding, alt=chart.alt.replace(chart.finding, finding, 1))


def band(x: Floats, low: Floats, high: Floats) -> Spec:
    """The space between two limits, arrays of one shape."""
    kept = thinned(len(x))
    across, down, up = (a[kept].tolist() for a in (x, low, high))
    return {
        "type": "scatter", "mode": "none", "fill": "toself", "fillcolor": TINT, "hoverinfo": "skip",
        "x": across + across[::-1], "y": up + down[::-1],
    }  # fmt: skip


def step_band(x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> list[Spec]:
    """The space between two limits of a curve that moves in steps: two lines of no width, filled between."""
    line: Spec = {
        "type": "scatter",
        "x": x,
        "mode": "lines",
        "line": {"width": 0, "shape": "hv"},
        "hoverinfo": "skip",
    }
    return [{**line, "y": high}, {**line, "y": low, "fill": "tonexty", "fillcolor": TINT}]


def layout(height: int, x: Spec, y: Spec, **more: object) -> Spec:
    """Space, axes and nothing else; colours and fonts come from the theme."""
    base: Spec = {
        "height": height, "margin": {"l": 8, "r": 12, "t": 20, "b": 8}, "showlegend": False, "hovermode": "closest",
        "xaxis": {"automargin": True, "showgrid": False, "zeroline": False, "fixedrange": True, **x},
        "yaxis": {"automargin": True, "zeroline": False, "fixedrange": True, **y},
        "separators": manner().decimal + manner().group,
    }  # fmt: skip
    return base | more


def level(value: float, label: str, *, axis: str = "y") -> tuple[Spec, Spec]:
    """A dashed line across the plot with its label at the end: a shape and an annotation."""
    along = "x" if axis == "y" else "y"
    line = {
        "type": "line",
        f"{along}ref": "paper",
        f"{along}0": 0,
        f"{along}1": 1,
        f"{axis}0": value,
        f"{axis}1": value,
    }
    line |= {"line": {"color": TARGET_LINE, "width": 1.5, "dash": "dash"}, "layer": "above"}
    where = {"xref": "paper", "x": 1, "y": value, "xanchor": "right", "yanchor": "bottom"}
    if axis == "x":
        where = {"yref": "paper", "y": 1, "x": value, "xanchor": "center", "yanchor": "bottom"}
    return line, {**where, "text": label, "showarrow": False, "font": {"size": 12, "color": TARGET_LINE}}


def thinned(size: int) -> list[int]:
    """Positions kept so that a trace draws MOST_POINTS points or fewer, first and last among them."""
    if size <= MOST_POINTS:
        return list(range(size))
    return [round(i * (size - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)]


def history(one: Judged, whole: Sequence[Reading], flags: Sequence[Flag] = ()) -> Chart:
    """A metric over time: measured line, interval band, target, marked days. Points with too few cases are gaps."""
    trend = drawable(one.metric, tuple(whole))
    known = [r for r in trend if r.value is not None]
    if len(known) < 2:
        return Chart(
            "Too few points for a trend", "", {}, "A trend needs two weeks or months with enough data."
        )
    how = words.style(one.metric)
    kept = [trend[i] for i in thinned(len(trend))]
    line: Spec = {
        "type": "scatter", "mode": "lines+markers", "x": [bucket_of(r) for r in kept],
        "y": [None if r.value is None else r.value * how.scale for r in kept], "connectgaps": False,
        "text": [_hover(one, r) for r in kept], "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 5},
    }  # fmt: skip
    shapes, notes = (a + b for a, b in zip(_target(one, how), _flagged(kept, flags), strict=True))
    axis: Spec = {"ticksuffix": how.suffix, "nticks": 5}
    days: Spec = {"type": "date", "tickformat": "%-d %b %y", "nticks": 6}
    figure = {
        "data": [*bands(kept, how.scale), line],
        "layout": layout(220, days, axis, shapes=shapes, annotations=notes),
    }
    finding = _finding(one, known)
    alt = f"{one.metric.title} over time. {finding}. {len(known)} points."
    return Chart(finding, alt, figure, _left_out(one, whole, trend))


def _flagged(trend: Sequence[Reading], flags: Sequence[Flag]) -> tuple[list[Spec], list[Spec]]:
    """A thin line with its letter for each marked day inside the trend; what happened is told where one points."""
    first, last = bucket_of(trend[0]) or "", _end_of(trend)
    seen = [f for f in flags if first <= f.day.isoformat() <= last]
    lines: list[Spec] = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": f.day.isoformat(), "x1": f.day.isoformat(), "y0": 0, "y1": 0.96,
         "line": {"color": REFERENCE_LINE, "width": 1, "dash": "dot"}, "layer": "below"}
        for f in seen
    ]  # fmt: skip
    notes: list[Spec] = [
        {"xref": "x", "yref": "paper", "x": f.day.isoformat(), "y": 1, "text": f.letter, "hovertext": text(f.told),
         "showarrow": False, "yanchor": "bottom", "font": {"size": 11, "color": REFERENCE_LINE}}
        for f in seen
    ]  # fmt: skip
    return lines, notes


def _end_of(trend: Sequence[Reading]) -> str:
    """The last day of a trend: its last point speaks of a week or a month."""
    start = dt.date.fromisoformat(bucket_of(trend[-1]) or "9999-01-01")
    return (start + dt.timedelta(days=31 if ("month" in dict(trend[-1].by)) else 6)).isoformat()


def _target(one: Judged, how: words.Style) -> tuple[list[Spec], list[Spec]]:
    """The target's line and its label, where there is a target."""
    target = one.verdict.target
    if target is None:
        return [], []
    line, label = level(
        target.threshold * how.scale, f"target {words.target_number(one.metric, target.threshold)}"
    )
    return [line], [label]


def _left_out(one: Judged, whole: Sequence[Reading], drawn: Sequence[Reading]) -> str:
    few = sum(1 for a, b in zip(whole, drawn, strict=True) if a.value is not None and b.value is None)
    return f"{words.plural(few, 'point')} with n below {one.metric.min_n} not drawn." if few else ""


def _finding(one: Judged, known: Sequence[Reading]) -> str:
    first, last = known[0], known[-1]
    start, end = (words.shown(one.metric, r).value for r in (first, last))
    apart = _apart(first, last)
    if apart:
        return f"From {start} to {end} over {len(known)} points"
    return f"No clear change between the first ({start}) and the last point ({end})"


def _apart(first: Reading, last: Reading) -> bool:
    """Whether two readings' intervals do not overlap; without intervals no claim is made."""
    if first.low is None or first.high is None or last.low is None or last.high is None:
        return False
    return first.high < last.low or last.high < first.low


def _hover(one: Judged, reading: Reading) -> str:
    shown = words.shown(one.metric, reading)
    return f"{bucket_of(reading)}<br>{shown.value} ({shown.interval})<br>n {shown.n}"


def bands(trend: Sequence[Reading], scale: float) -> list[Spec]:
    """Interval bands, one polygon for each unbroken stretch."""
    drawn: list[Spec] = []
    run: list[Reading] = []
    for reading in (*trend, None):
        if reading is not None and reading.low is not None and reading.high is not None:
            run.append(reading)
            continue
        if len(run) > 1:
            days = [bucket_of(r) for r in run]
            highs = [(r.high or 0.0) * scale for r in run]
            lows = [(r.low or 0.0) * scale for r in run]
            drawn.append(
                {"type": "scatter", "x": days + days[::-1], "y": highs + lows[::-1], "fill": "toself", "mode": "none",
                 "fillcolor": TINT, "hoverinfo": "skip"}
            )  # fmt: skip
        run = []
    return drawn
