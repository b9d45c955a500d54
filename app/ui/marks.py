"""Small drawings: verdict shapes, arrows, sparklines. SVG used as CSS masks, so the theme gives the colour.

Streamlit strips inline SVG from markup; a mask cannot carry script and follows light and dark by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from app.measure import words
from app.measure.judged import Judged
from app.ui.theme import verdict_class
from metrics.core.metric import Reading
from metrics.core.verdict import State

WIDTH, HEIGHT, PAD = 240.0, 44.0, 4.0

_CIRCLE = '<circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="1.6"/>'
_STROKE = (
    'fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"'
)
# One shape a verdict, so that no reader depends on colour: tick, cross in a lozenge, half disc, clock, dash, ring.
SHAPES = {
    State.MET: f'{_CIRCLE}<path d="M4.8 8.3l2.2 2.2 4.3-4.6" {_STROKE}/>',
    State.NOT_MET: f'<path d="M8 .8L15.2 8 8 15.2.8 8z" {_STROKE}/><path d="M6 6l4 4M10 6l-4 4" {_STROKE}/>',
    State.INCONCLUSIVE: f'{_CIRCLE}<path d="M8 1a7 7 0 0 1 0 14z" />',
    State.STALE: f'{_CIRCLE}<path d="M8 4v4.3l2.8 1.7" {_STROKE}/>',
    State.NO_DATA: f'<circle cx="8" cy="8" r="7" {_STROKE} stroke-dasharray="2.6 3"/>',
    State.NOT_ENOUGH_DATA: f'{_CIRCLE}<path d="M5 8h6" {_STROKE}/>',
    State.NOT_APPLICABLE: "",
    State.WAIVED: f'{_CIRCLE}<path d="M4.5 11.5l7-7" {_STROKE}/>',
}
_LINE = 'fill="none" stroke="#000" stroke-linecap="round" stroke-linejoin="round" vector-effect="non-scaling-stroke"'
_ARROWS = {1: "M8 2l6 11H2z", -1: "M8 14L2 3h12z"}


def _mask(body: str, box: str, classes: str, *, stretch: bool = False) -> str:
    """An element of the current colour, cut to an SVG drawing."""
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"{ratio}>{body}</svg>'
    return f'<i class="{classes}" style="--tl-m:url(&quot;data:image/svg+xml,{quote(svg, safe=" =:/(),;")}&quot;)"></i>'


def shape(state: State) -> str:
    """The verdict's shape in the current colour; hidden from screen readers, who get the word."""
    return _mask(SHAPES[state], "0 0 16 16", "tl-i") if SHAPES[state] else ""


def badge(one: Judged) -> str:
    """The verdict as shape, word and colour; without a target it says so quietly."""
    state = one.verdict.state
    text = "no target" if state is State.NOT_APPLICABLE else state.value
    why = escape(one.verdict.why, quote=True)
    return f'<span class="tl-badge {verdict_class(state)}" title="{why}">{shape(state)}{text}</span>'


def arrow(direction: int) -> str:
    return _mask(f'<path d="{_ARROWS[direction]}"/>', "0 0 16 16", "tl-i")


def overlay(body: str, side: float) -> str:
    """A drawing laid over a square of any size, in the current colour."""
    return _mask(body, f"0 0 {side:g} {side:g}", "tl-over", stretch=True)


def sparkline(trend: Sequence[Reading], target: float | None, alt: str) -> str:
    """A trend with its interval band and target line; says in words where there is none to draw."""
    known = [(i, r.value) for i, r in enumerate(trend) if r.value is not None]
    if len(known) < 2:
        return '<div class="tl-spark-none">Too few points for a trend</div>'
    bounds = _bounds([v for _, v in known], trend, target)
    at, last = known[-1]
    line = "".join(f'<path d="M{run}" {_LINE} stroke-width="2"/>' for run in _runs(trend, bounds))
    line += f'<path d="M{_x(at, len(trend)):.1f} {_y(last, bounds):.1f}h0.01" {_LINE} stroke-width="7"/>'
    layers = [(_band(trend, bounds), "tl-band"), (line, "tl-line")]
    if target is not None:
        y = _y(target, bounds)
        level = f'<path d="M0 {y:.1f}H{WIDTH:g}" {_LINE} stroke-width="1.4" stroke-dasharray="4 4"/>'
        layers.append((level, "tl-target"))
    drawn = "".join(
        _mask(body, f"0 0 {WIDTH:g} {HEIGHT:g}", name, stretch=True) for body, name in layers if body
    )
    return f'<div class="tl-spark" role="img" aria-label="{escape(alt, quote=True)}">{drawn}</div>'


