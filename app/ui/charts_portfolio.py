"""How soon a pilot becomes production: the Kaplan-Meier curve, with the pilots that still run marked at their age."""

from __future__ import annotations

import numpy as np

from app.govern.views_pilots import Curve
from app.measure import words
from app.ui.charts import Chart, layout, level, step_band, thinned
from app.ui.spelled import Spec
from app.ui.theme import SERIES

HEIGHT = 300
MOST_NAMED = 40  # running pilots marked by name; more would be a smear


def production(curve: Curve | None) -> Chart:
    """Share of pilots in production by their age; pilots that still run count for as long as they have run."""
    if curve is None:
        return Chart(
            "No curve to draw", "", {}, "No pilot has begun: load delivery_events with pilot_started."
        )
    kept = thinned(curve.days.size)
    x = [0.0, *curve.days[kept].tolist()]
    share, low, high = ([0.0, *v[kept].tolist()] for v in (curve.share, curve.low, curve.high))
    high[0] = high[1] if len(high) > 1 and curve.share[0] == 0 else 0.0
    traces: list[Spec] = [
        *step_band(x, low, high),
        {"type": "scatter", "x": x, "y": share, "mode": "lines", "line": {"color": SERIES[0], "width": 2.2, "shape": "hv"},
         "hovertemplate": "%{y:.0%} in production by day %{x:.0f}<extra></extra>"},
        _running(curve),
    ]  # fmt: skip
    lines = [] if curve.median is None else [level(curve.median, "half of them", axis="x")]
    figure = {
        "data": traces,
        "layout": layout(
            HEIGHT, {"title": {"text": "days since the pilot began"}, "range": [0, x[-1] * 1.04]},
            {"tickformat": ".0%", "range": [0, 1.04]}, shapes=[s for s, _ in lines], annotations=[n for _, n in lines],
        ),
    }  # fmt: skip
    return Chart(_finding(curve), _alt(curve), figure, _note(curve))


def _running(curve: Curve) -> Spec:
    """A mark for each pilot that still runs, on the curve at its age."""
    own = curve.running[:MOST_NAMED]
    at = np.searchsorted(curve.days, [age for _, age in own], side="right") - 1
    height = [float(curve.share[i]) if i >= 0 else 0.0 for i in at]
    return {
        "type": "scatter", "mode": "markers", "x": [age for _, age in own], "y": height,
        "marker": {"symbol": "line-ns-open", "size": 12, "color": SERIES[1], "line": {"width": 2}},
        "text": [f"{name}, still a pilot after {age} days" for name, age in own],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _finding(curve: Curve) -> str:
    if curve.median is None:
        return f"Fewer than half of {words.plural(curve.n, 'pilot')} reached production ({curve.done})"
    return f"Half of the pilots need {curve.median:.0f} days to reach production"


def _alt(curve: Curve) -> str:
    return f"Share of pilots in production by age. {_finding(curve)}; {curve.done} of {curve.n} are there."


def _note(curve: Curve) -> str:
    running = curve.n - curve.done
    return (
        f"{curve.done} of {words.plural(curve.n, 'pilot')} are in production; {running} still run and are marked at their age. "
        "They are counted for as long as they have run, never left out. The band is a 95 % interval."
    )
