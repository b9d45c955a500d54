"""Early warning, drawn: what the rules say, the leading indicators, and what was done with what effect."""

from __future__ import annotations

import streamlit as st

from app.govern.remarks import effects
from app.govern.views import Room
from app.measure.early import Alarm, EarlyBoard, Indicator
from app.measure.judged import Frame
from app.measure.scorecard import Tile
from app.ui import drawer, remarks, tiles
from app.ui.marks import text

MOST = 8


def lead(frame: Frame, board: EarlyBoard) -> None:
    """The sentence, and the alarms; a click opens the number's drawer."""
    with st.container(border=True):
        st.html(f'<p class="tl-eyebrow">Early warning</p><p class="tl-lead">{text(board.sentence)}</p>')
        with st.container(gap=None, key="alarms"):
            for at, one in enumerate(board.warnings[:MOST]):
                _alarm(frame, one, at)
        if len(board.warnings) > MOST:
            with st.expander(f"{len(board.warnings) - MOST} more"), st.container(gap=None, key="more-alarms"):
                for at, one in enumerate(board.warnings[MOST:], start=MOST):
                    _alarm(frame, one, at)


def _alarm(frame: Frame, one: Alarm, at: int) -> None:
    with st.container(key=f"need-alarm-{at}", gap=None):
        subject = f", {one.one.subject}" if one.one.subject else ""
        st.html(
            f'<div class="tl-need"><b>{text(one.one.metric.title + subject)}</b><span class="tl-num tl-rule">'
            f"{text(one.rule)}</span><span>{text(one.text)}</span></div>"
        )
        if st.button(f"Open {one.one.metric.title}, alarm {at + 1}", key=f"open-alarm-{at}", type="tertiary"):
            drawer.show(frame, one.one)


def indicators(frame: Frame, board: EarlyBoard) -> None:
    """A tile for each leading indicator."""
    tiles.heading(
        "Leading indicators",
        "They move before results do. A click opens history, comments and what was done.",
    )
    with st.grid(4, min_column_width=tiles.TILE_WIDTH, gap="small"):
        for one in board.indicators:
            tiles.draw(frame, _tile(one))


def _tile(one: Indicator) -> Tile:
    return Tile(one.one, one.one.subject or one.warns, one.trend, one.movement, (one.one,))


def interventions(frame: Frame, room: Room | None) -> None:
    """Everything that was done for a number, newest first, with the number before and after."""
    if room is None or not room.roles:
        return
    done = tuple(sorted(room.live("interventions"), key=lambda r: -r.seq))
    tiles.heading("What was done, and what moved")
    if not done:
        tiles.empty("No intervention is logged yet.", "Open a number and log what was done for it.")
        return
    remarks.table(effects(frame, room, done[:20]), named=True)
