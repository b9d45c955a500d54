"""Geometry of a trend: points, band and target line on a unit square, for a printer that has only lines."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern.pack.model import Figure, Point

Spot = tuple[float, float]  # x from left, y from above, both 0 to 1
ROOM = 0.08  # empty share above and below


@dataclass(frozen=True)
class Chart:
    """`lines` and `bands` are cut where a week is missing; `aim` is the target's height; `top`, `bottom`: the scale's ends."""

    lines: tuple[tuple[Spot, ...], ...]
    bands: tuple[tuple[Spot, ...], ...]
    aim: float | None
    top: float
    bottom: float
    first: str
    last: str


def chart(figure: Figure) -> Chart | None:
    """The trend of a figure; None where fewer than two points are known."""
    known = [p for p in figure.trend if p.value is not None]
    if len(known) < 2:
        return None
    low, high = _ends(figure, known)
    runs = _runs(figure.trend)
    step = 1 / (len(figure.trend) - 1)

    def spot(at: int, value: float) -> Spot:
        return at * step, 1 - (value - low) / (high - low)

    lines = tuple(tuple(spot(i, p.value) for i, p in run if p.value is not None) for run in runs)
    bands = tuple(_band([(spot(i, p.low), spot(i, p.high)) for i, p in run if p.low is not None and p.high is not None])
                  for run in runs)  # fmt: skip
    aim = None if figure.threshold is None else spot(0, figure.threshold)[1]
    return Chart(
        lines, tuple(b for b in bands if b), aim, high * figure.scale, low * figure.scale, figure.trend[0].day,
        figure.trend[-1].day,
    )  # fmt: skip


def _ends(figure: Figure, known: list[Point]) -> tuple[float, float]:
    """The scale's ends: everything that is drawn lies inside."""
    values = [v for p in known for v in (p.value, p.low, p.high) if v is not None]
    values += [] if figure.threshold is None else [figure.threshold]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    under = low - ROOM * span
    return (max(under, 0.0) if low >= 0 else under), high + ROOM * span


def _runs(trend: tuple[Point, ...]) -> list[list[tuple[int, Point]]]:
    """Stretches without a gap, each point with its place."""
    runs: list[list[tuple[int, Point]]] = [[]]
    for at, point in enumerate(trend):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((at, point))
    return [r for r in runs if r]


def _band(ends: list[tuple[Spot, Spot]]) -> tuple[Spot, ...]:
    """The outline of an interval: along its lower ends and back along the upper ones."""
    if len(ends) < 2:
        return ()
    return (*(low for low, _ in ends), *(high for _, high in reversed(ends)))
