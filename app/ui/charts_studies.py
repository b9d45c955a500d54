"""A study's charts: actual beside counterfactual, the effect over time, placebos, the way from value to return."""

from __future__ import annotations

from itertools import accumulate

from app.govern.study_words import amount, number
from app.measure import words
from app.measure.studies.outcome import StudyResult
from app.ui.charts import TINT, Chart, layout, level
from app.ui.spelled import Spec
from app.ui.theme import ALARM, REFERENCE_LINE, SERIES


def counterfactual(result: StudyResult) -> Chart | None:
    """What happened to the treated, and what would have happened, with its band; the start as a line."""
    points = result.series
    if len(points) < 3:
        return None
    x = [p.period for p in points]
    start = next((p.period for p in points if p.treated), None)
    known = [p for p in points if p.low is not None and p.high is not None]
    band: Spec = {
        "type": "scatter", "mode": "none", "fill": "toself", "fillcolor": TINT, "hoverinfo": "skip",
        "x": [p.period for p in known] + [p.period for p in reversed(known)],
        "y": [p.high for p in known] + [p.low for p in reversed(known)],
    }  # fmt: skip
    without = _line(x, [p.counterfactual for p in points], SERIES[0], "would have been", dash="dash")
    actual = _line(x, [p.actual for p in points], SERIES[1], "was")
    notes = [
        {"xref": "paper", "x": 1, "y": v, "xanchor": "right", "yanchor": "bottom", "showarrow": False, "text": t,
         "font": {"size": 12, "color": c}}
        for t, v, c in (("was", points[-1].actual, SERIES[1]), ("would have been", points[-1].counterfactual, SERIES[0]))
    ]  # fmt: skip
    figure = {
        "data": [band, without, actual],
        "layout": layout(
            260, {"type": "category", "nticks": 8}, {"nticks": 5}, shapes=_start(start), annotations=notes
        ),
    }
    finding = f"What was, and what would have been without it, from {start or 'the start'} on"
    return Chart(finding, f"{result.name}: actual and counterfactual over {len(points)} periods.", figure)


def _line(x: list[str], y: list[float | None], colour: str, name: str, dash: str = "solid") -> Spec:
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"%{{x}}<br>{name}: %{{y:.4g}}<extra></extra>",
    }  # fmt: skip


def _start(period: str | None) -> list[Spec]:
    if period is None:
        return []
    line = {"color": REFERENCE_LINE, "width": 1.5, "dash": "dot"}
    return [
        {
            "type": "line",
            "xref": "x",
            "x0": period,
            "x1": period,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": line,
        }
    ]