def _bounds(values: Sequence[float], trend: Sequence[Reading], target: float | None) -> tuple[float, float]:
    """Lowest and highest value drawn: the line and its target whole, wild interval ends cut."""
    ends = [*values, *([target] if target is not None else [])]
    low, high = min(ends), max(ends)
    room = (high - low) or abs(high) or 1.0
    edges = [x for r in trend for x in (r.low, r.high) if x is not None]
    low = max(min([low, *edges]), low - room / 2)
    high = min(max([high, *edges]), high + room / 2)
    return (low, high) if high > low else (low - room / 2, high + room / 2)


def _x(at: int, size: int) -> float:
    return PAD + (WIDTH - 2 * PAD) * (at / (size - 1) if size > 1 else 0.5)


def _y(value: float, bounds: tuple[float, float]) -> float:
    share = (min(max(value, bounds[0]), bounds[1]) - bounds[0]) / (bounds[1] - bounds[0])
    return HEIGHT - PAD - share * (HEIGHT - 2 * PAD)


def _runs(trend: Sequence[Reading], bounds: tuple[float, float]) -> list[str]:
    """Unbroken stretches as path data; a week without a value is a gap, never a zero."""
    runs: list[list[str]] = [[]]
    for at, reading in enumerate(trend):
        if reading.value is None:
            runs.append([])
        else:
            runs[-1].append(f"{_x(at, len(trend)):.1f} {_y(reading.value, bounds):.1f}")
    return ["L".join(run if len(run) > 1 else run * 2) for run in runs if run]


def _band(trend: Sequence[Reading], bounds: tuple[float, float]) -> str:
    """Interval band of each unbroken stretch."""
    drawn, top, bottom = "", [], []
    for at, reading in enumerate((*trend, None)):
        if (
            reading is not None
            and reading.value is not None
            and reading.low is not None
            and reading.high is not None
        ):
            x = _x(at, len(trend))
            top.append(f"{x:.1f} {_y(reading.high, bounds):.1f}")
            bottom.append(f"{x:.1f} {_y(reading.low, bounds):.1f}")
            continue
        if len(top) > 1:
            drawn += f'<path d="M{"L".join(top + bottom[::-1])}z"/>'
        top, bottom = [], []
    return drawn


# What begins markup in a label: CommonMark, directives and icons (:), formulas ($), addresses that become links by themselves.
_MARKUP = re.compile(r"[\\`*\[\]<&:$~@]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.", re.IGNORECASE)


def label(value: str) -> str:
    """Words of people or of the data for a label that Streamlit reads as markdown: shown as they were written."""
    return _MARKUP.sub(r"\\\g<0>", isolated(" ".join(value.split())))


def text(value: object) -> str:
    """Any text made safe for markup, and for the order of the words around it."""
    return escape(isolated(str(value)), quote=True)


# Letters written from right to left (Hebrew to Arabic Extended, their presentation forms), and a run of such words.
_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RUN = re.compile(rf"[{_RTL}]+(?:[\s\d.,'\"\u2019\u2013-]{{1,9}}[{_RTL}]+)*")

_ALONE = re.compile(rf"[{_RTL}](?:[{_RTL}]|[\W\d_])*")  # a name, its numbers with it


def isolated(said: str) -> str:
    """Words written from right to left, kept from turning round the numbers and signs beside them (U+2068, U+2069)."""
    if said.isascii() or not _RUN.search(said):
        return said
    if _ALONE.fullmatch(said):
        return f"\u2068{said}\u2069"
    return _RUN.sub("\u2068\\g<0>\u2069", said)


def value_markup(shown: words.Shown) -> str:
    """A value with its unit set smaller."""
    number, _, unit = shown.value.rpartition(words.NBSP)
    return f"{text(number)} <small>{text(unit)}</small>" if number else text(shown.value)
