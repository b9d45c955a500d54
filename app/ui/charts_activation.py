"""Charts of the Activation page: incidence against the window, the waterfall of hops, the share in time by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.measure import words
from app.measure.activation_cards import Trend
from app.measure.activation_curves import Curve
from app.measure.judged import bucket_of
from app.ui.charts import Chart, history, layout, level, step_band, thinned
from app.ui.spelled import Spec
from app.ui.theme import ALARM, SERIES
from metrics._activation_waterfall import Leg

HEIGHT = 300
HOUR = 3600.0
UNITS = (("days", 86_400.0), ("hours", HOUR), ("minutes", 60.0), ("seconds", 1.0))


def unit_of(longest: float) -> tuple[str, float]:
    """The unit of an axis of seconds: the longest one that gives at least two of it."""
    return next(((name, size) for name, size in UNITS if longest >= 2 * size), UNITS[-1])


def incidence(curve: Curve | None) -> Chart:
    """Share activated, and stopped first, by time since scoring; the window's end is marked."""
    if curve is None:
        return Chart("No curve to draw", "", {}, "No signal of these days could be followed.")
    end = curve.window or 1.0
    name, size = ("windows", 1.0) if curve.window is None else unit_of(2 * end)
    kept = thinned(curve.time.size)
    x = [0.0, *(curve.time[kept] / size).tolist()]
    lines = {
        k: [0.0, *v[kept].tolist()] for k, v in (("activated", curve.activated), ("stopped", curve.stopped))
    }
    low, high = ([0.0, *v[kept].tolist()] for v in (curve.low, curve.high))
    high[0] = lines["activated"][0]
    traces: list[Spec] = [
        *step_band(x, low, high),
        *(
            {"type": "scatter", "mode": "lines", "x": x, "y": lines[key], "line": {"color": colour, "width": 2.2, "shape": "hv"},
             "hovertemplate": f"%{{y:.1%}} {said} by %{{x:.2f}} {name}<extra></extra>"}
            for key, said, colour in (("stopped", "stopped first", SERIES[5]), ("activated", "activated", SERIES[0]))
        ),
    ]  # fmt: skip
    shape, note = level(end / size, "window ends", axis="x")
    ends = (("activated", "activated", SERIES[0]), ("stopped", "stopped first", SERIES[5]))
    notes = [note, *(_named(x[-1], lines[key][-1], said, colour) for key, said, colour in ends)]
    title = "time since scoring, in windows" if curve.window is None else f"{name} since scoring"
    figure = {
        "data": traces,
        "layout": layout(
            HEIGHT, {"title": {"text": title}, "range": [0, x[-1] * 1.02]},
            {"tickformat": ".0%", "range": [0, min(1.02, max(0.2, max(high) * 1.15))]}, shapes=[shape], annotations=notes,
        ),
    }  # fmt: skip
    finding = _reached(curve)
    return Chart(finding, f"Cumulative incidence of activation. {finding}.", figure, _of(curve))


def _reached(curve: Curve) -> str:
    if curve.at_window is None:
        return "No signal was followed to the end of its window yet"
    value, low, high = (100 * v for v in curve.at_window)
    return f"By the end of the window {value:.0f} of 100 are activated ({low:.0f} to {high:.0f})"


def _of(curve: Curve) -> str:
    followed = f"{words.count(curve.n)} signals followed; those stopped first by a suppression or conversion are no failures."
    if curve.window is None:
        return (
            f"{followed} Signals of different windows share one scale: 1 is the end of a signal's own window."
        )
    return f"{followed} The window is {words.duration(curve.window)}."


def _named(x: float, y: float, text: str, colour: str) -> Spec:
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": "right", "yanchor": "bottom",
            "font": {"color": colour, "size": 13}}  # fmt: skip


def hops(legs: Sequence[Leg]) -> Chart:
    """Waterfall of mean seconds from scored to sent: each leg starts where the one before it ended."""
    if not legs:
        todo = "Load activation_hops to see where the time goes."
        return Chart("No way from score to person is logged whole", "", {}, todo)
    means = np.array([leg.mean for leg in legs])
    total = float(means.sum())
    name, size = unit_of(total)
    slowest = legs[int(means.argmax())]
    finding = f"{words.duration(slowest.mean)} of {words.duration(total)} pass before {_hop(slowest)}"
    hover = [
        f"{leg.start} to {leg.end}: mean {words.duration(leg.mean)}, half within {words.duration(leg.median)}, "
        f"nine tenths within {words.duration(leg.p90)}"
        for leg in legs
    ]
    trace: Spec = {
        "type": "bar", "orientation": "h", "y": [_hop(leg) for leg in legs], "x": (means / size).tolist(),
        "base": ((means.cumsum() - means) / size).tolist(), "text": [words.duration(m) for m in means],
        "textposition": "outside", "cliponaxis": False, "hovertext": hover, "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": [SERIES[1] if leg is slowest else SERIES[0] for leg in legs]},
    }  # fmt: skip
    shape = layout(
        max(HEIGHT, 60 + 38 * len(legs)), {"title": {"text": f"mean {name} since scoring"}, "rangemode": "tozero",
        "range": [0, total / size * 1.28]}, {"autorange": "reversed", "type": "category"},
    )  # fmt: skip
    note = f"Means over {words.plural(legs[0].n, 'chain')} logged whole; the legs add up to {words.duration(total)}."
    return Chart(finding, f"Waterfall of hops. {finding}.", {"data": [trace], "layout": shape}, note)


def _hop(leg: Leg) -> str:
    return leg.end if not leg.unobserved else f"{leg.end} ({leg.start} on, between unobserved)"


def days(trend: Trend) -> Chart:
    """The share in the window over time with its interval, target and incident days."""
    drawn = history(trend.one, trend.points)
    if not drawn.figure:
        return drawn
    marks = [_incident(day) for day in (*trend.incidents, *trend.silent)]
    plan = drawn.figure["layout"]
    plan |= {
        "shapes": [*plan["shapes"], *(s for s, _ in marks)],
        "annotations": [*plan["annotations"], *(a for _, a in marks)],
        "height": HEIGHT,
        "margin": plan["margin"] | {"t": 44},
    }
    bad, silent = (words.listed(tuple(map(_day, d)), 4) for d in (trend.incidents, trend.silent))
    told = f"Incident days: {bad}" if bad else "No incident day stands out"
    gap = f" No signal at all on {silent}." if silent else ""
    every = [bucket_of(r) for r in trend.points]
    span = f"from {every[0]} to {every[-1]}"
    note = f"{trend.rule}{gap} {drawn.note}".strip()
    return replace(drawn, finding=told, alt=f"Share in window {span}. {told}.", note=note)


def _day(iso: str) -> str:
    return words.date(dt.date.fromisoformat(iso))


def _incident(day: str) -> tuple[Spec, Spec]:
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": day, "x1": day,
            "line": {"color": ALARM, "width": 1.5, "dash": "dot"}, "layer": "above"}  # fmt: skip
    name = {"x": day, "yref": "paper", "y": 1, "yanchor": "bottom", "text": f"◆ {_day(day)[:-5]}", "showarrow": False,
            "font": {"color": ALARM, "size": 12}}  # fmt: skip
    return line, name
