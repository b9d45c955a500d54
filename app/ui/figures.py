"""A row of tiles on a register page."""

from __future__ import annotations

import streamlit as st

from app.measure.judged import Frame
from app.measure.scorecard import Tile
from app.ui import tiles


def show(frame: Frame, found: tuple[Tile, ...]) -> None:
    """The ledger's numbers side by side; each opens how we know it."""
    with st.grid(len(found), min_column_width=tiles.TILE_WIDTH, gap="small"):
        for tile in found:
            tiles.draw(frame, tile)
