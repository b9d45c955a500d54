"""Tiles, cards and short lists: Readings as markup. Every tile opens its drawer."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.judged import Frame, Judged, Movement
from app.measure.scorecard import Column, Scorecard, Tally, Tile
from app.ui import drawer, marks
from app.ui.marks import label, text
from metrics.core.metric import Direction
from metrics.core.persistence import Course
from metrics.core.verdict import State

MOST_NEEDS = 3
SLOTS = 4  # tiles abreast on a wide screen
TILE_WIDTH = 240


def slug(name: str) -> str:
    """A name as it may stand in a CSS class."""
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def first_screen(frame: Frame, board: Scorecard) -> None:
    """The sentence that matters, how many targets stand where, and what needs somebody."""
    wide, side = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch"):
        st.html(
            f'<p class="tl-eyebrow">What matters most</p><p class="tl-lead">{text(board.sentence)}</p>'
            f'<p class="tl-sub">{text(board.detail)}</p>'
            f"{_tally(board.tally)}{_changes(board.changes)}"
        )
    with side.container(border=True, height="stretch"):
        st.html('<p class="tl-eyebrow">Targets missed</p>')
        _needs(frame, board.needs)


def _changes(changes: tuple[str, ...]) -> str:
    if not changes:
        return ""
    lines = "".join(f"<li>{text(change)}</li>" for change in changes)
    return f'<p class="tl-count">Changed since the stretch before</p><ul class="tl-list">{lines}</ul>'


def _tally(tally: Tally) -> str:
    parts = (
        (tally.met, State.MET, "met"),
        (tally.not_met, State.NOT_MET, "not met"),
        (tally.inconclusive, State.INCONCLUSIVE, "too close to call"),
        (tally.unmeasured, State.NO_DATA, "not enough fresh data"),
    )
    if not tally.total:
        return ""
    colours = {State.MET: "good", State.NOT_MET: "bad", State.INCONCLUSIVE: "warn", State.NO_DATA: "line"}
    bars = "".join(f'<i style="flex:{n};background:var(--tl-{colours[s]})"></i>' for n, s, _ in parts if n)
    legend = "".join(
        f'<span class="tl-badge tl-v-{s.value.replace(" ", "-")}">{marks.shape(s)}{n} {what}</span>'
        for n, s, what in parts
        if n
    )
    title = text(f"{words.plural(tally.total, 'target')} judged on their intervals")
    return (
        f'<p class="tl-count">{title}</p><div class="tl-tally" aria-hidden="true">{bars}</div>'
        f'<div class="tl-legend">{legend}</div>'
    )


def _needs(frame: Frame, needs: tuple[Judged, ...]) -> None:
    if not needs:
        st.html('<p class="tl-note">No target is missed. Nothing needs a decision today.</p>')
    with st.container(gap=None, key="needs"):
        for at, one in enumerate(needs[:MOST_NEEDS]):
            _need(frame, one, at)
    if len(needs) > MOST_NEEDS:
        st.html(f'<p class="tl-sub">and {len(needs) - MOST_NEEDS} more, below</p>')


def _need(frame: Frame, one: Judged, at: int) -> None:
    """One missed target in two lines; opens its drawer."""
    aim = words.target_words(one.metric, one.verdict.target) if one.verdict.target else ""
    value = words.shown(one.metric, one.reading).value
    with st.container(key=f"need-{at}", gap=None):
        st.html(
            f'<div class="tl-need"><b>{text(one.metric.title)}</b><span class="tl-num">{text(value)}</span>'
            f"<span>{text(one.subject)}</span><span>{text(aim)}</span></div>"
        )
        _opener(frame, one, f"need-{at}")


def columns(frame: Frame, board: Scorecard) -> None:
    """The measured dimensions side by side, the fullest widest; those not measured yet under them, calmly."""
    measured = [c for c in board.columns if c.tiles]
    spans = _spans([len(c.tiles) for c in measured])
    for place, column, span in zip(st.columns(spans or 1, gap="small"), measured, spans, strict=False):
        with place:
            st.html(f'<h2 class="tl-h">{text(column.title)}</h2>')
            _column(frame, column, span)
    waiting = [c for c in board.columns if not c.tiles]
    for place, column in zip(st.columns(max(len(waiting), 1), gap="small"), waiting, strict=False):
        with place:
            st.html(f'<h2 class="tl-h">{text(column.title)}</h2>')
            empty("Not measured yet", column.missing)


def _spans(sizes: list[int]) -> list[int]:
    """Tiles abreast for each column: one each, then one more to whoever has the most rows, SLOTS in all."""
    spans = [1] * len(sizes)
    while sizes and sum(spans) < SLOTS:
        longest = max(range(len(sizes)), key=lambda i: sizes[i] / spans[i])
        spans[longest] += 1
    return spans


def _column(frame: Frame, column: Column, abreast: int) -> None:
    with st.grid(abreast, min_column_width=TILE_WIDTH, gap="small"):
        for tile in column.tiles:
            draw(frame, tile)


def draw(frame: Frame, tile: Tile) -> None:
    """One tile, with the button that opens its drawer laid over it."""
    name = slug(tile.key)
    with st.container(border=True, key=f"tile-{name}", gap=None, height="stretch"):
        st.html(_markup(tile))
        _opener(frame, tile.one, name)


def _opener(frame: Frame, one: Judged, name: str) -> None:
    said = f"Open {one.metric.title}" + (f", {label(one.subject)}" if one.subject else "")
    if st.button(said, key=f"open-{name}", type="tertiary"):
        drawer.show(frame, one)


def _markup(tile: Tile) -> str:
    one = tile.one
    shown = words.shown(one.metric, one.reading)
    target = one.verdict.target
    aim = f"target {words.target_words(one.metric, target)}" if target else ""
    if one.reading.value is None:
        middle = f'<div class="tl-range">{text(words.sentence(one.reading.reason))}</div>'
    else:
        parts = [shown.interval, f"n {shown.n}"] if shown.interval else [f"n {shown.n}"]
        middle = f'<div class="tl-range">{text(" · ".join(parts))}</div>'
    alt = f"{one.metric.title}, {len(tile.trend)} points, {aim or 'no target'}"
    spark = marks.sparkline(tile.trend, target.threshold if target else None, alt)
    name, below = tile.names
    value = f'<span class="tl-value">{marks.value_markup(shown)}</span>'
    return (
        f'<div class="tl-tile"><div class="tl-name">{text(name)}</div>'
        f'<div class="tl-whose">{text(below)}</div><div class="tl-top">{value}{_moved(tile, tile.movement)}</div>'
        f'{middle}{spark}<div class="tl-foot"><span>{text(aim)}</span>{marks.badge(one)}</div>{_by(one)}</div>'
    )


def _by(one: Judged) -> str:
    """Who answers for the number, and how old its data are."""
    fresh = f"data of {words.date(one.reading.as_of.date())}" if one.reading.as_of else "no data yet"
    return f'<div class="tl-by"><span>{text(one.metric.owner)}</span><span>{text(fresh)}</span></div>'


def _moved(tile: Tile, movement: Movement | None) -> str:
    if tile.lasts is not None and tile.lasts.course is Course.FADING:
        good = tile.metric.direction is Direction.HIGHER
        loss = ((tile.one.reading.value or 0.0) > 0) == good
        return f'<span class="tl-move{" tl-bad" if loss else ""}">{marks.arrow(-1)}fading</span>'
    if movement is None:
        return ""
    if not movement.clear:
        return '<span class="tl-move">no clear change</span>'
    change = words.change(tile.metric, movement.change, tile.one.reading)
    tone = "" if movement.good is None else " tl-good" if movement.good else " tl-bad"
    way = 1 if movement.change > 0 else -1
    name = "up" if way > 0 else "down"
    return f'<span class="tl-move{tone}">{marks.arrow(way)}{name} {text(change)}</span>'


def empty(title: str, todo: str) -> None:
    """A calm box where something would be: what is missing and what to do."""
    st.html(f'<div class="tl-empty"><b>{text(title)}</b>{text(todo)}</div>')


def heading(title: str, note: str = "") -> None:
    """A section's heading with one line under it."""
    below = f'<p class="tl-note">{text(note)}</p>' if note else ""
    st.html(f'<h2 class="tl-h">{text(title)}</h2>{below}')


def toggle(board: Scorecard) -> None:
    """Offers the measures that no target judges, where there are any."""
    hidden = sum(column.more for column in board.columns)
    if hidden:
        st.toggle("Also show the measures without a target", key="all", bind="query-params")
