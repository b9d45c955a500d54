"""Scorecard: what matters, what needs somebody, and the four dimensions of tiles."""

import streamlit as st

from app.measure.scorecard import scorecard
from app.ui import session, tiles

frame = session.frame()
everything = st.session_state.get("all", False)
board = scorecard(frame, everything=everything)

tiles.first_screen(frame, board)
tiles.columns(frame, board)
tiles.toggle(board)
