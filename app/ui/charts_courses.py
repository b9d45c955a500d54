"""A study's charts of time and of people: the effect by cohort, and the effect in tenths of who was expected to gain."""

from __future__ import annotations

from app.govern.study_words import number
from app.measure.studies.outcome import StudyResult
from app.ui.charts import Chart, layout, level
from app.ui.spelled import Spec
from app.ui.theme import SERIES


def lasts(result: StudyResult) -> Chart | None:
    """The effect of each cohort with its interval, and its course in words."""
    found = result.lasts
    if found is None or len(found.cohorts) < 2:
        return None
    first, last = found.cohorts[0], found.cohorts[-1]
    finding = (
        f"{found.course.value.capitalize()}: from {number(first.estimate, '.3g')} in {first.label} to"
        f" {number(last.estimate, '.3g')} in {last.label}"
    )
    trace = _points(
        [c.label for c in found.cohorts], [(c.estimate, c.low, c.high) for c in found.cohorts], "cohort"
    )
    shape, note = level(0.0, "no effect")
    axis: Spec = {"type": "category", "nticks": 12}
    figure = {"data": [trace], "layout": layout(220, axis, {"nticks": 5}, shapes=[shape], annotations=[note])}
    return Chart(
        finding, f"{result.name}: effect by cohort. {finding}.", figure, found.why.capitalize() + "."
    )


def uplift(result: StudyResult) -> Chart | None:
    """The effect in tenths of the score, those expected to gain most first."""
    found = result.uplift
    if found is None or len(found.groups) < 2:
        return None
    how = "tell who gains" if found.ranks else "do not tell who gains beyond chance"
    finding = f"{', '.join(found.by)} {how}"
    trace = _points(
        [f"{g.rank}" for g in found.groups], [(g.effect, g.low, g.high) for g in found.groups], "tenth"
    )
    shape, note = level(0.0, "no effect")
    axis: Spec = {"type": "category", "title": {"text": "tenth by expected gain, the highest first"}}
    figure = {"data": [trace], "layout": layout(240, axis, {"nticks": 5}, shapes=[shape], annotations=[note])}
    return Chart(finding, f"{result.name}: effect by tenth of the score. {finding}.", figure)


def _points(x: list[str], y: list[tuple[float, float, float]], what: str) -> Spec:
    """Estimates with their intervals."""
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": [v for v, _, _ in y],
        "marker": {"size": 8, "color": SERIES[0]},
        "error_y": {
            "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.4, "width": 3,
            "array": [high - v for v, _, high in y], "arrayminus": [v - low for v, low, _ in y],
        },
        "hovertemplate": f"{what} %{{x}}: %{{y:.4g}}<extra></extra>",
    }  # fmt: skip
