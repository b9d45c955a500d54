"""The Activation page's parts."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.measure import words
from app.measure.activation_cards import ActivationBoard, Alert, StatePart, state_words
from app.measure.judged import Frame, Judged
from app.measure.scorecard import Tile
from app.ui import cases, charts, charts_activation, marks, tables, tiles
from app.ui.marks import label, text

COLOURS = {
    "in_window": "good", "late": "warn", "missed": "bad", "open": "accent", "competing_suppressed": "muted",
    "competing_converted": "muted",
}  # fmt: skip
LEFT_OUT = "line"  # what never enters the share


def lead(frame: Frame, board: ActivationBoard) -> None:
    """The sentence that matters, the headline tiles and the cases behind each."""
    with st.container(border=True, gap=None):
        st.html(
            f'<p class="tl-eyebrow">From score to person</p><p class="tl-lead">{text(board.sentence)}</p>'
            f'<p class="tl-sub">{text(board.detail)}</p>'
        )
    with st.grid(tiles.SLOTS, min_column_width=tiles.TILE_WIDTH, gap="small"):
        for tile in board.tiles:
            tiles.draw(frame, tile)
    _cases(frame, board.tiles)


def _cases(frame: Frame, shown: tuple[Tile, ...]) -> None:
    """One list for all headlines, of the model whose number a tile shows: the reader says which."""
    offered = {_whose(t): t for t in shown if t.metric.cases}
    chosen = st.selectbox("Cases behind", tuple(offered), key="cases-of", width=420)
    if chosen:
        tile = offered[chosen]
        model = dict(tile.one.reading.by).get("model_id") or frame.view.model
        own = replace(frame, view=replace(frame.view, model=model))
        cases.draw(own, tile.metric, key=tile.metric.key)


def _whose(tile: Tile) -> str:
    return tile.metric.title + (f", {tile.one.subject}" if tile.one.subject else "")


def states(board: ActivationBoard) -> None:
    """Every signal in exactly one state: a bar that adds up, and the counts."""
    with st.container(border=True, gap="small"):
        whole = sum(part.n for part in board.states)
        title = f"What became of all {words.count(board.total)} signals"
        bars = "".join(f'<i style="flex:{p.n};background:var(--tl-{_colour(p)})"></i>' for p in board.states)
        legend = "".join(_part(p, board.total) for p in board.states)
        st.html(
            f'<h2 class="tl-h">{text(title)}</h2><div class="tl-tally" role="img" aria-label="{text(title)}">{bars}</div>'
            f'<div class="tl-legend">{legend}</div><p class="tl-sub">The states add up to {words.count(whole)} of '
            f"{words.count(board.total)}. The share in the window counts in window, late and missed only.</p>"
        )


def _colour(part: StatePart) -> str:
    return COLOURS.get(part.name, LEFT_OUT)


def _part(part: StatePart, total: int) -> str:
    dot = f'<i style="display:inline-block;width:10px;height:10px;background:var(--tl-{_colour(part)})"></i>'
    return (
        f'<span class="tl-sub">{dot} {text(state_words(part.name))} <b>{words.count(part.n)}</b> '
        f"({words.formatted(100 * part.n / total, '.1f')}{words.NBSP}%)</span>"
    )


def curves(board: ActivationBoard) -> None:
    """When signals are activated, and where the time goes."""
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, height="stretch"):
            charts.draw(charts_activation.incidence(board.curve), key="activation-incidence")
        with st.container(border=True, height="stretch"):
            charts.draw(charts_activation.hops(board.legs), key="activation-hops")
            _logged(board)


def _logged(board: ActivationBoard) -> None:
    if not board.legs:
        return
    columns = (tables.Column("Hop"), *(tables.Column(n, right=True) for n in ("Mean", "Median", "90 %", "n")))
    rows = [
        (leg.end, *(words.duration(s) for s in (leg.mean, leg.median, leg.p90)), words.count(leg.n))
        for leg in board.legs
    ]
    with st.expander("Figures of each hop"):
        tables.show(tables.plain("Seconds in each hop", columns, rows))
        if board.chains is not None:
            shown = words.shown(board.chains.metric, board.chains.reading)
            st.caption(f"{shown.value} of activated signals are logged whole ({shown.interval}).")


def trend(board: ActivationBoard) -> None:
    """The share in time by day with incident marks, and the burn of the error budget."""
    if board.trend is not None:
        with st.container(border=True):
            charts.draw(charts_activation.days(board.trend), key="activation-days")
    columns = (tables.Column("Alert when both windows burn"), tables.Column("Long window", right=True),
               tables.Column("Short window", right=True), tables.Column("Now"))  # fmt: skip
    with st.container(border=True):
        st.html('<h2 class="tl-h">Burn of the error budget at the end of these days</h2>')
        tables.show(tables.Table("Burn-rate alerts", columns, tuple(_alert(a) for a in board.alerts)))


def _alert(one: Alert) -> tuple[str, ...]:
    burns = tuple(_burn(w, j) for w, j in zip(one.windows, one.burns, strict=True))
    now = f"<b>{text(one.todo)}</b>" if one.fires else "quiet"
    return f"{text(one.todo)}: above {one.rate:g} times", *burns, now


def _burn(window: str, one: Judged) -> str:
    shown = words.shown(one.metric, one.reading)
    known = "none due" if one.reading.value is None else f"{shown.value} (n {shown.n})"
    return text(f"{window}: {known}")


def breakdowns(board: ActivationBoard) -> None:
    """Models and worst campaigns with their verdicts, and the further figures."""
    with st.grid(2, min_column_width=340, gap="small"):
        with st.container(border=True, height="stretch"):
            _models(board)
        with st.container(border=True, height="stretch"):
            st.html('<h2 class="tl-h">Worst campaigns</h2>')
            columns = (tables.Column("Campaign"), *tables.NUMBERS)
            rows = tuple(
                (text(j.subject), *tables.number_cells(j.metric, j.reading)) for j in board.campaigns
            )
            tables.show(tables.Table("Share in window of what each campaign sent", columns, rows))
            st.caption("Of what was sent: a signal that was never sent belongs to no campaign.")
    with st.expander("Further figures"):
        measured = (tables.Column("Measure"), tables.Column("Of"), *tables.NUMBERS)
        further = tuple(
            (text(j.metric.title), text(j.subject), *tables.number_cells(j.metric, j.reading))
            for j in board.further
        )
        tables.show(tables.Table("Further figures of activation", measured, further))


def _models(board: ActivationBoard) -> None:
    """One row a model with a share; below, why the others have none."""
    st.html('<h2 class="tl-h">By model</h2>')
    columns = (tables.Column("Model"), tables.Column("In window", right=True), tables.Column("95 %", right=True),
               tables.Column("n", right=True), tables.Column("Median", right=True), tables.Column(""))  # fmt: skip
    known = [r for r in board.models if r.share.reading.value is not None]
    rows = tuple(
        (
            text(r.model),
            *tables.number_cells(r.share.metric, r.share.reading),
            text(words.shown(r.median.metric, r.median.reading).value),
            marks.badge(r.share) if r.share.has_target else "",
        )
        for r in known
    )
    tables.show(tables.Table("Share in window by model", columns, rows))
    for row in board.models:
        if row.share.reading.value is None:
            st.caption(f"{label(row.model)}: {row.share.reading.reason}.")