def path(result: StudyResult) -> Chart | None:
    """The effect by event time or period with its interval; before the start it should lie about zero."""
    steps = result.path
    if len(steps) < 2:
        return None
    events = all(s.event_time is not None for s in steps)
    x: list[object] = [s.event_time if events else s.period for s in steps]
    trace: Spec = {
        "type": "scatter", "mode": "markers+lines", "x": x, "y": [s.estimate for s in steps],
        "marker": {"size": 7, "color": SERIES[0]}, "line": {"color": SERIES[0], "width": 1},
        "error_y": {
            "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.4, "width": 3,
            "array": [0 if s.high is None else s.high - s.estimate for s in steps],
            "arrayminus": [0 if s.low is None else s.estimate - s.low for s in steps],
        },
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
    shape, note = level(0.0, "no effect")
    axis: Spec = (
        {"title": {"text": "periods from the start"}} if events else {"type": "category", "nticks": 8}
    )
    figure = {"data": [trace], "layout": layout(240, axis, {"nticks": 5}, shapes=[shape], annotations=[note])}
    told = "The effect by time from the start: before it there should be none"
    return Chart(
        told if events else "The effect by period", f"{result.name}: effect over {len(steps)} points.", figure
    )


def cumulative(result: StudyResult) -> Chart | None:
    """The effect added up from the start: only for outcomes that flow, where a sum means something."""
    if result.cumulative is None:
        return None
    steps = [
        (p.period, p.actual - p.counterfactual)
        for p in result.series
        if p.treated and p.counterfactual is not None
    ]
    if len(steps) < 2:
        return None
    total = list(accumulate(effect for _, effect in steps))
    trace = _line([p for p, _ in steps], list(total), SERIES[0], "so far")
    shape, note = level(0.0, "no effect")
    layouts = layout(
        220, {"type": "category", "nticks": 8}, {"nticks": 5}, shapes=[shape], annotations=[note]
    )
    end = result.cumulative
    interval = (
        ""
        if end.low is None or end.high is None
        else f" ({number(end.low, '.4g')} to {number(end.high, '.4g')})"
    )
    finding = f"Added up, the effect is {number(end.estimate, '.4g')}{interval}"
    return Chart(
        finding, f"{result.name}: cumulative effect. {finding}.", {"data": [trace], "layout": layouts}
    )


def placebos(result: StudyResult) -> Chart | None:
    """The effect among those of units where nothing was done."""
    if len(result.placebos) < 5 or result.estimate is None:
        return None
    others = sorted(result.placebos)
    larger = sum(abs(p) >= abs(result.estimate) for p in others)
    dots: Spec = {
        "type": "scatter", "mode": "markers", "x": others, "y": [0] * len(others), "hovertemplate": "%{x:.4g}<extra></extra>",
        "marker": {"size": 10, "color": REFERENCE_LINE, "opacity": 0.55},
    }  # fmt: skip
    own: Spec = {
        "type": "scatter", "mode": "markers", "x": [result.estimate], "y": [0], "hovertemplate": "%{x:.4g}<extra></extra>",
        "marker": {"size": 14, "color": ALARM, "symbol": "diamond"},
    }  # fmt: skip
    axis: Spec = {"visible": False, "range": [-1, 1]}
    finding = f"{larger} of {len(others)} untreated units show an effect as large as the treated one's"
    figure = {"data": [dots, own], "layout": layout(120, {"nticks": 6, "zeroline": True}, axis)}
    return Chart(finding, f"{result.name}: placebo effects. {finding}.", figure)


def left_out(result: StudyResult) -> Chart | None:
    """The estimate without each comparison unit that it leans on: none of them should carry it alone."""
    found = sorted(result.left_out, key=lambda o: o.estimate)
    if not found or result.estimate is None:
        return None
    dots: Spec = {
        "type": "scatter", "mode": "markers", "x": [o.estimate for o in found], "y": [f"without {o.name}" for o in found],
        "marker": {"size": 9, "color": SERIES[0]}, "hovertemplate": "%{y}: %{x:.4g}<extra></extra>",
    }  # fmt: skip
    shapes = [_upright(result.estimate, SERIES[1], "solid"), _upright(0.0, REFERENCE_LINE, "dot")]
    turned = sum((o.estimate > 0) != (result.estimate > 0) for o in found)
    finding = (
        f"Without one unit the estimate of {number(result.estimate, '.4g')} lies between {number(found[0].estimate, '.4g')} and"
        f" {number(found[-1].estimate, '.4g')}"
        + (f"; {turned} of {len(found)} turn its sign" if turned else "")
    )
    figure = {
        "data": [dots],
        "layout": layout(
            90 + 24 * len(found), {"nticks": 6}, {"type": "category", "automargin": True}, shapes=shapes
        ),
    }
    return Chart(
        finding,
        f"{result.name}: leave one out. {finding}.",
        figure,
        "Orange: with all units. Dotted: no effect.",
    )


def _upright(x: float, colour: str, dash: str) -> Spec:
    line = {"color": colour, "width": 1.5, "dash": dash}
    return {"type": "line", "xref": "x", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def in_time(result: StudyResult) -> Chart | None:
    """The effect at pretended dates before the real one: there nothing happened, so nothing should be found."""
    found = [p for p in result.pretended if p.estimate is not None]
    if len(found) < 2:
        return None
    trace: Spec = {
        "type": "scatter", "mode": "markers", "x": [p.label for p in found], "y": [p.estimate for p in found],
        "marker": {"size": 9, "color": [ALARM if p.alarm else SERIES[0] for p in found],
                   "symbol": ["diamond" if p.alarm else "circle" for p in found]},
        "error_y": {
            "type": "data", "symmetric": False, "color": REFERENCE_LINE, "thickness": 1.4, "width": 3,
            "array": [_reach(p.high, p.estimate) for p in found],
            "arrayminus": [_reach(p.estimate, p.low) for p in found],
        },
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
    shape, note = level(0.0, "no effect")
    alarms = sum(p.alarm for p in found)
    finding = f"{alarms} of {len(found)} pretended dates before the real one show an effect; none should"
    axis: Spec = {"type": "category", "nticks": 8}
    figure = {"data": [trace], "layout": layout(220, axis, {"nticks": 5}, shapes=[shape], annotations=[note])}
    return Chart(finding, f"{result.name}: placebo in time. {finding}.", figure)


def _reach(upper: float | None, lower: float | None) -> float:
    """The length of a whisker; none where an end is not known."""
    return 0.0 if upper is None or lower is None else upper - lower


def waterfall(result: StudyResult) -> Chart | None:
    """From the attributed value over its costs to what is left."""
    roi = result.roi
    if roi is None or roi.cost is None:
        return None
    costs = result.costs or ()
    names = ["Value", *(c.category.capitalize() for c in costs), "Left"]
    net = roi.value - roi.cost
    trace: Spec = {
        "type": "waterfall", "x": names, "y": [roi.value, *(-c.amount for c in costs), net],
        "measure": ["absolute", *("relative" for _ in costs), "total"],
        "text": [amount(v) for v in (roi.value, *(-c.amount for c in costs), net)], "textposition": "outside",
        "increasing": {"marker": {"color": SERIES[2]}}, "decreasing": {"marker": {"color": SERIES[1]}},
        "totals": {"marker": {"color": SERIES[0]}}, "cliponaxis": False, "hovertemplate": "%{x}: %{text}<extra></extra>",
    }  # fmt: skip
    ends = (
        ""
        if roi.roi_low is None or roi.roi_high is None
        else f" ({number(roi.roi_low, '+.2f')} to {number(roi.roi_high, '+.2f')})"
    )
    gain = "no return" if roi.roi is None else f"a return of {number(roi.roi, '+.2f')}{ends}"
    finding = f"Of {amount(roi.value)} of value {amount(net)} is left after costs: {gain}"
    figure = {"data": [trace], "layout": layout(280, {"type": "category"}, {"nticks": 5})}
    note = "" if result.counted else words.sentence(f"{result.grade}: this value is in no sum")
    return Chart(finding, f"{result.name}: from value to return. {finding}.", figure, note)
