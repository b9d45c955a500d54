"""The waterfall from potential to net value: bars that hang where the one before them ended, and say their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.measure import words
from app.ui.charts import Chart, layout
from app.ui.spelled import Spec
from app.ui.theme import SERIES
from metrics._chain_line import Step

ROW = 38
COLOURS = {
    "start": SERIES[0],
    "total": SERIES[0],
    "loss": SERIES[1],
    "apart": "#8A97A6",
    "cost": SERIES[3],
    "net": SERIES[2],
}


def money(steps: Sequence[Step], *, measured: bool) -> Chart:
    """In money, with the interval of each bar where it is measured."""
    if not steps:
        return Chart("No waterfall to draw", "", {}, "No signal merited action in these days.")
    start, reached = steps[0].money.value, next(s for s in steps if s.kind == "total").money.value
    grade = "measured against the holdout" if measured else "claimed by the models"
    title = f"{words.compact(reached)} of {words.compact(start)} arrive, {grade}"
    note = "The bars add up: potential, less what each link loses or withholds, is what was reached in the window."
    return _waterfall(title, note, steps, lambda s: s.money.value, words.compact, whiskers=measured)


def signals(steps: Sequence[Step]) -> Chart:
    """In signals."""
    counted = [s for s in steps if s.kind not in ("cost", "net")]
    if not counted:
        return Chart("No waterfall to draw", "", {}, "No signal merited action in these days.")
    title = (
        f"{words.count(counted[-1].n)} of {words.count(counted[0].n)} signals reached their person in time"
    )
    note = "Held-out, suppressed and still open signals are no loss; they are drawn in grey."
    return _waterfall(title, note, counted, lambda s: float(s.n), words.count, whiskers=False)


def _waterfall(
    title: str, note: str, steps: Sequence[Step], size: Callable[[Step], float], said: Callable[[float], str],
    *, whiskers: bool,
) -> Chart:  # fmt: skip
    bases, lengths, running = [], [], 0.0
    for step in steps:
        value = size(step)
        if step.kind in ("start", "total", "net"):
            bases.append(0.0)
            lengths.append(value)
            running = value
        else:
            running -= value
            bases.append(running)
            lengths.append(value)
    trace: Spec = {
        "type": "bar", "orientation": "h", "y": [s.name for s in steps], "x": lengths, "base": bases,
        "hovertext": [_hover(s, size(s), said, whiskers=whiskers) for s in steps],
        "hovertemplate": "%{hovertext}<extra></extra>", "marker": {"color": [_colour(s, size(s)) for s in steps]},
    }  # fmt: skip
    # Labels stand right of their bars, those below zero too: on the left they would run into the names of the links.
    labels: Spec = {
        "type": "scatter", "mode": "text", "y": [s.name for s in steps], "textposition": "middle right", "cliponaxis": False,
        "x": [max(b, b + x) for b, x in zip(bases, lengths, strict=True)], "hoverinfo": "skip",
        "text": [words.NBSP + _label(s, size(s), said) for s in steps],
    }  # fmt: skip
    ends = [v for b, x in zip(bases, lengths, strict=True) for v in (b, b + x)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = (high - low or 1.0) * 0.2
    figure = {
        "data": [trace, labels],
        "layout": layout(
            80 + ROW * len(steps), {"range": [low, high + room], "nticks": 5},
            {"autorange": "reversed", "type": "category"},
        ),
    }  # fmt: skip
    alt = "; ".join(f"{s.name} {_label(s, size(s), said)}" for s in steps)
    return Chart(title, f"Waterfall. {title}. {alt}.", figure, note)


def _colour(step: Step, value: float) -> str:
    """What is left over is green only where something is left."""
    return COLOURS["loss"] if step.kind == "net" and value < 0 else COLOURS[step.kind]


def _label(step: Step, value: float, said: Callable[[float], str]) -> str:
    return (
        said(value)
        if step.kind in ("start", "total", "net") or not value
        else said(-value).replace("-", words.MINUS)
    )


def _hover(step: Step, value: float, said: Callable[[float], str], *, whiskers: bool) -> str:
    between = (
        f" ({said(step.money.low)} to {said(step.money.high)})"
        if whiskers and step.money.low < step.money.high
        else ""
    )
    signals = f", {words.plural(step.n, 'signal')}" if step.n else ""
    return f"{step.name}: {said(value)}{between}{signals}"
