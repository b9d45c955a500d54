"""The Identity page's parts."""

from __future__ import annotations

import streamlit as st

from app.measure import words
from app.measure.identity_cards import IdentityBoard
from app.measure.judged import Frame
from app.ui import charts, charts_suppression, drawer, marks, tables, tiles
from app.ui.marks import text

NARROW = 200  # pixels a tile, so that the five stand abreast on a desk


def lead(frame: Frame, board: IdentityBoard) -> None:
    """The sentence that matters, with its verdict; opens the drawer."""
    with st.container(border=True, key="tile-links", gap=None):
        badge = marks.badge(board.verdict) if board.verdict.has_target else ""
        st.html(
            f'<p class="tl-eyebrow">Records and persons {badge}</p><p class="tl-lead">{text(board.sentence)}</p>'
            f'<p class="tl-sub">{text(board.detail)}</p>'
        )
        if st.button("Open links that were found", key="open-links", type="tertiary"):
            drawer.show(frame, board.verdict)


def traces(frame: Frame, board: IdentityBoard) -> None:
    """What can be measured without a labelled sample."""
    tiles.heading(
        "Without labels",
        "What every warehouse can tell, and what a missed link does to a stop. Links count as they stand at the end.",
    )
    with st.grid(len(board.tiles), min_column_width=NARROW, gap="small"):
        for tile in board.tiles:
            tiles.draw(frame, tile)


def against_truth(board: IdentityBoard) -> None:
    """The measures against a labelled sample, and how many records persons have."""
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch"):
        st.html('<h2 class="tl-h">Against a labelled sample</h2>')
        if board.labelled:
            tables.show(_truth(board))
        else:
            tiles.empty("No labelled sample", words.sentence(board.truth[0].reading.reason))
    with narrow.container(border=True, height="stretch"):
        charts.draw(charts_suppression.sizes(board.sizes), key="sizes")
        if board.addresses:
            shown = [f"{words.shown(j.metric, j.reading).value} by {j.subject}" for j in board.addresses]
            st.html(
                f'<p class="tl-sub">{text("Addresses shared by several persons: " + ", ".join(shown))}.</p>'
            )


def _truth(board: IdentityBoard) -> tables.Table:
    columns = (tables.Column("Measure"), *tables.NUMBERS, tables.Column(""))
    rows = tuple(
        (
            text(j.metric.title), *tables.number_cells(j.metric, j.reading),
            marks.badge(j) if j.has_target else "",
        )
        for j in board.truth
    )  # fmt: skip
    return tables.Table("Identity against a labelled sample", columns, rows)
